import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSettings } from '../local/src/stack/settings.ts'
import { VARIABLES as OF_THE_TRANSCODER } from '../transcoder/src/env.ts'
import { VARIABLES as OF_THE_WORKER } from '../worker/src/env.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** What programs other than ours set or define, and what our parts hand one another. */
const NOT_OURS = ['PATH', 'HOME', 'LANG', 'NODE_OPTIONS', 'INIT_CWD', 'MIST_EDGE', 'SSR', 'API']
/** Switches for who looks for a fault in a test or a benchmark. */
const SWITCHES = ['MIST_TEST_VERBOSE', 'BENCH_VERBOSE']

const EXAMPLE = [...read('.env.example').matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name)

/** Names of variables that sources read where no schema does: `env['NAME']`, `given('NAME')`. */
function namesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(
      (path) =>
        /\.(ts|tsx|mjs)$/.test(path) && !/\.test\.|node_modules|build\/|\.types\//.test(path),
    )
    .flatMap((path) => {
      const text = read(join(folder, path))
      const single = text.matchAll(
        /\b(?:env\??\.?\[|given\()'([A-Z][A-Z0-9_]*)'|\benv\.([A-Z][A-Z0-9_]*)\b/g,
      )
      const several = text.matchAll(/\{([^{}]*)\} = process\.env\b/g)
      return [
        ...[...single].map(([, a, b]) => a ?? b ?? ''),
        ...[...several].flatMap(([, names = '']) => names.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []),
      ]
    })
}

const FOLDERS = ['db/src', 'transcoder/src', 'worker/src', 'web/app', 'local', 'e2e', 'bench']
const COMPOSE = [...read('docker-compose.transcoder.yml').matchAll(/\$\{([A-Z0-9_]+)/g)]
const READ = new Set([
  ...OF_THE_WORKER,
  ...OF_THE_TRANSCODER,
  ...COMPOSE.map(([, name]) => name),
  ...FOLDERS.flatMap(namesIn),
])
for (const name of [...NOT_OURS, ...SWITCHES]) READ.delete(name)
/** What the stack starts its own parts with: Neon's proxy, Postgres, S3. */
const OF_PARTS =
  /^(NEON_PROXY_(UPSTREAM|PORT|CONNECTIONS)|EMBEDDED_POSTGRES_PASSWORD|S3_(BUCKETS|DIR|PORT|ALLOWED_ORIGINS))$/
for (const name of READ) if (OF_PARTS.test(name)) READ.delete(name)

test('every variable that the code reads is in .env.example', () => {
  expect([...READ].filter((name) => !EXAMPLE.includes(name))).toEqual([])
})

test('every variable in .env.example is read by something', () => {
  expect(EXAMPLE.filter((name) => !READ.has(name))).toEqual([])
  expect(EXAMPLE.length).toBeGreaterThan(40)
})

test('no variable is in .env.example twice', () => {
  expect(EXAMPLE.filter((name, index) => EXAMPLE.indexOf(name) !== index)).toEqual([])
})

/** What a local stack decides by itself: its own addresses and folders. */
const DECIDED_BY_THE_STACK = [
  'METRICS_HOST',
  'METRICS_PORT',
  'WORK_DIR',
  'NEON_PROXY_URL',
  'WEB_ORIGINS',
]

test('what .env sets reaches the Worker and the transcoder of a local stack', () => {
  const secrets = {
    jwtSecret: 'a',
    contentKeySecret: 'b',
    s3AccessKeyId: 'c',
    s3SecretAccessKey: 'd',
  }
  const env = Object.fromEntries(
    [...OF_THE_WORKER, ...OF_THE_TRANSCODER].map((name) => [name, `value-of-${name}`]),
  )
  const settings = readSettings(
    {
      ...env,
      DATABASE_URL: 'postgres://value-of-DATABASE_URL',
      S3_ENDPOINT: 'value-of-S3_ENDPOINT',
    },
    { secrets } as never,
  )
  const reached = JSON.stringify(settings)
  const lost = Object.keys(env).filter((name) => !reached.includes(`value-of-${name}`))
  expect(lost.filter((name) => !DECIDED_BY_THE_STACK.includes(name))).toEqual([])
})
// The local stack writes the whole .dev.vars; by hand, it is this file filled in.
test('.dev.vars.example has what the Worker cannot do without, and nothing that it does not read', () => {
  const names = [...read('.dev.vars.example').matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(
    ([, name]) => name,
  )
  expect(names.filter((name) => !OF_THE_WORKER.includes(name ?? ''))).toEqual([])
  expect(names).toEqual(
    expect.arrayContaining(['DATABASE_URL', 'JWT_SECRET', 'CONTENT_KEY_SECRET']),
  )
})
