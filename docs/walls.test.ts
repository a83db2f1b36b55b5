import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const seeded: string[] = []

afterEach(async () => {
  for (const path of seeded.splice(0)) await rm(`${ROOT}/${path}`, { recursive: true, force: true })
})

/** The names of the rules that a file at `path` with `text` in it breaks. */
async function rulesBrokenBy(files: Record<string, string>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    seeded.push(path)
    await mkdir(`${ROOT}/${path}`.replace(/[/][^/]*$/, ''), { recursive: true })
    await writeFile(`${ROOT}/${path}`, text)
  }
  const { stdout } = await run(
    'npx',
    [
      'depcruise',
      '--config',
      '.dependency-cruiser.mjs',
      '--output-type',
      'json',
      ...Object.keys(files),
    ],
    { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: { stdout: string }) => error)
  const report = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] }
  }
  return report.summary.violations
    .filter(({ from }) => from in files)
    .map(({ rule }) => rule.name)
    .sort()
}

test.each([
  ['db-imports-nobody', 'db/src/seeded-violation.ts', "import '../../worker/src/app.ts'"],
  ['contract-is-pure', 'db/src/contract/seeded-violation.ts', "import 'drizzle-orm'"],
  [
    'web-sees-only-the-client',
    'web/app/lib/seeded-violation.ts',
    "import '../../../worker/src/app.ts'",
  ],
  [
    'worker-and-transcoder-meet-in-db',
    'transcoder/src/seeded-violation.ts',
    "import '../../worker/src/problem.ts'",
  ],
  ['routes-speak-http', 'worker/src/routes/seeded-violation.ts', "import 'drizzle-orm'"],
  ['services-speak-music', 'worker/src/services/seeded-violation.ts', "import 'hono'"],
  [
    'only-deps-constructs',
    'worker/src/middleware/seeded-violation.ts',
    "import { makeClock } from '../platform/clock.ts'\nmakeClock()",
  ],
  [
    'one-importer-of-fluent-ffmpeg',
    'transcoder/src/jobs/seeded-violation.ts',
    "import 'fluent-ffmpeg'",
  ],
  ['one-importer-of-hls-js', 'web/app/lib/seeded-violation.ts', "import 'hls.js'"],
  ['one-importer-of-meyda', 'transcoder/src/jobs/seeded-violation.ts', "import 'meyda'"],
])(
  'the wall %s stands',
  async (rule, path, text) => {
    expect(await rulesBrokenBy({ [path]: text })).toContain(rule)
  },
  60_000,
)

test('the wall no-cycles stands', async () => {
  const broken = await rulesBrokenBy({
    'db/src/seeded-one.ts': "import './seeded-two.ts'",
    'db/src/seeded-two.ts': "import './seeded-one.ts'",
  })
  expect(broken).toContain('no-cycles')
}, 60_000)
