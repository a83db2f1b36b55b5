import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { register, signIn } from '../support/people.ts'
import { expectSound, player, playerReady, tapSound } from '../support/player.ts'
import { recording, stack } from '../support/stack.ts'

let folder = ''

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mist-e2e-'))
})

test.afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('an admin uploads a recording, sees its steps go by, and plays it', async ({ page }) => {
  const file = join(folder, `upload-${Date.now()}.mp3`)
  copyFileSync(recording('fluffing-a-duck.mp3'), file)
  await signIn(page, stack.admin)
  await page.goto('/admin/upload')
  await playerReady(page)
  await page.getByLabel('Files to upload').setInputFiles(file)
  const row = page.locator('li[data-phase]').first()
  await expect(row).toHaveAttribute('data-phase', 'processing')
  await expect(row.getByRole('listitem').filter({ hasText: 'Queued' })).toBeVisible()

  // It goes on while the page is left for another.
  await page.getByRole('link', { name: 'Mist, home' }).click()
  await expect(page.getByText('1 upload in progress')).toBeVisible()
  await page.getByText('1 upload in progress').click()
  await expect(row).toHaveAttribute('data-phase', 'done', { timeout: 60_000 })

  await row.getByRole('link', { name: /^Open/ }).click()
  await page.getByRole('main').getByRole('button', { name: /^Play/ }).first().click()
  await tapSound(page)
  await expectSound(page)
  await player(page).getByRole('button', { name: 'Pause' }).click()
})

test('what is not music fails with a sentence, beside files that do not', async ({ page }) => {
  const text = join(folder, 'letter.txt')
  const disguised = join(folder, 'disguised.mp3')
  const empty = join(folder, 'empty.flac')
  writeFileSync(text, 'Dear listener')
  writeFileSync(disguised, 'This is not music, whatever its name says. '.repeat(50))
  writeFileSync(empty, '')
  await signIn(page, stack.admin)
  await page.goto('/admin/upload')
  await playerReady(page)
  await page.getByLabel('Files to upload').setInputFiles([text, disguised, empty])
  const row = (name: string) => page.locator('li[data-phase]').filter({ hasText: name }).first()
  await expect(row('letter.txt')).toContainText('This kind of file is not supported.')
  await expect(row('empty.flac')).toContainText('The file is empty.')
  await expect(row('disguised.mp3')).toHaveAttribute('data-phase', 'failed', { timeout: 60_000 })
  await expect(row('disguised.mp3').locator('p').last()).toHaveText(/\w+ .*\./)

  // The service remembers it for the next visit.
  await page.reload()
  await expect(row('disguised.mp3')).toHaveAttribute('data-phase', 'failed')
})

test('uploading is for admins only', async ({ page }) => {
  await register(page)
  const answer = await page.goto('/admin')
  expect(page.url()).toMatch(/\/admin\/upload$/)
  expect(answer?.status()).toBe(403)
  await expect(page.getByText('Only admins may upload music.')).toBeVisible()
})
