import pg from 'pg'
import type { Api } from './api.ts'
import type { Login } from './state.ts'

/**
 * Makes sure that the two people who can log in from the start exist: through the API as anybody
 * would, and then the admin's role in the database, which no API gives away.
 */
export async function ensureAccounts(
  api: Api,
  databaseUrl: string,
  { admin, listener }: { admin: Login; listener: Login },
): Promise<void> {
  for (const login of [admin, listener])
    if ((await api.login(login)) === null) await api.register(login)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(
      "update users set role = 'admin', plan = 'premium' where email = $1 and role <> 'admin'",
      [admin.email],
    )
  } finally {
    await client.end()
  }
}
