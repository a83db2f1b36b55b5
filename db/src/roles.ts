import { eq, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Role } from './contract/plans.ts'
import { users } from './schema/accounts.ts'
import type * as schema from './schema/index.ts'
import { type Actor, audit } from './statements/audit.ts'

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
  { email, role, by }: { email: string; role: Role; by: Actor },
): Promise<RoleChange> {
  const isTheirs = eq(sql`lower(${users.email})`, email.trim().toLowerCase())
  const [user] = await db
    .select({ id: users.id, email: users.email, username: users.username, role: users.role })
    .from(users)
    .where(isTheirs)
  if (user === undefined) return { kind: 'no-such-user' }
  const entry = {
    action: 'user.role',
    target: 'user',
    targetId: user.id,
    details: { role },
  } as const
  await db.execute(sql`
    with changed as (
      update users set role = ${role} where id = ${user.id} and role <> ${role} returning id
    )
    ${audit(by, entry, sql`changed`)}`)
  const admins = await db.$count(users, eq(users.role, 'admin'))
  return {
    kind: user.role === role ? 'unchanged' : 'changed',
    email: user.email,
    username: user.username,
    admins,
  }
}
