import { CannotStart } from '../cannot-start.ts'
import type { Settings } from './settings.ts'

/** What a start may do to parts that this stack has not made itself. Each must be asked for. */
export type Permissions = {
  /** Bring the database's schema to the newest. */
  migrate: boolean
  /** Make an admin and a listener who can log in. */
  accounts: boolean
  /** Upload the demo catalogue. */
  demo: boolean
  /** Run a transcoder, which takes jobs from the queue, and the Worker's schedules. */
  transcoder: boolean
}

/** Permissions where none were given. */
export const NOTHING_ASKED: Permissions = {
  migrate: false,
  accounts: false,
  demo: false,
  transcoder: false,
}

/** What a start will do, and the sentences that say so before it is done. */
export type Plan = Permissions & { announcement: string[] }

/**
 * Decides what a start does: everything where all parts are the stack's own, and with anything of
 * somebody else's only what was asked for.
 *
 * @throws CannotStart when what was asked for would do harm
 */
export function planStart(settings: Settings, asked: Permissions): Plan {
  const { database, s3, redis } = settings
  const isOwn = {
    database: database.kind === 'embedded',
    store: s3.kind === 'embedded',
    queue: redis.kind === 'embedded',
  }
  const isAllOwn = isOwn.database && isOwn.store && isOwn.queue
  const plan: Permissions = {
    migrate: isOwn.database || asked.migrate,
    accounts: isOwn.database || asked.accounts,
    demo: isAllOwn || asked.demo,
    // It takes jobs from the queue, writes results to the database and deletes leftovers in the store.
    transcoder: isAllOwn || asked.transcoder,
  }
  refuseHarm(settings, plan)
  return { ...plan, announcement: isAllOwn ? [] : announce(settings, plan) }
}

function refuseHarm({ database, s3, hasOwnContentKey }: Settings, plan: Permissions): void {
  if (plan.demo && !plan.accounts)
    throw new CannotStart('--demo uploads as the admin, so it needs --accounts, too')
  if (plan.demo && !plan.transcoder)
    throw new CannotStart('--demo needs a transcoder that takes the uploads: add --transcoder')
  if (database.kind === 'embedded' || !plan.transcoder) return
  const name = nameOfDatabase(database.url)
  if (s3.kind === 'embedded')
    throw new CannotStart(
      `the originals and the media of the database ${name} are not in the embedded S3, so a transcoder here would fail its jobs: set S3_ENDPOINT, or leave --transcoder out`,
    )
  if (hasOwnContentKey)
    throw new CannotStart(
      `a transcoder here would wrap keys that the other users of the database ${name} can't open: set CONTENT_KEY_SECRET to theirs, or leave --transcoder out`,
    )
}

function announce({ database, s3, redis, hasOwnContentKey }: Settings, plan: Permissions) {
  const lines: string[] = []
  if (database.kind !== 'embedded') {
    lines.push(`the database is ${nameOfDatabase(database.url)} (DATABASE_URL)`)
    lines.push(
      plan.migrate
        ? '  its schema is brought to the newest (--migrate)'
        : '  its schema is looked at, and not changed (--migrate would)',
      plan.accounts
        ? '  an admin and a listener are made in it (--accounts)'
        : '  no accounts are made in it (--accounts would)',
    )
  }
  if (s3.kind === 'external')
    lines.push(
      `the buckets are ${s3.bucket} and ${s3.originalsBucket} at ${hostOf(s3.endpoint ?? '')} (S3_ENDPOINT)`,
    )
  if (redis.kind === 'external') lines.push(`the queue is at ${hostOf(redis.url)} (REDIS_URL)`)
  lines.push(
    plan.demo
      ? 'the demo catalogue is uploaded, unless it was already (--demo)'
      : 'no demo catalogue is uploaded (--demo would)',
    plan.transcoder
      ? 'a transcoder runs here: it takes jobs from the queue and deletes leftovers (--transcoder)'
      : 'no transcoder and no schedules run here, so uploads wait for another one (--transcoder would)',
  )
  if (database.kind !== 'embedded' && s3.kind === 'embedded')
    lines.push("S3_ENDPOINT is not set: that database's tracks are listed here, and do not play")
  else if (database.kind !== 'embedded' && hasOwnContentKey)
    lines.push(
      "CONTENT_KEY_SECRET is not set: that database's tracks are listed here, and do not play",
    )
  return lines
}

/** Names a database by host and name: never with its user or password. */
export function nameOfDatabase(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL'
}
