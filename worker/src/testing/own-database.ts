import { env } from 'cloudflare:workers'
import { afterAll } from 'vitest'
import { z } from 'zod'

const { TEST_DATABASES } = z.object({ TEST_DATABASES: z.url() }).parse(env)
const Opened = z.object({ id: z.uuid(), DATABASE_URL: z.string(), NEON_PROXY_URL: z.url() })

const opened = await fetch(TEST_DATABASES, { method: 'POST' })
const { id, ...variables } = Opened.parse(await opened.json())

/** The Worker's environment, with a migrated database that this test file has to itself. */
export const ownEnv = { ...env, ...variables }

afterAll(async () => {
  await fetch(`${TEST_DATABASES}/${id}`, { method: 'DELETE' })
})
