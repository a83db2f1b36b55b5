import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Queue } from 'bullmq'
import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { secureHeaders } from 'hono/secure-headers'
import type { Metrics } from './metrics.ts'
import { refuseOtherOrigins } from './same-origin.ts'

const DASHBOARD = '/queues'

/**
 * Serves what operators look at: `/healthz`, `/metrics` and, where a password is set, the queue
 * dashboard at `/queues` behind it. Pages of other origins are refused.
 *
 * @param port 0 lets the system choose
 */
export async function serveOps(options: {
  port: number
  host: string
  dashboardPassword: string | null
  metrics: Metrics
  queue: Queue
  isHealthy: () => boolean
}) {
  const { port, host, dashboardPassword, metrics, queue, isHealthy } = options
  const app = new Hono()
    .use(refuseOtherOrigins(host))
    .get('/healthz', (c) => {
      const ok = isHealthy()
      return c.json({ ok }, ok ? 200 : 503)
    })
    .get('/metrics', async (c) =>
      c.text(await metrics.text(), 200, { 'content-type': metrics.contentType }),
    )
  if (dashboardPassword !== null) {
    const adapter = new HonoAdapter(serveStatic)
    adapter.setBasePath(DASHBOARD)
    createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter: adapter })
    app.use(
      `${DASHBOARD}/*`,
      secureHeaders(),
      basicAuth({ username: 'admin', password: dashboardPassword }),
    )
    app.route(DASHBOARD, adapter.registerPlugin())
  }
  const server = serve({ fetch: app.fetch, port, hostname: host })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}
