import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { LockedError, takeLock } from '../process/folder-lock.ts'
import { startTimeOf } from '../process/identity.ts'
import { findFreePort } from '../process/ports.ts'
import { debianMirrors, findMirrorOf } from './debian-mirror.ts'

const run = promisify(execFile)

/** Where Debian's packages of PostgreSQL 17 keep their programs, inside the system tree. */
const BIN = '/usr/lib/postgresql/17/bin'
/** The release of Debian that has PostgreSQL 17 with pgvector; the machine's own may be another. */
const RELEASE = 'trixie'
/** Where the system tree is kept, in the repository. */
export const TREE_DIR = '.local/postgres17'

/**
 * Runs the server until our end of its stdin is closed, which the system does even when we are
 * killed: no server is left behind. SIGINT is Postgres's "fast" shutdown: sessions are ended, and
 * nothing is lost. (A shell gives its background commands no stdin, hence the descriptor 3.)
 */
const SUPERVISOR = 'exec 3<&0; "$@" & server=$!; { cat <&3 >&2; kill -INT $server; } & wait $server'

/** What {@link startRealPostgres} takes. */
export type RealPostgresOptions = {
  /** Where the system tree is kept (700 MB, made on the first call in about a minute). */
  dir?: string
  /** Name of the cluster to keep; without one, a fresh cluster is made and removed at the end. */
  cluster?: string
  /** A free one is found when not given. */
  port?: number
  /** Server settings that differ from Postgres's defaults. fsync stays on unless said otherwise. */
  settings?: Record<string, string>
  /** Called with a sentence about what takes long. */
  say?: (text: string) => void
}

/** A running Postgres. */
export type RealPostgres = { url: string; port: number; pid: number; stop: () => Promise<void> }

/**
 * Starts a real PostgreSQL 17 with pgvector and no docker: a minimal Debian 13 tree made by
 * debootstrap, and the server in a chroot of it, listening on 127.0.0.1 only.
 *
 * @throws Error that says what is missing where this is not root on a Debian-like Linux
 */
export async function startRealPostgres(options: RealPostgresOptions = {}): Promise<RealPostgres> {
  const { dir = TREE_DIR, cluster, settings = {}, say = () => {} } = options
  const root = await provideTree(resolve(dir), say)
  await removeAbandoned(root)
  const port = options.port ?? (await findFreePort())
  const data = `/var/lib/postgresql/${cluster ?? `fresh-${randomBytes(4).toString('hex')}`}`
  if (!existsSync(join(root, data, 'PG_VERSION'))) await initialise(root, data)

  const flags = Object.entries({
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '256MB',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = [`${BIN}/postgres`, '-D', data, ...flags]
  const child = spawn(
    'chroot',
    asPostgres(root, '/bin/sh', '-c', SUPERVISOR, 'supervisor', ...server),
    {
      stdio: ['pipe', 'ignore', 'pipe'],
      // A group of its own: Ctrl-C in the terminal must not stop it before its clients.
      detached: true,
    },
  )
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4_000)))
  const exited = new Promise<void>((done) => child.once('exit', () => done()))
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`

  async function stop(): Promise<void> {
    child.stdin.end()
    await exited
    if (cluster === undefined) await rm(join(root, data), { recursive: true, force: true })
  }

  if (!(await answers(url, () => child.exitCode !== null))) {
    await stop()
    throw new Error(`Postgres 17 did not start:\n${log}`)
  }
  return { url, port, pid: child.pid ?? 0, stop }
}

/**
 * Makes the system tree unless it is there; a second process waits for the first.
 *
 * @returns its path
 */
export async function provideTree(
  dir: string,
  say: (text: string) => void = () => {},
): Promise<string> {
  const root = join(dir, 'root')
  await mkdir(dir, { recursive: true })
  while (!existsSync(root)) {
    refuseUnlessPossible(dir)
    let unlock: () => void
    try {
      unlock = takeLock(join(dir, 'build.lock'))
    } catch (error) {
      if (!(error instanceof LockedError)) throw error
      await sleep(1_000)
      continue
    }
    try {
      if (!existsSync(root)) await build(dir, root, say)
    } finally {
      unlock()
    }
  }
  refuseUnlessPossible(dir)
  return root
}

async function build(dir: string, root: string, say: (text: string) => void): Promise<void> {
  if (!(await isInstalled('debootstrap'))) {
    say('installing debootstrap with apt-get')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await run('apt-get', ['update', '-q'], { env })
    const wanted = ['debootstrap', 'debian-archive-keyring']
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...wanted], { env })
  }
  say(`making a Debian tree with PostgreSQL 17 and pgvector in ${root} (about a minute)`)
  const unfinished = `${root}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  const include = '--include=postgresql-17-pgvector'
  const mirror = await findMirrorOf(RELEASE)
  await run('debootstrap', ['--variant=minbase', include, RELEASE, unfinished, mirror], {
    maxBuffer: 64 * 1024 * 1024,
  })
  await rm(join(unfinished, 'var/cache/apt/archives'), { recursive: true, force: true })
  await rename(unfinished, root)
}

/** Removes clusters whose maker was killed before it could do so itself. */
async function removeAbandoned(root: string): Promise<void> {
  const clusters = join(root, 'var/lib/postgresql')
  for (const name of await readdir(clusters)) {
    if (!name.startsWith('fresh-')) continue
    const pidFile = join(clusters, name, 'postmaster.pid')
    const pid = Number((await readFile(pidFile, 'utf8').catch(() => '0')).split('\n')[0])
    const { mtimeMs } = await stat(join(clusters, name))
    // A young folder without a server is one that another process is making right now.
    const isYoung = Date.now() - mtimeMs < 10 * 60_000
    if (!isYoung && (pid === 0 || startTimeOf(pid) === null))
      await rm(join(clusters, name), { recursive: true, force: true })
  }
}

async function initialise(root: string, data: string): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C.UTF-8']
  const auth = ['--username=postgres', '--auth=trust']
  await run('chroot', asPostgres(root, `${BIN}/initdb`, '-D', data, ...locale, ...auth), {
    cwd: '/',
  })
  // Tests compare answers: a time zone from the host would make them depend on it.
  await appendFile(join(root, data, 'postgresql.conf'), "\ntimezone = 'UTC'\n")
}

function asPostgres(root: string, ...command: string[]): string[] {
  return ['--userspec=postgres:postgres', root, ...command]
}

/** Says why a real Postgres can't be started here, or `null` when it can. */
export function whyNoRealPostgres(dir = TREE_DIR): string | null {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version'))
    return 'a real Postgres 17 needs Debian or Ubuntu here'
  if (process.getuid?.() !== 0)
    return 'a real Postgres 17 runs in a chroot, which only root can enter: use sudo'
  if (!existsSync(join(dir, 'root')) && debianMirrors().length === 0)
    return 'apt is configured with no mirror of Debian: set DEBIAN_MIRROR to the address of one'
  return null
}

function refuseUnlessPossible(dir: string): void {
  const reason = whyNoRealPostgres(dir)
  if (reason !== null) throw new Error(reason)
}

async function isInstalled(program: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  )
}

async function answers(url: string, hasEnded: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 150 && !hasEnded(); attempt++) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return true
    } catch {
      await sleep(100)
    } finally {
      await client.end().catch(() => {})
    }
  }
  return false
}
