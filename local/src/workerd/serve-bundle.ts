import { execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findFreePort } from '../process/ports.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const WORKERD = join(ROOT, 'node_modules/workerd/bin/workerd')
const run = promisify(execFile)
const CACHE_WORKER = fileURLToPath(new URL('cache-worker.js', import.meta.url))

const text = (value: string) => JSON.stringify(value)

/** Builds the Worker as `wrangler deploy` would; answers with the path of the bundle. */
export async function bundleWorker(outdir: string, config = 'wrangler.toml'): Promise<string> {
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  await run(
    process.execPath,
    [wrangler, 'deploy', '--dry-run', '--minify', '--outdir', outdir, '--config', config],
    {
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_TELEMETRY_DISABLED: '1' },
    },
  )
  return join(outdir, 'index.js')
}

/**
 * Serves a bundle as production would run it: plain workerd, none of wrangler's proxies in front.
 * Outbound requests may reach loopback; caches.default is a Map in a neighbouring worker.
 *
 * @param bundle the ES module that `wrangler deploy --dry-run --outdir` writes
 */
export async function serveBundle(bundle: string, vars: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'mist-workerd-'))
  const port = await findFreePort()
  await cp(bundle, join(folder, basename(bundle)))
  await cp(CACHE_WORKER, join(folder, 'cache-worker.js'))
  const bindings = Object.entries(vars)
    .map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`)
    .join(',\n        ')
  await writeFile(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed ${text(basename(bundle))})],
      compatibilityDate = "2026-11-01",
      bindings = [
        ${bindings}
      ],
      globalOutbound = "outbound",
      cacheApiOutbound = "cache",
    )),
    (name = "cache", worker = (
      modules = [(name = "cache", esModule = embed "cache-worker.js")],
      compatibilityDate = "2026-11-01",
    )),
    (name = "outbound", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`,
  )
  const child = spawn(WORKERD, ['serve', join(folder, 'config.capnp')], {
    stdio: ['ignore', process.env['BENCH_VERBOSE'] ? 'inherit' : 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; ; attempt++) {
    try {
      await (await fetch(`${url}/`)).arrayBuffer()
      break
    } catch (error) {
      if (attempt > 100 || child.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return {
    url,
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
