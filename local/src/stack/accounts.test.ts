import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migrate } from '@mist/db/migrate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPgliteServer } from '../postgres/pglite-server.ts'
import { ensureAccounts } from './accounts.ts'
import { makeApi } from './api.ts'
import { missingMigrations, requireCurrentSchema } from './schema-state.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-accounts-'))
let postgres: Awaited<ReturnType<typeof startPgliteServer>>

beforeAll(async () => {
  postgres = await startPgliteServer({ dataDir: join(dir, 'data'), port: 0 })
}, 60_000)

afterAll(async () => {
  await postgres?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function query(text: string, values: unknown[] = []) {
  const client = new pg.Client(postgres.url)
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}

/** An API of which each login fails, and each registration answers that somebody is there. */
async function makeTakenApi(code: string) {
  const server = createServer((request, response) => {
    const isLogin = request.url?.endsWith('/login') === true
    const problem = { type: `https://mist.example/problems/${isLogin ? 'wrong-login' : code}` }
    response.writeHead(isLogin ? 401 : 409, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify(problem))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    api: makeApi({ origin: `http://127.0.0.1:${port}` }),
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}

test('a database is looked at without being changed, and what it lacks is said with what to do', async () => {
  expect(await missingMigrations(postgres.url)).toBe('all')
  await expect(requireCurrentSchema(postgres.url)).rejects.toThrow(/no schema of MIST.*--migrate/)
  expect(await query("select nspname from pg_namespace where nspname = 'drizzle'")).toEqual([])

  await migrate(postgres.url)
  expect(await missingMigrations(postgres.url)).toBe(0)
  await query(
    'delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)',
  )
  await expect(requireCurrentSchema(postgres.url)).rejects.toThrow(/lacks 1 .*--migrate/)
  // A Worker one release older works on a newer schema.
  await query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', [
    'newer',
    Date.now() + 1e12,
  ])
  expect(await missingMigrations(postgres.url)).toBe(0)

  await query(`update applied_sql set sha256 = 'of before'`)
  await expect(requireCurrentSchema(postgres.url)).rejects.toThrow(
    /functions of an older.*--migrate/,
  )
  await query('update applied_sql set revision = revision + 1')
  await requireCurrentSchema(postgres.url)
}, 60_000)

test('a database that does not answer is a sentence without its password', async () => {
  const asked = missingMigrations('postgres://u:hush@127.0.0.1:9/db')
  await expect(asked).rejects.toThrow(/127\.0\.0\.1:9\/db can't be asked/)
  await expect(asked).rejects.not.toThrow(/hush/)
})

test.for(['email-taken', 'username-taken'])(
  "%s: somebody else's account is left as it is, with a sentence",
  async (code) => {
    await query(
      `insert into users (id, email, username, password_hash)
       values (gen_random_uuid(), 'admin@mist.example', 'admin', 'x') on conflict do nothing`,
    )
    const { api, stop } = await makeTakenApi(code)
    const said: string[] = []
    const accounts = await ensureAccounts({
      api,
      databaseUrl: postgres.url,
      logins: {
        admin: { email: 'admin@mist.example', username: 'admin', password: 'not theirs' },
        listener: { email: 'listener@mist.example', username: 'listener', password: 'not theirs' },
      },
      say: (text) => said.push(text),
    })
    await stop()
    expect(accounts).toEqual({ admin: null, listener: null })
    expect(said.join('\n')).toMatch(/already in that database/)
    expect(await query("select role from users where email = 'admin@mist.example'")).toEqual([
      { role: 'user' },
    ])
  },
)
