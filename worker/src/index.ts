import { makeApp } from './app.ts'
import { makeDeps } from './deps.ts'
import { BadEnv, readEnv } from './env.ts'
import { housekeeping } from './schedules/housekeeping.ts'
import { refreshPlans } from './schedules/refresh-plans.ts'

/** The one of the two schedules in wrangler.toml that runs every minute. */
const EVERY_MINUTE = '* * * * *'

type Built = { deps: ReturnType<typeof makeDeps>; app: ReturnType<typeof makeApp> }

// Built once per isolate. Nothing in it belongs to a request: the database is asked over HTTP.
let built: Built | undefined

function build(env: unknown): Built {
  if (built) return built
  const deps = makeDeps(readEnv(env))
  return (built = { deps, app: makeApp(deps) })
}

function refuse(error: unknown): Response {
  if (!(error instanceof BadEnv)) throw error
  // oxlint-disable-next-line no-console -- there is no log yet
  console.error(error.message)
  return Response.json(
    { title: 'The Worker is not configured', status: 500, detail: error.message },
    { status: 500, headers: { 'content-type': 'application/problem+json' } },
  )
}

export default {
  async fetch(request, env, context) {
    try {
      return await build(env).app.fetch(request, env, context)
    } catch (error) {
      return refuse(error)
    }
  },
  async scheduled({ cron }, env) {
    const { deps } = build(env)
    await (cron === EVERY_MINUTE ? refreshPlans(deps) : housekeeping(deps))
  },
} satisfies ExportedHandler
