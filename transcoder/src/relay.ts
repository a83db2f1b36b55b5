import { TrackId, TranscodeJob } from '@mist/db/contract'
import { jobs, outbox } from '@mist/db/schema'
import { and, asc, eq, isNull, or, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from './platform/database.ts'
import type { Log } from './platform/log.ts'
import type { TranscodeQueue } from './platform/queue.ts'

/** Rows moved at once. */
const BATCH = 50

/** A run that was seen so long ago is dead, unless BullMQ knows better. */
const DEAD_AFTER_S = 30

const PurgeTrack = z.object({ trackId: TrackId })

/**
 * Makes the relay, which carries what Postgres owes to the world. Everything it does may be done
 * twice, by two relays or after a crash, and has the effect of once.
 */
export function makeRelay(options: {
  db: Database
  queue: TranscodeQueue
  /** For notes of Workers older than tombstones; the same again is harmless. */
  deleteTrack: (trackId: TrackId) => Promise<void>
  log: Log
}) {
  const { db, queue, deleteTrack, log } = options

  async function dispatch(row: typeof outbox.$inferSelect): Promise<void> {
    if (row.topic === 'purge-track') {
      await deleteTrack(PurgeTrack.parse(row.payload).trackId)
    } else {
      const job = TranscodeJob.parse(row.payload)
      const [found] = await db.select({ kind: jobs.kind }).from(jobs).where(eq(jobs.id, job.jobId))
      // Without its row it was taken back before anybody began it.
      if (found !== undefined) await queue.ensure(job, found.kind)
    }
  }

  return {
    /**
     * Moves waiting outbox rows on, oldest first. One that fails stays and does not hold up the
     * others.
     *
     * @returns how many were moved
     */
    async relay(): Promise<number> {
      const rows = await db
        .select()
        .from(outbox)
        .where(isNull(outbox.dispatchedAt))
        .orderBy(asc(outbox.id))
        .limit(BATCH)
      let moved = 0
      for (const row of rows) {
        try {
          await dispatch(row)
        } catch (error) {
          if (!(error instanceof z.ZodError)) {
            log.warn({ outboxId: row.id, err: error }, 'could not relay; will try again')
            continue
          }
          // Nobody can ever read this row: it must not stand in the way for ever.
          log.error({ outboxId: row.id, err: error }, 'dropped an outbox row that makes no sense')
        }
        // Not locked while it is dispatched: two relays that meet do the same harmless thing.
        await db
          .update(outbox)
          .set({ dispatchedAt: sql`now()` })
          .where(eq(outbox.id, row.id))
        moved++
      }
      return moved
    },

    /**
     * Puts unfinished jobs back into a queue that has lost them: Redis was emptied, or a
     * transcoder died at the wrong moment.
     *
     * @returns how many were put back
     */
    async reconcile(): Promise<number> {
      const stranded = await db
        .select({ id: jobs.id, kind: jobs.kind, trackId: jobs.trackId, status: jobs.status })
        .from(jobs)
        .where(
          or(
            and(
              eq(jobs.status, 'queued'),
              sql`coalesce(${jobs.queuedAt}, ${jobs.createdAt}) < now() - interval '5 seconds'`,
            ),
            and(
              eq(jobs.status, 'processing'),
              sql`coalesce(${jobs.seenAt}, ${jobs.createdAt}) < now() - make_interval(secs => ${DEAD_AFTER_S})`,
            ),
            and(eq(jobs.status, 'failed'), eq(jobs.errorCode, 'disk-full')),
          ),
        )
        .orderBy(asc(jobs.createdAt))
        .limit(500)
      let put = 0
      for (const row of stranded) {
        const state = await queue.state(row.id)
        if (state === 'pending' || state === 'active') continue
        await queue.ensure({ v: 1, jobId: row.id, trackId: row.trackId }, row.kind)
        log.info({ jobId: row.id, was: row.status }, 'put a stranded job back into the queue')
        put++
      }
      return put
    },
  }
}
