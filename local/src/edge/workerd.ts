import { readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4ModuleDefinition,
} from 'miniflare'
import { readBuiltWorker } from './built-worker.ts'
import type { EdgeBundles } from './build.ts'

/** What {@link startEdge} needs. */
export type EdgeOptions = {
  bundles: EdgeBundles
  apiPort: number
  webPort: number
  /** The Worker's variables and secrets. */
  apiEnv: Record<string, string>
  /** The web app's variables. */
  webEnv: Record<string, string>
  /** Everybody comes from 127.0.0.1 here, so limits by address are that much more generous. */
  rateLimitFactor: number
  /** Whether the Worker's schedules run: they clean up in the database and the store. */
  runsSchedules: boolean
}

const API = 'mist-api'
const WEB = 'mist-web'
const HOST = '127.0.0.1'

/**
 * Runs the deployable bundles of the Worker and of the web app in one workerd, bound to one another
 * as in production. Each listens on a socket of its own, straight into its Worker (behind a door that
 * checks the Host header): the development front of `wrangler dev` costs some 2 ms a request.
 */
export async function startEdge(options: EdgeOptions) {
  const { bundles, apiPort, webPort, apiEnv, webEnv, rateLimitFactor, runsSchedules } = options
  const api = readBuiltWorker(bundles.api)
  const web = readBuiltWorker(bundles.web)
  const edge = new Miniflare(
    convertV4MiniflareOptions({
      host: HOST,
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      workers: [
        // The first answers at Miniflare's own port, too, where its door refuses everybody.
        makeDoor(WEB, webPort),
        makeDoor(API, apiPort),
        {
          name: WEB,
          modules: modulesIn(bundles.web),
          modulesRoot: bundles.web,
          compatibilityDate: web.compatibilityDate,
          compatibilityFlags: web.compatibilityFlags,
          bindings: { ...web.vars, ...webEnv },
          serviceBindings: { API },
          assets: {
            directory: join(bundles.web, 'client'),
            binding: 'ASSETS',
            routerConfig: { has_user_worker: true },
          },
        },
        {
          name: API,
          modules: modulesIn(bundles.api),
          modulesRoot: bundles.api,
          compatibilityDate: api.compatibilityDate,
          compatibilityFlags: api.compatibilityFlags,
          bindings: { ...api.vars, ...apiEnv },
          ratelimits: Object.fromEntries(
            api.ratelimits.map(({ name, namespaceId, limit, periodS }) => [
              name,
              {
                namespace_id: namespaceId,
                simple: { limit: limit * rateLimitFactor, period: periodS },
              },
            ]),
          ),
        },
      ],
    }),
  )
  const { port: ownPort } = await edge.ready

  // Locally no edge fires the cron triggers, so we do, each every five minutes; the transcoder sees to
  // what is due sooner.
  const worker = await edge.getWorker(API)
  const timer = setInterval(() => {
    for (const cron of runsSchedules ? api.crons : [])
      worker.scheduled({ cron, scheduledTime: new Date() }).catch((error: unknown) => {
        console.error('a scheduled run failed', error)
      })
  }, 300_000)

  return {
    /** Where Miniflare itself listens, for tests of what answers there. */
    ownPort: Number(ownPort),
    /** Ends both Workers. */
    async stop(): Promise<void> {
      clearInterval(timer)
      await edge.dispose()
    },
  }
}

const LOOPBACK = join(import.meta.dirname, '../loopback')

/** Makes the Worker that stands before another, on its port, and lets in requests that know the port's name. */
function makeDoor(name: string, port: number) {
  const file = (path: string) => ({ type: 'ESModule' as const, path: join(LOOPBACK, path) })
  return {
    name: `${name}-door`,
    modules: [file('door-worker.js'), file('refusal.js')],
    modulesRoot: LOOPBACK,
    compatibilityDate: '2026-11-01',
    bindings: { PORT: port },
    serviceBindings: { NEXT: name },
    unsafeDirectSockets: [{ host: HOST, port }],
  }
}

const MODULE_TYPES: Record<string, V4ModuleDefinition['type']> = {
  '.js': 'ESModule',
  '.mjs': 'ESModule',
  '.wasm': 'CompiledWasm',
  '.txt': 'Text',
  '.html': 'Text',
  '.sql': 'Text',
  '.bin': 'Data',
}

/** Lists the modules of a bundle; the entry comes first. */
function modulesIn(dir: string): V4ModuleDefinition[] {
  return readdirSync(dir)
    .toSorted((a, b) => Number(b === 'index.js') - Number(a === 'index.js'))
    .flatMap((name) => {
      const type = MODULE_TYPES[extname(name)]
      return type === undefined ? [] : [{ type, path: join(dir, name) }]
    })
}
