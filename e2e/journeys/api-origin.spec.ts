import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { buildEdge } from '@mist/local/edge/build'
import { startEdge } from '@mist/local/edge/workerd'
import { makeNeonProxy } from '@mist/local/postgres/neon-proxy'
import { findFreePort } from '@mist/local/process/ports'
import { expect, test } from '@playwright/test'
import { newcomer, register } from '../support/people.ts'
import { stack } from '../support/stack.ts'
import { root } from '../support/stack-dir.ts'

/**
 * A web app that reaches its Worker by `API_ORIGIN` instead of a service binding, both as they are
 * deployed, on the stack's database.
 */
async function startApart({ isNamed }: { isNamed: boolean }) {
  const proxy = await makeNeonProxy({ upstream: stack.databaseUrl, maxConnections: 2 })
  const [apiPort, webPort] = [await findFreePort(), await findFreePort()]
  const webUrl = `http://localhost:${webPort}`
  const bundles = await buildEdge({
    root,
    buildDir: join(root, '.local/build'),
    env: process.env,
    say: () => undefined,
  })
  const edge = await startEdge({
    bundles,
    apiPort,
    webPort,
    runsSchedules: false,
    rateLimitFactor: 100,
    webEnv: { API_ORIGIN: `http://127.0.0.1:${apiPort}` },
    apiEnv: {
      DATABASE_URL: stack.databaseUrl,
      NEON_PROXY_URL: proxy.url,
      JWT_SECRET: randomBytes(48).toString('base64'),
      CONTENT_KEY_SECRET: `k1:${randomBytes(32).toString('base64')}`,
      S3_ENDPOINT: stack.s3.endpoint,
      S3_BUCKET: stack.s3.bucket,
      S3_ORIGINALS_BUCKET: 'mist-originals',
      S3_ACCESS_KEY_ID: stack.s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: stack.s3.secretAccessKey,
      WEB_ORIGINS: isNamed ? webUrl : '',
    },
  })
  return {
    webUrl,
    async stop() {
      await edge.stop()
      await proxy.stop()
    },
  }
}

test('a web app apart from its Worker signs people in, once the Worker knows its origin', async ({
  browser,
}) => {
  test.setTimeout(240_000)
  const apart = await startApart({ isNamed: true })
  const context = await browser.newContext({ baseURL: apart.webUrl })
  try {
    const page = await context.newPage()
    const person = await register(page)
    await context.clearCookies({ name: '__Host-mist_access' })
    await page.goto('/account')
    await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
    // The browser's own writes arrive, too: this one is refused for what it asks, not for who asks.
    const status = await page.evaluate(async () => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ trackId: '01900000-0000-7000-8000-000000000000' })
      return (await fetch('/api/v1/listening-sessions', { method: 'POST', headers, body })).status
    })
    expect(status).toBe(404)
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible()
  } finally {
    await context.close()
    await apart.stop()
  }
})

test('a web app that its Worker does not know says what has to be set', async ({ browser }) => {
  test.setTimeout(240_000)
  const apart = await startApart({ isNamed: false })
  const context = await browser.newContext({ baseURL: apart.webUrl })
  try {
    const page = await context.newPage()
    const person = newcomer()
    await page.goto('/register')
    await page.getByLabel('E-mail address').fill(person.email)
    await page.getByLabel('Username').fill(person.username)
    await page.getByLabel('Password').fill(person.password)
    await page.getByRole('button', { name: 'Register' }).click()
    await expect(page.getByRole('alert')).toContainText('WEB_ORIGINS')
    await expect(page.getByRole('alert')).toContainText(apart.webUrl)
  } finally {
    await context.close()
    await apart.stop()
  }
})
