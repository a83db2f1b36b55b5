import { neon, neonConfig } from '@neondatabase/serverless'
import { Hono } from 'hono'

type Env = { Bindings: { DATABASE_URL: string; NEON_PROXY_URL: string } }

/**
 * The baseline: what Hono, workerd and one trivial statement over Neon's HTTP cost with nothing of
 * ours in between.
 */
export default new Hono<Env>()
  .get('/hello', (c) => c.text('hello'))
  .get('/statement', async (c) => {
    neonConfig.fetchEndpoint = `${c.env.NEON_PROXY_URL}/sql`
    const rows = await neon(c.env.DATABASE_URL)`select 1 as one`
    return c.json(rows)
  })
