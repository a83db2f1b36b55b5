import { sql } from 'drizzle-orm'
import { bigserial, check, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { AuditAction, AuditTarget } from '../contract/audit.ts'
import type { UserId } from '../contract/ids.ts'
import { instant, oneOf } from './columns.ts'

/**
 * Who changed what: one row for each thing that an admin or a person at the command line did, written by the
 * statement or in the transaction that does it (`audit` in db/src/statements), and never for what was refused.
 * Rows are not changed and not deleted; an account that is gone is still named by its id.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: instant('at')
      .notNull()
      .default(sql`now()`),
    /** The admin who asked the API; null: somebody at the command line. */
    actorId: uuid('actor_id').$type<UserId>(),
    /** The command that was run, where it was one: `npm run make-admin`. */
    command: text('command'),
    action: oneOf('action', AuditAction).notNull(),
    targetType: oneOf('target_type', AuditTarget).notNull(),
    /** Null where it is not about one thing. */
    targetId: text('target_id'),
    /** What was asked for, or how much it was; nothing secret. */
    details: jsonb('details')
      .notNull()
      .default(sql`'{}'`),
    /** By which the Worker's log knows the request. */
    requestId: text('request_id'),
  },
  (t) => [
    index('audit_log_at_idx').on(t.at.desc(), t.id.desc()),
    index('audit_log_actor_idx').on(t.actorId, t.at.desc()),
    index('audit_log_target_idx').on(t.targetType, t.targetId),
    check('audit_log_actor_check', sql`(${t.actorId} is null) <> (${t.command} is null)`),
  ],
)
