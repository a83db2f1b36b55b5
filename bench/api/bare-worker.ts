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
  .get('/write/:user', async (c) => {
    neonConfig.fetchEndpoint = `${c.env.NEON_PROXY_URL}/sql`
    const rows = await neon(c.env.DATABASE_URL).query('select least_write($1) as answer', [
      c.req.param('user'),
    ])
    return c.json(rows)
  })
  .get('/lease/:session/:user/:track/:period', async (c) => {
    neonConfig.fetchEndpoint = `${c.env.NEON_PROXY_URL}/sql`
    const { session, user, track, period } = c.req.param()
    const rows = await neon(c.env.DATABASE_URL).query(
      'select lease_key_periods($1, $2, $3, 1, $4, 1, $5) as answer',
      [session, user, track, period, new Date().toISOString()],
    )
    return c.json(rows)
  })
