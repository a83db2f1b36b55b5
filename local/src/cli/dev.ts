import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { devVarsFile } from '../stack/dev-vars.ts'
import { QUIET_WRANGLER } from '../stack/environment.ts'
import { readStackInfo } from '../stack/info.ts'

/** What {@link devApi} and {@link devWeb} take; `args` go on to wrangler, or to Remix. */
export type DevOptions = {
  root: string
  /** The stack's folder. */
  dir: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  say: (text: string) => void
}

/**
 * Runs `npm run dev:api`: `wrangler dev`, which follows changes of the Worker's sources, against the
 * database and the store of the running stack. Answers the exit code.
 */
export async function devApi({ root, dir, args, env, say }: DevOptions): Promise<number> {
  if (readStackInfo(dir) === null) {
    say('the API needs a database and a store: run `npm start` first, in another terminal')
    return 1
  }
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  return runUntilStopped([wrangler, 'dev', '--env-file', devVarsFile(dir), ...args], root, env)
}

/**
 * Runs `npm run dev:web`: the Remix dev server, which follows changes of the web app's sources, with
 * pages from the API that `npm run dev:api` runs, or from the one that API_ORIGIN names. Answers the
 * exit code.
 */
export async function devWeb({ root, dir, args, env }: DevOptions): Promise<number> {
  const web = join(root, 'web')
  const remix = createRequire(join(web, 'package.json')).resolve('@remix-run/dev/package.json')
  const s3 = readStackInfo(dir)?.s3.endpoint
  return runUntilStopped([join(dirname(remix), 'dist/cli.js'), 'vite:dev', ...args], web, {
    // Pages upload to the stack's store.
    ...(s3 !== undefined && { S3_PUBLIC_ENDPOINT: s3 }),
    ...env,
  })
}

/** Runs a Node program with our terminal as its own, and ends when it ends, on whatever signal. */
function runUntilStopped(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...QUIET_WRANGLER, ...env },
    stdio: 'inherit',
  })
  // Ctrl-C reaches it without us, being in the same group; a signal sent to us alone does not.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 0))
  })
}
