import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { provideTree, TREE_DIR, whyNoRealPostgres } from '../postgres/real-postgres.ts'
import {
  CHROMIUM,
  findProgram,
  FFMPEG,
  FFPROBE,
  MPV,
  provideSystemPackages,
  REDIS,
} from '../setup/system-packages.ts'
import { startStack } from '../stack/stack.ts'
import { add, readCount, runChecks, runInherited, runVitest, type Count } from './check.ts'
import { down } from './stack.ts'

const PlaywrightReport = z.object({
  stats: z.object({ expected: z.number(), unexpected: z.number(), flaky: z.number() }),
})

/** Runs `npm test`: all checks, and the journeys in a browser on a fresh stack of their own. */
export async function test(options: {
  root: string
  say: (text: string) => void
}): Promise<number> {
  const { root, say } = options
  provideSystemPackages([FFMPEG, FFPROBE, REDIS, MPV, CHROMIUM], say)
  const reason = whyNoRealPostgres()
  // Made beside the checks: it is a minute of downloading and unpacking, on the first run.
  const tree = reason === null ? provideTree(join(root, TREE_DIR), say) : Promise.resolve()
  tree.catch(() => {}) // awaited below; a failure must not count as unhandled until then
  const total = await runChecks(options)

  if (reason === null) {
    await tree
    say('tests of concurrency, on a real Postgres 17')
    add(total, await runVitest(root, ['--root', 'e2e/meter']))
  } else say(`left out: tests of concurrency, because ${reason}`)

  add(total, await runJourneys(options))
  console.log(`${total.passed} passed, ${total.failed} failed`)
  return total.failed === 0 ? 0 : 1
}

async function runJourneys({
  root,
  say,
}: {
  root: string
  say: (text: string) => void
}): Promise<Count> {
  const dir = join(root, '.local/test')
  await down(dir)
  rmSync(dir, { recursive: true, force: true })
  say('starting a stack for the journeys in a browser')
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
  // Nothing of a real account: only what every program needs.
  const { PATH, HOME, LANG, FFMPEG_PATH, FFPROBE_PATH } = process.env
  const env = { PATH, HOME, LANG, FFMPEG_PATH, FFPROBE_PATH }
  const stack = await startStack({ root, dir, env, say, signal: stopping.signal })
  const reportDir = mkdtempSync(join(tmpdir(), 'mist-playwright-'))
  const report = join(reportDir, 'report.json')
  try {
    const args = ['test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json']
    const chromium = CHROMIUM.programs.map(findProgram).find((path) => path !== null)
    const code = await runInherited(root, 'playwright', args, {
      ...process.env,
      STACK_DIR: dir,
      CHROME_PATH: process.env['CHROME_PATH'] ?? chromium ?? '/usr/bin/chromium',
      PLAYWRIGHT_JSON_OUTPUT_NAME: report,
    })
    return readCount(report, existsSync(report) ? code : 1, (json) => {
      const { expected, unexpected, flaky } = PlaywrightReport.parse(json).stats
      return { passed: expected + flaky, failed: unexpected }
    })
  } finally {
    await stack.stop()
    rmSync(reportDir, { recursive: true, force: true })
  }
}
