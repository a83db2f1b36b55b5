import { execFile } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { z } from 'zod'
import { LockedError, takeLock } from '../process/folder-lock.ts'
import type { BuiltWorker } from './built-worker.ts'

const run = promisify(execFile)

/** Old bundles are kept for a while: another stack may still run on them. */
const BUNDLES_KEPT = 4

/** What {@link buildEdge} needs. */
export type BuildOptions = {
  /** The repository. */
  root: string
  /** Where bundles are kept, by the hash of what they were made from. */
  buildDir: string
  env: NodeJS.ProcessEnv
  say: (text: string) => void
}

/** Folders of the bundles: exactly what `wrangler` would deploy. */
export type EdgeBundles = { api: string; web: string }

/** Bundles the Worker and the web app, each only when its sources have changed. */
export async function buildEdge(options: BuildOptions): Promise<EdgeBundles> {
  const { root, buildDir } = options
  await mkdir(buildDir, { recursive: true })
  const shared = ['package-lock.json', 'db/src', 'worker/src', 'local/src/edge/build.ts']
  const apiHash = await hashOf(root, [...shared, 'worker/package.json', 'wrangler.toml'])
  const web = [
    'web/app',
    'web/functions',
    'web/public',
    'web/load-context.ts',
    'web/vite.config.ts',
  ]
  const webHash = await hashOf(root, [...shared, ...web, 'web/package.json', 'web/wrangler.toml'])
  const bundles = { api: join(buildDir, `api-${apiHash}`), web: join(buildDir, `web-${webHash}`) }
  await once(bundles.api, () => buildApi(options, bundles.api))
  await once(bundles.web, () => buildWeb(options, bundles.web))
  await prune(buildDir, 'api-', bundles.api)
  await prune(buildDir, 'web-', bundles.web)
  return bundles
}

async function buildApi({ root, env, say }: BuildOptions, target: string): Promise<void> {
  say('bundling the Worker')
  const out = `${target}.unfinished`
  await rm(out, { recursive: true, force: true })
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', out, '-c', 'wrangler.toml']
  await run(process.execPath, args, { cwd: root, env, maxBuffer: 1e8 })
  await describe(join(root, 'wrangler.toml'), out)
  await rename(out, target)
}

async function buildWeb({ root, env, say }: BuildOptions, target: string): Promise<void> {
  say('building the web app')
  const out = `${target}.unfinished`
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  const web = join(root, 'web')
  // npm decides whether it lies in web/node_modules or above: ask from where web would look.
  const remixPackage = createRequire(join(web, 'package.json')).resolve(
    '@remix-run/dev/package.json',
  )
  const remix = join(dirname(remixPackage), 'dist/cli.js')
  await run(process.execPath, [remix, 'vite:build'], { cwd: web, env, maxBuffer: 1e8 })
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const flags = [
    '--compatibility-flags',
    'nodejs_compat',
    '--build-output-directory',
    'build/client',
  ]
  const args = [wrangler, 'pages', 'functions', 'build', 'functions', '--outdir', out, ...flags]
  await run(process.execPath, args, { cwd: web, env, maxBuffer: 1e8 })
  await describe(join(web, 'wrangler.toml'), out)
  await cp(join(web, 'build/client'), join(out, 'client'), { recursive: true })
  await rename(out, target)
}

/** The part of a wrangler.toml that a local run needs; wrangler fills in what is not written. */
const WranglerConfig = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()).default([]),
  vars: z.record(z.string(), z.coerce.string()).default({}),
  triggers: z.object({ crons: z.array(z.string()).default([]) }).default({ crons: [] }),
  ratelimits: z
    .array(
      z.object({
        name: z.string(),
        namespace_id: z.string(),
        simple: z.object({ limit: z.number(), period: z.union([z.literal(10), z.literal(60)]) }),
      }),
    )
    .default([]),
})

/** Notes beside a bundle what its wrangler.toml says, so that starting needs no wrangler. */
async function describe(configFile: string, out: string): Promise<void> {
  const config = WranglerConfig.parse(
    unstable_readConfig({ config: configFile }, { hideWarnings: true }),
  )
  const worker: BuiltWorker = {
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    vars: config.vars,
    crons: config.triggers.crons,
    ratelimits: config.ratelimits.map(({ name, namespace_id, simple }) => ({
      name,
      namespaceId: namespace_id,
      limit: simple.limit,
      periodS: simple.period,
    })),
  }
  await writeFile(join(out, 'worker.json'), JSON.stringify(worker, null, 2))
}

/** Makes `target` unless it is there; a second process waits for the first. */
async function once(target: string, build: () => Promise<void>): Promise<void> {
  for (;;) {
    if (existsSync(target)) {
      await utimes(target, new Date(), new Date())
      return
    }
    try {
      // One lock for all bundles: the web app's build writes to a folder of its own in the tree.
      const unlock = takeLock(join(target, '../build.lock'))
      try {
        if (!existsSync(target)) await build()
      } finally {
        unlock()
      }
    } catch (error) {
      if (!(error instanceof LockedError)) throw error
      await sleep(250)
    }
  }
}

async function hashOf(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) await addTo(hash, root, path)
  return hash.digest('hex').slice(0, 16)
}

async function addTo(hash: Hash, root: string, path: string): Promise<void> {
  const full = join(root, path)
  const entries = await readdir(full, { withFileTypes: true }).catch(() => null)
  if (entries === null) {
    if (existsSync(full)) hash.update(`${path}\0`).update(await readFile(full))
    return
  }
  for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    if (!name.includes('.test.')) await addTo(hash, root, join(path, name))
}

async function prune(buildDir: string, prefix: string, current: string): Promise<void> {
  const bundles = (await readdir(buildDir))
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(buildDir, name))
    .filter((path) => path !== current)
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  for (const path of bundles.slice(BUNDLES_KEPT - 1))
    await rm(path, { recursive: true, force: true })
}
