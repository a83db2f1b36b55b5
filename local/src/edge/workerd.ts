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
  /** Everybody comes from 127.0.0.1 here, so limits by address are that much more generous. */
  rateLimitFactor: number
  /** Whether the Worker's schedules run: they clean up in the database and the store. */
  runsSchedules: boolean
}

const API = 'mist-api'
const WEB = 'mist-web'

/**
 * Runs the deployable bundles of the Worker and of the web app in one workerd, bound to one another
 * as in production. Each listens on a socket of its own, straight into its Worker: the development
 * front of `wrangler dev` costs some 2 ms a request.
 */
export async function startEdge(options: EdgeOptions) {
  const { bundles, apiPort, webPort, apiEnv, rateLimitFactor, runsSchedules } = options
  const api = readBuiltWorker(bundles.api)
  const web = readBuiltWorker(bundles.web)
  const host = '127.0.0.1'
  const edge = new Miniflare(
    convertV4MiniflareOptions({
      host,
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      workers: [
        {
          name: WEB,
          modules: modulesIn(bundles.web),
          modulesRoot: bundles.web,
          compatibilityDate: web.compatibilityDate,
          compatibilityFlags: web.compatibilityFlags,
          bindings: web.vars,
          serviceBindings: { API },
          assets: {
            directory: join(bundles.web, 'client'),
            binding: 'ASSETS',
            routerConfig: { has_user_worker: true },
          },
          unsafeDirectSockets: [{ host, port: webPort }],
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
          unsafeDirectSockets: [{ host, port: apiPort }],
        },
      ],
    }),
  )
  await edge.ready

  // Locally nobody but us fires the cron triggers; every five minutes is what wrangler.toml asks.
  const worker = await edge.getWorker(API)
  const timer = setInterval(() => {
    for (const cron of runsSchedules ? api.crons : [])
      worker.scheduled({ cron, scheduledTime: new Date() }).catch((error: unknown) => {
        console.error('a scheduled run failed', error)
      })
  }, 300_000)

  return {
    /** Ends both Workers. */
    async stop(): Promise<void> {
      clearInterval(timer)
      await edge.dispose()
    },
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
