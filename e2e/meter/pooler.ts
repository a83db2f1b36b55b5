import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '@mist/local/process/ports'
import { findProgram, PGBOUNCER, provideSystemPackages } from '@mist/local/setup/system-packages'
import pg from 'pg'

/**
 * Starts PgBouncer in front of a Postgres, with as few connections to it as `poolSize`.
 *
 * @returns the address of the same database through the pooler
 */
export async function startPooler(
  databaseUrl: string,
  { mode, poolSize }: { mode: 'transaction' | 'statement'; poolSize: number },
) {
  provideSystemPackages([PGBOUNCER], (text) => process.stderr.write(`${text}\n`))
  const program = PGBOUNCER.programs.map(findProgram).find((path) => path !== null)
  if (program === undefined || program === null) throw new Error('pgbouncer is not to be found')
  const folder = await mkdtemp(join(tmpdir(), 'mist-pooler-'))
  // It refuses to be root, and so must be let in.
  await chmod(folder, 0o755)
  const { hostname, port: upstreamPort, pathname } = new URL(databaseUrl)
  const port = await findFreePort()
  const config = join(folder, 'pgbouncer.ini')
  await writeFile(
    config,
    `[databases]
* = host=${hostname} port=${upstreamPort} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
`,
  )
  const child = spawn(program, ['-q', '-u', 'nobody', config], { stdio: 'ignore' })
  const url = `postgres://postgres@127.0.0.1:${port}${pathname}`
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      break
    } catch (error) {
      if (attempt > 50 || child.exitCode !== null) throw error
      await sleep(100)
    } finally {
      await client.end().catch(() => {})
    }
  }
  return {
    url,
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
