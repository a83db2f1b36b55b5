import { sql, type SQL } from 'drizzle-orm'
import type { RemakeKind } from '../contract/jobs.ts'
import { type Actor, audit } from './audit.ts'

/** What can be done to the remaking of a catalogue; each is written down. */
export type RemakeChange = 'start' | 'pause' | 'resume' | 'stop'

/** The change of a row of `remakes`, written down where it happened; answers with a row where it did. */
function changed(change: RemakeChange, kind: RemakeKind, by: Actor, statement: SQL): SQL {
  const entry = {
    action: `remake.${change}`,
    target: 'installation',
    details: { kind },
  } as const
  return sql`
    with changed as (${statement} returning kind), audited as (${audit(by, entry, sql`changed`)})
    select kind from changed`
}

/**
 * Starts to make the catalogue anew; where that is under way, or paused, nothing changes. Answers with a
 * row where it began.
 */
export function startRemake(kind: RemakeKind, by: Actor): SQL {
  return changed(
    'start',
    kind,
    by,
    sql`insert into remakes (kind) values (${kind})
        on conflict (kind) do update
          set started_at = now(), paused_at = null, ended_at = null, after_track_id = null
          where remakes.ended_at is not null`,
  )
}

/** Lets nothing more begin; a row where it was under way. */
export function pauseRemake(kind: RemakeKind, by: Actor): SQL {
  return changed(
    'pause',
    kind,
    by,
    sql`update remakes set paused_at = now()
        where kind = ${kind} and ended_at is null and paused_at is null`,
  )
}

/** Goes on after a pause; a row where there was one. */
export function resumeRemake(kind: RemakeKind, by: Actor): SQL {
  return changed(
    'resume',
    kind,
    by,
    sql`update remakes set paused_at = null
        where kind = ${kind} and ended_at is null and paused_at is not null`,
  )
}

/** Gives up on one that has not ended; what is made stays. A row where there was one. */
export function stopRemake(kind: RemakeKind, by: Actor): SQL {
  return changed(
    'stop',
    kind,
    by,
    sql`delete from remakes where kind = ${kind} and ended_at is null`,
  )
}
