import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CannotStart } from '../cannot-start.ts'
import { CannotInstall } from '../setup/system-packages.ts'
import { check } from './check.ts'
import { devApi, devWeb } from './dev.ts'
import { makeAdmin } from './make-admin.ts'
import { postgres17 } from './postgres17.ts'
import { start } from './start.ts'
import { stackCommand } from './stack.ts'
import { test } from './test.ts'

const root = resolve(import.meta.dirname, '../../..')
const [command, ...args] = process.argv.slice(2)

const dir = resolve(root, process.env['STACK_DIR'] || '.local')
const say = (text: string) => console.log(`mist: ${text}`)

// Tests must not run against the account that a person has written into .env.
const dotEnv = join(root, '.env')
if (command !== 'test' && command !== 'check' && existsSync(dotEnv)) process.loadEnvFile(dotEnv)

const commands: Record<string, () => Promise<number>> = {
  start: () => start({ root, dir, say, args }),
  stack: () => stackCommand({ root, dir, say, args }),
  test: () => test({ root, say }),
  check: () => check({ root, say }),
  postgres17: () => postgres17({ root, args, say }),
  'dev:api': () => devApi({ root, dir, args, env: process.env, say }),
  'dev:web': () => devWeb({ root, dir, args, env: process.env, say }),
  'make-admin': () => makeAdmin({ dir, args, env: process.env, say }),
}

// Whoever read our output may be gone; that is no reason to leave processes behind.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

const run = commands[command ?? '']
if (run === undefined) {
  say(`usage: ${Object.keys(commands).join(' | ')}`)
  process.exit(2)
}
try {
  process.exit(await run())
} catch (error) {
  // A sentence for what a person can act on, and the whole story for what is our fault.
  if (error instanceof CannotInstall || error instanceof CannotStart) say(error.message)
  else if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    say(`there is no room left where ${dir} is: make some, and start again (${error.message})`)
  else console.error(error)
  process.exit(1)
}
