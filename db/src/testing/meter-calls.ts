import { sql } from 'drizzle-orm'
import { newId, SessionId, type FamilyId, type TrackId, type UserId } from '../contract/ids.ts'
import type { AnyDatabase } from './factories.ts'

/** The answer of one of the meter's SQL functions, as the driver gives it. */
export type MeterRow = Record<string, unknown> & { outcome: string }

async function one(db: AnyDatabase, query: ReturnType<typeof sql>): Promise<MeterRow> {
  const result: unknown = await db.execute(query)
  const { rows } = result as { rows: MeterRow[] }
  return rows[0]!
}

/** Calls the meter as the Worker does, one statement each. */
export function makeMeterCalls(db: AnyDatabase) {
  return {
    start: (user: UserId, family: FamilyId, track: TrackId, now: Date, positionS = 0) =>
      one(
        db,
        sql`select * from start_listening_session(${newId(SessionId)}, ${user}, ${family}, ${track}, ${positionS}, ${now.toISOString()})`,
      ),
    lease: (session: unknown, user: UserId, track: TrackId, from: number, now: Date, count = 1) =>
      one(
        db,
        sql`select * from json_to_record(
              lease_key_periods(${session}, ${user}, ${track}, 1, ${from}, ${count}, ${now.toISOString()})
            ) as (outcome text, count integer, charged_ms integer, limit_ms integer, used_ms integer, retry_after_s float8)`,
      ),
    listen: (session: unknown, user: UserId, positionS: number, complete: boolean, now: Date) =>
      one(
        db,
        sql`select * from json_to_record(
              record_position(${session}, ${user}, ${positionS}, ${complete}, ${now.toISOString()})
            ) as (outcome text, heard_s float8, counted boolean, max_bitrate integer, used_ms integer)`,
      ),
  }
}
