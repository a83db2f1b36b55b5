import { sql, type SQL } from 'drizzle-orm'
import type { AuditAction, AuditTarget } from '../contract/audit.ts'
import type { UserId } from '../contract/ids.ts'

/** An admin who asks the API for something that is written down. */
export type AdminActor = { userId: UserId; requestId: string }

/** Who does something that is written down: an admin by the API, or a person by a command. */
export type Actor = AdminActor | { command: string }

/** What is written down. A part that only the statement knows is SQL over its own CTEs. */
export type AuditEntry = {
  action: AuditAction
  target: AuditTarget
  /** Which one; left out where it is not one thing. */
  targetId?: string | SQL
  /** What was asked for, or how much it was; nothing secret. */
  details?: Record<string, unknown> | SQL
}

/**
 * Writes one row of the audit log: a CTE of the statement that makes the change. Nothing is written where
 * nothing was changed.
 *
 * @param changed the CTE that makes the change and returns a row for each that it changed
 * @example sql`with gone as (delete … returning id), audited as (${audit(by, entry, sql`gone`)}) select …`
 */
export function audit(by: Actor, entry: AuditEntry, changed: SQL): SQL {
  const { action, target, targetId = null, details = {} } = entry
  const api = 'userId' in by ? by : null
  const command = 'command' in by ? by.command : null
  return sql`
    insert into audit_log (actor_id, command, action, target_type, target_id, details, request_id)
    select ${api?.userId ?? null}::uuid, ${command}::text, ${action}::text, ${target}::text,
           (${targetId})::text, ${isSql(details) ? details : sql`${JSON.stringify(details)}::jsonb`},
           ${api?.requestId ?? null}::text
    where exists (select from ${changed})`
}

function isSql(value: Record<string, unknown> | SQL): value is SQL {
  return 'getSQL' in value
}
