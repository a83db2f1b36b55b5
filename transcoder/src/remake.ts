import { RemakeKind } from '@mist/db/contract'
import { remakes } from '@mist/db/schema'
import {
  type Actor,
  notifyRelay,
  pauseRemake,
  resumeRemake,
  startRemake,
  stopRemake,
} from '@mist/db/statements'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import { EMBEDDING_VERSION } from './audio/analyser.ts'
import type { Database } from './platform/database.ts'

/**
 * Jobs of remakes that are queued or run at once, over all transcoders. They wait behind uploads, and
 * more of them would only make a pause come later.
 */
const IN_FLIGHT = 32

/** Which tracks `t` a remake `r` has still to do: what they are tells, so nothing is done twice. */
const IS_DUE: Record<RemakeKind, SQL> = {
  retranscode: sql`exists (
    select from track_versions v
    where v.track_id = t.id and v.version = t.version and v.published_at < r.started_at)`,
  reembed: sql`(t.preview_start_s is null or not exists (
    select from track_embeddings e
    where e.track_id = t.id and e.embedding_version = ${EMBEDDING_VERSION}))`,
  retag: sql`not exists (
    select from track_file_tags f where f.track_id = t.id and f.read_at >= r.started_at)`,
}

/** Published tracks whose originals are there. */
const CAN_BE_MADE = sql`t.published_at is not null and t.deleted_at is null and t.upload_id is not null`

/** Tracks that the remake has tried and that can't be done: they are left as they are, and told. */
const HAS_FAILED = sql`exists (
  select from jobs j where j.track_id = t.id and j.kind = r.kind and j.status = 'failed'
    and j.created_at >= r.started_at)`

const StatusRow = z
  .object({
    kind: RemakeKind,
    started_at: z.coerce.date(),
    paused_at: z.coerce.date().nullable(),
    ended_at: z.coerce.date().nullable(),
    total: z.coerce.number(),
    left: z.coerce.number(),
    failed: z.coerce.number(),
    in_flight: z.coerce.number(),
    failures: z.record(z.string(), z.number()).nullable(),
  })
  .transform((row) => ({
    kind: row.kind,
    startedAt: row.started_at,
    state: row.ended_at !== null ? 'ended' : row.paused_at !== null ? 'paused' : 'under way',
    /** Tracks of the catalogue, those that are still to do, and those that could not be done. */
    total: row.total,
    left: row.left,
    failed: row.failed,
    inFlight: row.in_flight,
    /** How often each reason came. */
    failures: row.failures ?? {},
  }))
export type RemakeStatus = z.infer<typeof StatusRow>

const FedRow = z.object({ made: z.coerce.number() })

/**
 * Makes what makes a catalogue anew: its media (`retranscode`), what is heard of it (`reembed`), or what
 * its tags say (`retag`). Listeners notice nothing: an old version is there until the new one is, and for
 * as long as somebody listens to it.
 */
export function makeRemakes(db: Database) {
  /** Whether a change answered with a row. */
  const happened = async (change: SQL): Promise<boolean> =>
    (await db.execute(change)).rows.length > 0

  /** Takes back what is queued and has not begun: it is due again later. */
  async function withdraw(kind: RemakeKind): Promise<void> {
    await db.execute(sql`delete from jobs where kind = ${kind} and status = 'queued'`)
  }

  /** @returns the number of jobs that were queued */
  async function feedOne(kind: RemakeKind): Promise<number> {
    return db.transaction(async (tx) => {
      const [remake] = await tx
        .select()
        .from(remakes)
        .where(sql`kind = ${kind} and ended_at is null and paused_at is null`)
        // Another transcoder feeds it.
        .for('update', { skipLocked: true })
      if (remake === undefined) return 0
      const after = remake.afterTrackId
      const { rows } = await tx.execute(sql`
        with flying as (
          select count(*)::integer as jobs, count(*) filter (where kind = ${kind})::integer as mine
          from jobs where status in ('queued', 'processing') and kind in ${[...RemakeKind.options]}
        ), due as (
          select t.id, t.upload_id from tracks t, remakes r
          where r.kind = ${kind} and ${CAN_BE_MADE} and ${IS_DUE[kind]} and not ${HAS_FAILED}
            and (${after}::uuid is null or t.id > ${after}::uuid)
            and not exists (
              select from jobs j where j.track_id = t.id and j.status in ('queued', 'processing')
            )
          order by t.id limit (select greatest(0, ${IN_FLIGHT} - jobs) from flying)
        ), made as (
          insert into jobs (id, kind, upload_id, track_id, status, queued_at)
          select gen_random_uuid(), ${kind}, upload_id, id, 'queued', now() from due
          returning id, track_id
        ), notified as (${notifyRelay('made')})
        update remakes r set
          -- Behind the last track the next pass begins, for those that were busy in this one.
          after_track_id = case when (select jobs from flying) >= ${IN_FLIGHT} then r.after_track_id
            else (select id from due order by id desc limit 1) end,
          ended_at = case when r.after_track_id is null and (select mine from flying) = 0
            and not exists (select from due) and (select jobs from flying) < ${IN_FLIGHT}
            then now() end
        where r.kind = ${kind} returning (select count(*) from made) as made`)
      return FedRow.parse(rows[0]).made
    })
  }

  return {
    /** Starts one; `false` where it is under way or paused already. */
    start: (kind: RemakeKind, by: Actor): Promise<boolean> => happened(startRemake(kind, by)),

    /** Queues the next tracks of all that are under way. @returns the number of jobs */
    async feed(): Promise<number> {
      let jobs = 0
      for (const kind of RemakeKind.options) jobs += await feedOne(kind)
      return jobs
    },

    /** Lets what runs come to its end and begins nothing more; `false` where there is nothing to pause. */
    async pause(kind: RemakeKind, by: Actor): Promise<boolean> {
      const isPaused = await happened(pauseRemake(kind, by))
      if (isPaused) await withdraw(kind)
      return isPaused
    },

    /** Goes on after a pause; `false` where there is none. */
    resume: (kind: RemakeKind, by: Actor): Promise<boolean> => happened(resumeRemake(kind, by)),

    /** Gives up on one; what is made stays. `false` where none is under way. */
    async stop(kind: RemakeKind, by: Actor): Promise<boolean> {
      const isStopped = await happened(stopRemake(kind, by))
      if (isStopped) await withdraw(kind)
      return isStopped
    },

    /** How far all of them are. */
    async status(): Promise<RemakeStatus[]> {
      const known: RemakeStatus[] = []
      for (const kind of RemakeKind.options) {
        const { rows } = await db.execute(sql`
          select r.kind, r.started_at, r.paused_at, r.ended_at, c.total, c.left, c.failed,
            (select count(*) from jobs j where j.kind = r.kind and j.status in ('queued', 'processing'))
              as in_flight,
            (select json_object_agg(code, times) from (
              select coalesce(j.error_code, 'internal') as code, count(*) as times from jobs j
              where j.kind = r.kind and j.status = 'failed' and j.created_at >= r.started_at group by 1
            ) f) as failures
          from remakes r, lateral (
            select count(*) as total,
              count(*) filter (where ${IS_DUE[kind]} and not ${HAS_FAILED}) as left,
              count(*) filter (where ${IS_DUE[kind]} and ${HAS_FAILED}) as failed
            from tracks t where ${CAN_BE_MADE}
          ) c
          where r.kind = ${kind}`)
        known.push(...rows.map((row) => StatusRow.parse(row)))
      }
      return known
    },
  }
}
