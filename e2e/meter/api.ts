import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleWorker, serveBundle } from '@mist/local/workerd/serve-bundle'
import { makeRealDatabase } from './real-database.ts'

export type Answer<T> = { status: number; headers: Headers; body: T }

export type AuthTokens = {
  user: { id: string }
  accessToken: string
  refreshToken: string
}

export type Started = {
  id: string
  token: string
  quota: { usedS: number; remainingS: number | null }
  firstKey: { url: string; keyBase64: string }
}

/**
 * The deployed bundle in plain workerd, on a real Postgres 17.
 *
 * @param bundle makes the bundle in a folder and answers with its path; of today's Worker when not given
 */
export async function makeApi(bundle: (outdir: string) => Promise<string> = bundleWorker) {
  const database = await makeRealDatabase()
  const outdir = await mkdtemp(join(tmpdir(), 'mist-meter-'))
  const worker = await serveBundle(await bundle(outdir), {
    DATABASE_URL: database.databaseUrl,
    NEON_PROXY_URL: database.proxyUrl,
    JWT_SECRET: randomBytes(48).toString('base64'),
    // The key under which the test factories wrap: every byte is 7.
    CONTENT_KEY_SECRET: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    S3_ENDPOINT: 'http://127.0.0.1:9',
    S3_REGION: 'auto',
    S3_BUCKET: 'mist-media',
    S3_ORIGINALS_BUCKET: 'mist-originals',
    S3_ACCESS_KEY_ID: 'unused',
    S3_SECRET_ACCESS_KEY: 'unused',
  })

  async function call<T>(
    method: 'GET' | 'POST',
    path: string,
    { token, body }: { token?: string; body?: unknown } = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${worker.url}/api/v1/${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    // The caller names the type: what it then asserts is the test.
    const text = await response.text()
    const parsed: T = JSON.parse(isJson ? text : 'null')
    return { status: response.status, headers: response.headers, body: parsed }
  }

  let people = 0
  return {
    database,
    call,
    /** A new listener, signed in. */
    async register(): Promise<AuthTokens> {
      const name = `listener${++people}`
      const { body } = await call<AuthTokens>('POST', 'auth/register', {
        body: { email: `${name}@example.test`, username: name, password: 'a long enough secret' },
      })
      return body
    },
    start: (accessToken: string, trackId: string) =>
      call<Started>('POST', 'listening-sessions', { token: accessToken, body: { trackId } }),
    key: (sessionToken: string, trackId: string, period: number, version = 1) =>
      call<null>('GET', `keys/${trackId}/${version}/${period}`, { token: sessionToken }),
    run: (session: Started, from: number, count = 3) =>
      call<{ keys: { period: number; keyBase64: string }[] }>(
        'POST',
        `listening-sessions/${session.id}/leases`,
        { token: session.token, body: { from, count } },
      ),
    async close() {
      await worker.stop()
      await database.close()
      await rm(outdir, { recursive: true, force: true })
    },
  }
}

export type Api = Awaited<ReturnType<typeof makeApi>>
