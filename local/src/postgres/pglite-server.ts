import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { vector } from '@electric-sql/pglite-pgvector'
import { mkdirSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { makeSecret } from '../loopback/secret.ts'
import { takeLock } from '../process/folder-lock.ts'
import { makeSession } from './pglite-session.ts'
import { makeTurns } from './turns.ts'

/** What {@link startPgliteServer} needs. */
export type PgliteServerOptions = {
  /** The database's folder; made when missing. */
  dataDir: string
  /** 0 lets the system choose. */
  port: number
  /** Asked of every client; a random one when not given. */
  password?: string
  /** How long an open transaction may sit idle while others wait, in milliseconds. */
  idleInTransactionMs?: number
  /** Called when the embedded backend has crashed and nothing more can be served. */
  onFatal?: (error: unknown) => void
}

/** The settings that drivers expect at the start of a connection. */
const REPORTED_SETTINGS = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
]

/**
 * Serves PGlite (PostgreSQL in WebAssembly, with pgvector and pg_trgm) over TCP, so that psql,
 * node-postgres and drizzle take it for a Postgres server.
 *
 * There is one backend. A connection holds it from the first message of a batch until the backend
 * is idle outside a transaction, so transactions are exclusive and others queue behind them.
 * What is session-wide in SQL (SET, advisory locks, temporary tables) is shared by all connections
 * until the last one closes; prepared statements are kept apart.
 *
 * @throws LockedError when another process serves the same folder: PGlite itself takes no lock,
 * and two backends on one folder destroy it
 */
export async function startPgliteServer(options: PgliteServerOptions) {
  const { dataDir, port, password = makeSecret() } = options
  const { idleInTransactionMs = 15_000, onFatal = () => {} } = options
  mkdirSync(dirname(dataDir), { recursive: true })
  const unlock = takeLock(`${dataDir}.lock`)
  const db = await PGlite.create({ dataDir, extensions: { vector, pg_trgm } }).catch((error) => {
    unlock()
    throw error
  })
  const { rows } = await db.query<{ name: string; setting: string }>(
    'select name, setting from pg_settings where name = any($1)',
    [REPORTED_SETTINGS],
  )
  const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))

  const turns = makeTurns()
  const sockets = new Set<Socket>()
  let made = 0
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const session = makeSession({
      id: ++made,
      socket,
      turns,
      settings,
      password,
      idleInTransactionMs,
      run: (bytes) => db.execProtocolRaw(bytes),
      isLast: () => sockets.size === 0,
      onFatal,
    })
    socket.on('data', session.receive)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      session.close()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port }, resolve)
  })
  const address = server.address()
  const boundPort = address !== null && typeof address === 'object' ? address.port : port

  return {
    port: boundPort,
    /** A connection string; any user and database name are let in, with this password. */
    url: `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${boundPort}/postgres`,
    /** Ends all connections, writes everything out and frees the folder. */
    async stop(): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      const giveBack = await turns.take()
      await db.close()
      giveBack()
      unlock()
    },
  }
}
