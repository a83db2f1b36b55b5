import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { startRealPostgres } from '../postgres/real-postgres.ts'
import { identify, isAlive } from '../process/identity.ts'
import { terminateStray } from '../process/terminate.ts'

const Running = z.object({ url: z.string(), pid: z.number(), startedAt: z.string() })

/** Runs `npm run postgres17 -- up | down`: a real Postgres 17 with pgvector. Answers the exit code. */
export async function postgres17(options: {
  root: string
  args: string[]
  say: (text: string) => void
}): Promise<number> {
  const { root, args, say } = options
  const dir = join(root, '.local/postgres17')
  const file = join(dir, 'running.json')
  const running = existsSync(file) ? Running.parse(JSON.parse(readFileSync(file, 'utf8'))) : null
  const isUp = running !== null && isAlive(running)

  switch (args[0]) {
    case 'up': {
      if (isUp) say(running.url)
      if (isUp) return 0
      rmSync(file, { force: true })
      mkdirSync(dir, { recursive: true })
      const log = openSync(join(dir, 'postgres17.log'), 'a')
      const supervisor = spawn(
        process.execPath,
        [join(root, 'local/src/cli/main.ts'), 'postgres17', 'keep'],
        { cwd: root, detached: true, stdio: ['ignore', log, log] },
      )
      closeSync(log)
      supervisor.unref()
      say('starting PostgreSQL 17 (the first time, its system tree is made in about a minute)')
      while (supervisor.exitCode === null && !existsSync(file)) await sleep(200)
      if (!existsSync(file)) {
        say(`it did not start:\n${readFileSync(join(dir, 'postgres17.log'), 'utf8').slice(-2_000)}`)
        return 1
      }
      say(Running.parse(JSON.parse(readFileSync(file, 'utf8'))).url)
      return 0
    }
    case 'down':
      if (isUp) await terminateStray(running, 30_000)
      say(isUp ? 'stopped' : 'it was not up')
      return 0
    case 'keep': {
      const postgres = await startRealPostgres({ dir, cluster: 'kept', say })
      writeFileSync(file, JSON.stringify({ url: postgres.url, ...identify(process.pid) }))
      await new Promise((resolve) => {
        process.once('SIGTERM', resolve)
        process.once('SIGINT', resolve)
      })
      rmSync(file, { force: true })
      await postgres.stop()
      return 0
    }
    default:
      say('usage: npm run postgres17 -- up | down')
      return 2
  }
}
