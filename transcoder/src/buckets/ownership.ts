import { randomUUID } from 'node:crypto'
import { OWNER_MARK_KEY, TrackId, versionPrefix } from '@mist/db/contract'
import { installation, uploads } from '@mist/db/schema'
import { type Actor, audit } from '@mist/db/statements'
import { desc, sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import { BUCKETS, DeletePermit, type Bucket, type ObjectStore } from '../platform/object-store.ts'
import { judge, OwnerMark, type Identity, type Finding, type Verdict } from './verdict.ts'

/** Rows that are looked for in a bucket without a mark, the newest: one found tells whose it is. */
const SAMPLE = 10

const EMPTY: Finding = { kind: 'empty' }

/** The buckets are not this installation's, or may not be; the message says whose, and what to do. */
export class BucketsRefused extends Error {
  override name = 'BucketsRefused'
}

export type BucketStatus = { bucket: Bucket; name: string; found: Finding; verdict: Verdict }
export type Status = { identity: Identity; buckets: BucketStatus[] }
export type Ownership = ReturnType<typeof makeOwnership>

const VersionRow = z.object({ track_id: TrackId, version: z.int() })

/**
 * Makes the check of who owns the buckets. Three must agree before anything is deleted: the database's
 * own row, the setting INSTALLATION_ID, and the owner mark in each bucket.
 */
export function makeOwnership(options: {
  db: Database
  objects: ObjectStore
  /** INSTALLATION_ID. */
  setting: string | null
  /** SHARE_BUCKETS: go on where the buckets belong to another installation, and never delete. */
  mayShare: boolean
}) {
  const { db, objects, setting, mayShare } = options

  async function readIdentity(): Promise<Identity> {
    const [row] = await db.select().from(installation)
    if (row === undefined) throw new Error('The database has no installation row. Run migrate.')
    return { id: row.id, isClaimed: row.claimedAt !== null, markTokens: row.markTokens, setting }
  }

  async function look(): Promise<Status> {
    const identity = await readIdentity()
    const buckets: BucketStatus[] = []
    for (const bucket of BUCKETS) {
      const found = await find(bucket)
      const name = objects.nameOf(bucket)
      buckets.push({ bucket, name, found, verdict: judge(name, found, identity) })
    }
    return { identity, buckets }
  }

  async function find(bucket: Bucket): Promise<Finding> {
    const stored = await objects.readText(bucket, OWNER_MARK_KEY)
    if (stored !== null) {
      const mark = readMark(stored.text)
      return mark === null
        ? { kind: 'unreadable', etag: stored.etag }
        : { kind: 'marked', mark, etag: stored.etag }
    }
    if (!(await objects.hasAny(bucket, '', OWNER_MARK_KEY))) return { kind: 'empty' }
    return { kind: 'unmarked', isKnown: await knowsAny(bucket) }
  }

  async function knowsAny(bucket: Bucket): Promise<boolean> {
    if (bucket === 'originals') {
      const rows = await db
        .select({ key: uploads.objectKey })
        .from(uploads)
        .orderBy(sql`completed_at is null`, desc(uploads.createdAt))
        .limit(SAMPLE)
      for (const { key } of rows) if (await objects.has(bucket, key)) return true
      return false
    }
    const { rows } = await db.execute(sql`
      select track_id, version from track_versions
      order by status <> 'published', created_at desc limit ${SAMPLE}`)
    for (const row of rows) {
      const { track_id: trackId, version } = VersionRow.parse(row)
      if (await objects.hasAny(bucket, versionPrefix(trackId, version))) return true
    }
    return false
  }

  /** Notes a new token in the database, before any mark bears it. Answers with the older ones. */
  async function noteToken(token: string, id: string): Promise<string[]> {
    const { rows } = await db.execute<{ before: string[] }>(sql`
      update installation i set
        -- A database that never claimed a bucket takes the name that its setting gives it.
        id = ${id}, claimed_at = coalesce(i.claimed_at, now()),
        mark_tokens = array_append(i.mark_tokens, ${token}::text)
      from (select mark_tokens from installation for update) old
      returning old.mark_tokens as before`)
    return z.array(z.string()).parse(rows[0]?.before)
  }

  async function forgetTokens(old: readonly string[], claimed: SQL | undefined): Promise<void> {
    await db.execute(sql`
      with marked as (
        update installation set
          mark_tokens = array(select t from unnest(mark_tokens) t where t <> all (${sql.param(old)}::text[]))
        returning id
      )${claimed && sql`, audited as (${claimed})`}
      select id from marked`)
  }

  /** Writes a mark over what was found. `false`: another installation was faster. */
  async function write(bucket: Bucket, found: Finding, mark: OwnerMark): Promise<boolean> {
    const ifMatch = 'etag' in found ? found.etag : null
    if (await objects.writeText(bucket, OWNER_MARK_KEY, JSON.stringify(mark), ifMatch)) return true
    // Our own write may have arrived though its answer was lost.
    const stored = await objects.readText(bucket, OWNER_MARK_KEY)
    return stored !== null && readMark(stored.text)?.token === mark.token
  }

  /** Marks buckets as ours, media first: of two that race for both, one gets both. */
  async function markAll(
    buckets: readonly BucketStatus[],
    id: string,
    by?: Actor,
  ): Promise<boolean> {
    const token = randomUUID()
    const before = await noteToken(token, id)
    const next = { installation: id, token, writtenAt: new Date().toISOString() }
    for (const { bucket, found } of buckets) {
      if (!(await write(bucket, found, next))) return false
    }
    if (buckets.length === BUCKETS.length) {
      const entry = { action: 'buckets.claim', target: 'installation', targetId: id } as const
      await forgetTokens(before, by && audit(by, entry, sql`marked`))
    }
    return true
  }

  return {
    look,

    /**
     * Checks the buckets before they are used, and claims empty ones.
     *
     * @param areOwn the buckets can't belong to another installation (those of a local stack in its folder): they are
     *   claimed although they are in use and bear no mark yet
     * @param mayClaim whether empty ones are claimed; else nothing is written
     * @returns why nothing will be deleted, or null where deleting is fine
     * @throws BucketsRefused where they belong to another installation, unless SHARE_BUCKETS is set
     * @throws what the store failed with: an unavailable store may have a mark
     */
    async open({ areOwn = false, mayClaim = true } = {}): Promise<string | null> {
      for (let attempt = 0; ; attempt++) {
        const status = await look()
        if (areOwn) {
          for (const each of status.buckets)
            if (each.found.kind === 'unmarked')
              each.verdict = judge(each.name, EMPTY, status.identity)
        }
        const refused = status.buckets.filter(({ verdict }) => verdict.kind === 'refused')
        if (refused.length > 0) {
          const [reason = ''] = reasons({ ...status, buckets: refused })
          if (!mayShare) throw new BucketsRefused(reason)
          return reason
        }
        const empty = status.buckets.filter(({ verdict }) => verdict.kind === 'claimable')
        if (mayClaim && empty.length > 0 && attempt < 3) {
          const { identity } = status
          await markAll(empty, identity.isClaimed ? identity.id : (setting ?? identity.id))
          continue
        }
        if (mayShare) return 'SHARE_BUCKETS is set, so nothing is deleted.'
        return reasons(status)[0] ?? null
      }
    },

    /**
     * Asks for permission to delete, for one sweep. It writes new tokens into the marks, by which a
     * copy of this database finds that it is one.
     *
     * @returns the permission, or a sentence that says why not and what to do
     */
    async permit(): Promise<DeletePermit | string> {
      if (mayShare) return 'SHARE_BUCKETS is set, so nothing is deleted.'
      const status = await look()
      const [reason] = reasons(status)
      if (reason !== undefined) return reason
      if (status.buckets.some(({ verdict }) => verdict.kind !== 'ours'))
        return 'The buckets are not claimed yet.'
      if (!(await markAll(status.buckets, status.identity.id)))
        return 'Another sweep has just begun; the next turn will see.'
      return DeletePermit.parse({ installation: status.identity.id })
    },

    /** Whether a permission still holds: the marks are this database's, as they were. */
    async holds(permit: DeletePermit): Promise<boolean> {
      const { identity, buckets } = await look()
      return (
        identity.id === permit.installation &&
        buckets.every(({ verdict }) => verdict.kind === 'ours')
      )
    },

    /**
     * Makes the buckets this installation's, by a person's word.
     *
     * @param from whose they are now, or `unreadable`; null for buckets of no other installation
     * @param by who says so, for the audit log
     * @throws BucketsRefused where they belong to another than `from`
     */
    async claim(from: string | null, by: Actor): Promise<Status> {
      const status = await look()
      const { identity } = status
      const owners = new Set(
        status.buckets.flatMap(({ found }) =>
          found.kind === 'marked'
            ? [found.mark.installation]
            : found.kind === 'unreadable'
              ? ['unreadable']
              : [],
        ),
      )
      const id = from === null && identity.isClaimed ? identity.id : (setting ?? identity.id)
      const foreign = [...owners, ...(identity.isClaimed ? [identity.id] : [])].filter(
        (owner) => owner !== id && owner !== from,
      )
      // A database that is new to marked buckets takes them over by name only.
      const isStranger = !identity.isClaimed && owners.size > 0
      const isUnnamed = from === null && (isStranger || (setting !== null && setting !== id))
      if (foreign.length > 0 || isUnnamed) {
        throw new BucketsRefused(
          reasons(status)[0] ?? `Installation ${foreign[0]} is not ${from}. Name it with --from.`,
        )
      }
      if (!(await markAll(status.buckets, id, by)))
        throw new BucketsRefused('Somebody else has just written the marks. Look again.')
      return look()
    },
  }
}

function reasons({ buckets }: Status): string[] {
  return buckets.flatMap(({ verdict }) => ('reason' in verdict ? [verdict.reason] : []))
}

function readMark(text: string): OwnerMark | null {
  try {
    return OwnerMark.parse(JSON.parse(text))
  } catch {
    return null
  }
}
