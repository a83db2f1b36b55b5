import { asc } from 'drizzle-orm'
import { auditLog } from '../schema/index.ts'
import type { AnyDatabase } from './factories.ts'

/** The audit log, oldest first, without its numbers and times; what is null is left out. */
export async function readAudit(db: AnyDatabase): Promise<Record<string, unknown>[]> {
  const rows = await db.select().from(auditLog).orderBy(asc(auditLog.id))
  return rows.map(
    ({ actorId, command, action, targetType: target, targetId, details, requestId }) =>
      Object.fromEntries(
        Object.entries({ actorId, command, action, target, targetId, details, requestId }).filter(
          ([, value]) => value !== null,
        ),
      ),
  )
}
