import { setRole } from '@mist/db/roles'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import * as schema from '@mist/db/schema'
import { readStackInfo } from '../stack/info.ts'

const USAGE = 'usage: npm run make-admin -- EMAIL [--demote]'

/**
 * Runs `npm run make-admin`: makes an existing account an admin, or no longer one.
 * The database is DATABASE_URL's, or the local stack's when one is up. Answers the exit code.
 */
export async function makeAdmin(options: {
  dir: string
  args: string[]
  env: NodeJS.ProcessEnv
  say: (text: string) => void
}): Promise<number> {
  const { dir, args, env, say } = options
  const emails = args.filter((arg) => !arg.startsWith('-'))
  const isDemotion = args.includes('--demote')
  const [email] = emails
  if (email === undefined || emails.length > 1 || args.length > (isDemotion ? 2 : 1)) {
    say(USAGE)
    return 2
  }
  const url = env['DATABASE_URL']?.trim() || readStackInfo(dir)?.databaseUrl
  if (url === undefined) {
    say('no local stack is up: start one, or set DATABASE_URL to the database of your MIST')
    return 2
  }
  if (!/^postgres(ql)?:\/\/./.test(url)) {
    say('DATABASE_URL is not a postgres:// URL')
    return 2
  }

  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  const where = `${client.host}:${client.port}/${client.database}`
  // Where the server disappears, the query that fails says so.
  client.on('error', () => {})
  try {
    await client.connect()
    const role = isDemotion ? 'user' : 'admin'
    const change = await setRole(drizzle(client, { schema }), {
      email,
      role,
      by: { command: 'npm run make-admin' },
    })
    if (change.kind === 'no-such-user') {
      say(`nobody has registered with ${email} at ${where}: sign up in the web app first`)
      return 1
    }
    const who = `${change.email} (${change.username})`
    const what = isDemotion ? 'a user, and no admin' : 'an admin'
    say(`${who} ${change.kind === 'changed' ? 'is now' : 'was already'} ${what}, at ${where}`)
    if (change.admins === 0) say('nobody is an admin now')
    return 0
  } catch (error) {
    say(`the database at ${where} can't be used: ${reasonOf(error)}`)
    return 1
  } finally {
    await client.end().catch(() => {})
  }
}

/** The reason a person can act on; drizzle wraps Postgres's own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error.message
}
