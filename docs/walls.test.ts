import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import config from '../.dependency-cruiser.mjs'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** For each rule: the folder of a file that breaks it, and the file's text. */
const SEEDS: Record<string, [folder: string, text: string]> = {
  'no-cycles': ['db/src', "import './seeded-no-cycles-back.ts'"],
  'no-cycles-back': ['db/src', "import './seeded-no-cycles.ts'"],
  'db-imports-nobody': ['db/src', "import '../../worker/src/app.ts'"],
  'contract-is-pure': ['db/src/contract', "import 'drizzle-orm'"],
  'web-sees-only-the-client': ['web/app/lib', "import '../../../worker/src/app.ts'"],
  'worker-and-transcoder-meet-in-db': ['transcoder/src', "import '../../worker/src/problem.ts'"],
  'routes-speak-http': ['worker/src/routes', "import 'drizzle-orm'"],
  'services-speak-music': ['worker/src/services', "import 'hono'"],
  'only-deps-constructs': [
    'worker/src/middleware',
    "import { makeClock } from '../platform/clock.ts'\nmakeClock()",
  ],
  'platform-knows-nobody-above': ['transcoder/src/platform', "import '../relay.ts'"],
  'one-importer-of-fluent-ffmpeg': ['transcoder/src/jobs', "import 'fluent-ffmpeg'"],
  'one-importer-of-hls-js': ['web/app/lib', "import 'hls.js'"],
  'one-importer-of-meyda': ['transcoder/src/jobs', "import 'meyda'"],
}
const RULES: string[] = config.forbidden.map(({ name }: { name: string }) => name)

const pathOf = (seed: string) => `${SEEDS[seed]?.[0]}/seeded-${seed}.ts`
let violations: { from: string; rule: { name: string } }[] = []

// One run for all seeds: reading the repository is what takes its time.
beforeAll(async () => {
  for (const [seed, [, text]] of Object.entries(SEEDS))
    await writeFile(`${ROOT}/${pathOf(seed)}`, `${text}\n`)
  const { stdout } = await run(
    process.execPath,
    [
      'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
      '--config',
      '.dependency-cruiser.mjs',
      '--output-type',
      'json',
      ...Object.keys(SEEDS).map(pathOf),
    ],
    { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: { stdout: string }) => error)
  violations = JSON.parse(stdout).summary.violations
}, 120_000)

afterAll(async () => {
  for (const seed of Object.keys(SEEDS)) await rm(`${ROOT}/${pathOf(seed)}`, { force: true })
})

test.each(RULES)('the wall %s stands', (rule) => {
  const broken = violations.filter(({ from }) => from.includes(`/seeded-${rule}`))
  expect(broken.map((violation) => violation.rule.name)).toContain(rule)
})
