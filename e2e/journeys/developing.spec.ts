import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { findFreePort } from '@mist/local/process/ports'
import { placeDevVars } from '@mist/local/stack/dev-vars'
import { serve } from '../support/commands.ts'
import { register } from '../support/people.ts'
import { root, stackDir } from '../support/stack-dir.ts'

test('npx wrangler dev serves a page of tracks from the stack that is up', async () => {
  test.setTimeout(240_000)
  // As in a fresh clone: no real .dev.vars is touched.
  const clone = mkdtempSync(join(tmpdir(), 'mist-clone-'))
  for (const name of ['worker', 'db', 'node_modules', 'package.json'])
    symlinkSync(join(root, name), join(clone, name))
  copyFileSync(join(root, 'wrangler.toml'), join(clone, 'wrangler.toml'))
  expect(placeDevVars({ root: clone, dir: stackDir })).toBe(true)
  const [port, inspectorPort] = [await findFreePort(), await findFreePort()]
  const tracks = `http://127.0.0.1:${port}/api/v1/tracks?limit=2`
  const args = ['--port', String(port), '--inspector-port', String(inspectorPort)]
  const wrangler = await serve(['npx', 'wrangler', 'dev', ...args], tracks, { cwd: clone })
  try {
    const answer = await fetch(tracks)
    expect(answer.status).toBe(200)
    expect((await answer.json()).items).toHaveLength(2)
  } finally {
    await wrangler.stop()
    rmSync(clone, { recursive: true, force: true })
  }
})

test('npm run dev:api and npm run dev:web show the catalogue, and a user can sign in there', async ({
  browser,
}) => {
  test.setTimeout(480_000)
  const [port, inspectorPort] = [await findFreePort(), await findFreePort()]
  const webPort = await findFreePort()
  const apiOrigin = `http://127.0.0.1:${port}`
  const baseURL = `http://127.0.0.1:${webPort}`
  const apiArgs = ['--port', String(port), '--inspector-port', String(inspectorPort)]
  // Those of .dev.vars are for the usual port.
  apiArgs.push('--var', `WEB_ORIGINS:${baseURL}`)
  const api = await serve(
    ['npm', 'run', '-s', 'dev:api', '--', ...apiArgs],
    `${apiOrigin}/api/v1/tracks`,
  )
  try {
    const web = await serve(
      ['npm', 'run', '-s', 'dev:web', '--', '--port', String(webPort)],
      baseURL,
      {
        env: { API_ORIGIN: apiOrigin },
      },
    )
    try {
      const page = await browser.newPage({ baseURL })
      const refused: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error') refused.push(message.text())
      })
      await page.goto('/')
      await expect(page.locator('article').first()).toBeVisible()
      await register(page)
      expect(refused.filter((text) => text.includes('Content Security Policy'))).toEqual([])
      await page.close()
    } finally {
      await web.stop()
    }
  } finally {
    await api.stop()
  }
})
