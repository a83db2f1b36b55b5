import { fileURLToPath } from 'node:url'
import { migrate } from '@mist/db/migrate'
import { makeNeonProxy } from '@mist/local/postgres/neon-proxy'
import { startRealPostgres } from '@mist/local/postgres/real-postgres'
import { neonConfig } from '@neondatabase/serverless'
import pg from 'pg'
import { makeDatabase } from '../../worker/src/platform/database.ts'
import { fillSearch } from './fill-search.ts'
import { loadListening } from './load-listening.ts'
import { loadTracks } from './load-tracks.ts'

export type Size = { seed: number; tracks: number; listeners: number; plays: number }

/** One statement as a repo sends it. */
export type Statement = { query: string; params: (string | null)[] }

const DIR = fileURLToPath(new URL('../../.local/postgres17', import.meta.url))

/** Reading is measured: what makes writing safe would only make the loading slow. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  shared_buffers: '2GB',
  maintenance_work_mem: '1GB',
  max_wal_size: '8GB',
}

const connect = async (connectionString: string) => {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}

/**
 * A seeded catalogue on a real Postgres 17, and the Worker's own way to it, which tells what it was
 * asked: the benchmark has no SQL of its own.
 */
export async function makeWorld(size: Size) {
  const postgres = await startRealPostgres({ dir: DIR, settings: SETTINGS, say: console.log })
  const admin = await connect(postgres.url)
  await admin.query('create database bench')
  await admin.end()
  const url = new URL(postgres.url)
  url.pathname = '/bench'
  await migrate(url.href)

  const client = await connect(url.href)
  await client.query("set session_replication_role = 'replica'")
  await loadTracks(client, size)
  await loadListening(client, size)
  await fillSearch(client)
  await client.query("set session_replication_role = 'origin'")
  await client.query('vacuum analyze')

  const proxy = await makeNeonProxy({ upstream: url.href })
  const db = makeDatabase({ databaseUrl: url.href, proxyUrl: proxy.url })
  const asked: Statement[] = []
  neonConfig.fetchFunction = async (address: string, init: RequestInit & { body: string }) => {
    asked.push(JSON.parse(init.body))
    return fetch(address, init)
  }

  return {
    db,
    client,
    /** Runs what asks the database, and answers with the last statement that it sent. */
    async statementOf(run: () => Promise<unknown>): Promise<Statement> {
      asked.length = 0
      await run()
      const last = asked.at(-1)
      if (last === undefined) throw new Error('nothing was asked')
      return last
    },
    async close(): Promise<void> {
      await client.end()
      await proxy.stop()
      await postgres.stop()
    },
  }
}

export type World = Awaited<ReturnType<typeof makeWorld>>
