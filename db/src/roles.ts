import { and, eq, ne, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { users } from './schema/accounts.ts'
import type * as schema from './schema/index.ts'

/** What a user may do. */
export type Role = (typeof users.$inferSelect)['role']

/** What {@link setRole} found. */
export type RoleChange =
  | { kind: 'changed' | 'unchanged'; email: string; username: string; admins: number }
  | { kind: 'no-such-user' }

/**
 * Gives the user of an e-mail address, in whatever case, a role. It counts from their next request,
 * and saying it twice is saying it once.
 */
export async function setRole(
  db: PgDatabase<PgQueryResultHKT, typeof schema>,
  { email, role }: { email: string; role: Role },
): Promise<RoleChange> {
  const isTheirs = eq(sql`lower(${users.email})`, email.trim().toLowerCase())
  const changed = await db
    .update(users)
    .set({ role })
    .where(and(isTheirs, ne(users.role, role)))
    .returning({ id: users.id })
  const [user] = await db
    .select({ email: users.email, username: users.username })
    .from(users)
    .where(isTheirs)
  if (user === undefined) return { kind: 'no-such-user' }
  const admins = await db.$count(users, eq(users.role, 'admin'))
  return { kind: changed.length > 0 ? 'changed' : 'unchanged', ...user, admins }
}
