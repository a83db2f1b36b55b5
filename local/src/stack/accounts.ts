import { setRole } from '@mist/db/roles'
import * as schema from '@mist/db/schema'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { ApiError, type Api } from './api.ts'
import type { Login } from './state.ts'

/** The two accounts that can log in; `null` where one of that address has a password not known here. */
export type Accounts = { admin: Login | null; listener: Login | null }

/**
 * Makes sure that two accounts exist from the start: through the API, as for everybody, and then the
 * admin's role in the database, since no API grants it. An account that was not made by this stack is left
 * as it is, with a sentence.
 */
export async function ensureAccounts(options: {
  api: Api
  databaseUrl: string
  logins: { admin: Login; listener: Login }
  say: (text: string) => void
}): Promise<Accounts> {
  const { api, databaseUrl, logins, say } = options
  const admin = await ensure(api, logins.admin, say)
  const listener = await ensure(api, logins.listener, say)
  if (admin !== null) await promote(databaseUrl, admin.email)
  return { admin, listener }
}

async function ensure(api: Api, login: Login, say: (text: string) => void): Promise<Login | null> {
  if ((await api.login(login)) !== null) return login
  try {
    await api.register(login)
    return login
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error
    const name = error.code === 'username-taken' ? `a user named ${login.username}` : login.email
    say(`there is ${name} already in that database: log in with the password that it was made with`)
    return null
  }
}

async function promote(databaseUrl: string, email: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const by = { command: 'npm start' }
    const { kind } = await setRole(drizzle(client, { schema }), { email, role: 'admin', by })
    if (kind === 'changed')
      await client.query("update users set plan = 'premium' where email = $1", [email])
  } finally {
    await client.end()
  }
}
