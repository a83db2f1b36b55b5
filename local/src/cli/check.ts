import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { FFMPEG, FFPROBE, provideSystemPackages, REDIS } from '../setup/system-packages.ts'

/** How many checks and tests passed and failed. */
export type Count = { passed: number; failed: number }

/** The npm scripts that look at the code without running it; the longest first, the others beside it. */
const STATIC_CHECKS = ['types', 'lint', 'walls', 'unused', 'format:check']

/** Each takes about one core. */
const CHECKS_AT_ONCE = 2

const VitestReport = z.object({ numPassedTests: z.number(), numFailedTests: z.number() })

/** Runs `npm run check`: everything that needs no running stack. Answers the exit code. */
export async function check(options: {
  root: string
  say: (text: string) => void
}): Promise<number> {
  const { say } = options
  provideSystemPackages([FFMPEG, FFPROBE, REDIS], say)
  const { passed, failed } = await runChecks(options)
  say(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

/** Runs format, lint, walls, unused code, types and unit tests; one failing does not end it. */
export async function runChecks(options: {
  root: string
  say: (text: string) => void
}): Promise<Count> {
  const { root, say } = options
  const total: Count = { passed: 0, failed: 0 }
  const rest = STATIC_CHECKS.values()
  await Promise.all(
    Array.from({ length: CHECKS_AT_ONCE }, async () => {
      for (const script of rest) {
        const { code, output } = await runCaptured(root, 'npm', ['run', '--silent', script])
        process.stdout.write(output)
        say(`check: ${script} ${code === 0 ? 'passed' : 'failed'}`)
        total[code === 0 ? 'passed' : 'failed'] += 1
      }
    }),
  )
  say('check: unit tests')
  add(total, await runVitest(root, []))
  return total
}

/** Runs vitest and counts. A run that breaks down counts as one failure more. */
export async function runVitest(root: string, args: readonly string[]): Promise<Count> {
  const dir = mkdtempSync(join(tmpdir(), 'mist-vitest-'))
  const report = join(dir, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const code = await runInherited(root, 'vitest', ['run', ...reporters, ...args])
    return readCount(report, code, (json) => {
      const { numPassedTests, numFailedTests } = VitestReport.parse(json)
      return { passed: numPassedTests, failed: numFailedTests }
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Reads a reporter's JSON; with a bad exit code there is at least one failure, whatever it says. */
export function readCount(report: string, exitCode: number, read: (json: unknown) => Count): Count {
  let count: Count
  try {
    count = read(JSON.parse(readFileSync(report, 'utf8')))
  } catch {
    count = { passed: 0, failed: 0 }
  }
  if (exitCode !== 0 && count.failed === 0) count.failed = 1
  return count
}

/** Adds one count to another. */
export function add(total: Count, more: Count): void {
  total.passed += more.passed
  total.failed += more.failed
}

/** Runs a program; its exit code, and what it printed. */
function runCaptured(
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs a program with our output as its own. Answers its exit code. */
export function runInherited(
  cwd: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
