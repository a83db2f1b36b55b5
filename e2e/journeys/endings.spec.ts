import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { signIn } from '../support/people.ts'
import { expectSound, player, playerReady, playNth, tapSound } from '../support/player.ts'
import { fieldFile, stack } from '../support/stack.ts'

/** Lengths at which the last segment would hold next to nothing: around and on multiples of four seconds. */
const ENDINGS = ['end-3.99s.flac', 'end-4s.flac', 'end-4.03s.flac', 'end-12s.mp3']

test('a track of whichever length ends, and the next one sounds', async ({ page }) => {
  // Four tracks are encoded and heard to their ends.
  test.setTimeout(240_000)
  await signIn(page, stack.admin)
  await page.goto('/admin/upload')
  await playerReady(page)
  // Names of their own, for the page lists what was uploaded lately, too.
  const stamp = `${Date.now()}`
  const files = ENDINGS.map((name) => ({
    name: `${stamp}-${name}`,
    mimeType: name.endsWith('mp3') ? 'audio/mpeg' : 'audio/flac',
    buffer: readFileSync(fieldFile(name)),
  }))
  await page.getByLabel('Files to upload').setInputFiles(files)
  const paths: (string | null)[] = []
  for (const { name } of files) {
    const ready = page.getByRole('link', { name: `Open ${name}`, exact: true })
    await expect(ready).toBeVisible({ timeout: 120_000 })
    paths.push(await ready.getAttribute('href'))
  }

  // They stand in a row, and what follows them is the rest of the catalogue.
  await page.goto('/')
  await playerReady(page)
  const headings = await page.locator('article').getByRole('heading').allInnerTexts()
  const first = headings.findIndex((title) => title.startsWith(stamp))
  await playNth(page, first)
  await tapSound(page)
  for (const title of headings.slice(first + 1, first + ENDINGS.length + 1)) {
    const link = player(page).getByRole('link', { name: title, exact: true })
    await expect(link).toBeVisible({ timeout: 30_000 })
  }
  await expectSound(page)
  await player(page).getByRole('button', { name: 'Pause' }).click()

  // Other journeys play what is first in the catalogue, and want it longer than a few seconds.
  const { origin } = new URL(page.url())
  for (const path of paths) {
    const removed = await page.request.delete(`/api/v1${path}`, { headers: { origin } })
    expect(removed.status()).toBe(204)
  }
})
