import { Client as NeonClient, neon, neonConfig, NeonDbError, Pool } from '@neondatabase/serverless'
import { sql as dsql } from 'drizzle-orm'
import { drizzle as drizzleNeon } from 'drizzle-orm/neon-http'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { findFreePort } from '../process/ports.ts'
import { makeNeonProxy } from './neon-proxy.ts'
import { startPgliteServer } from './pglite-server.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-postgres-'))
const dataDir = join(dir, 'data')
const notes = pgTable('notes', { id: integer().primaryKey(), body: text().notNull() })

let server: Awaited<ReturnType<typeof startPgliteServer>>
let proxy: Awaited<ReturnType<typeof makeNeonProxy>>

beforeAll(async () => {
  server = await startPgliteServer({ dataDir, port: 0, idleInTransactionMs: 300 })
  proxy = await makeNeonProxy({ upstream: server.url, maxConnections: 4 })
  pointDriverAt(proxy.port)
  await withClient((client) =>
    client.query(`
      create extension if not exists vector;
      create extension if not exists pg_trgm;
      create table notes (id int primary key, body text not null);
      create table counters (id int primary key, n int not null check (n >= 0));
    `),
  )
}, 60_000)

afterAll(async () => {
  await proxy?.stop()
  await server?.stop()
  rmSync(dir, { recursive: true, force: true })
})

function pointDriverAt(port: number): void {
  neonConfig.fetchEndpoint = `http://127.0.0.1:${port}/sql`
  neonConfig.wsProxy = () => `127.0.0.1:${port}/v2`
  neonConfig.webSocketConstructor = WebSocket
  neonConfig.useSecureWebSocket = false
  neonConfig.pipelineTLS = false
  neonConfig.pipelineConnect = false
}

async function withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(server.url)
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

test('node-postgres gets rows, types and errors with their code and constraint', async () => {
  await withClient(async (client) => {
    const { rows } = await client.query("select 1 as a, 't' as b, now() as at, $1::int[] as list", [
      [1, 2],
    ])
    expect(rows[0]).toMatchObject({ a: 1, b: 't', list: [1, 2] })
    expect(rows[0].at).toBeInstanceOf(Date)
    await client.query("insert into notes values (1, 'one')")
    await expect(client.query("insert into notes values (1, 'again')")).rejects.toMatchObject({
      code: '23505',
      constraint: 'notes_pkey',
    })
    expect((await client.query('select 2 as b')).rows).toEqual([{ b: 2 }])
  })
})

test('a transaction keeps others out until it ends', async () => {
  await withClient(async (first) => {
    await withClient(async (second) => {
      await first.query('begin')
      await first.query('insert into counters values (1, 1)')
      const seen = second.query('select n from counters where id = 1')
      await first.query('update counters set n = 2 where id = 1')
      await first.query('commit')
      expect((await seen).rows).toEqual([{ n: 2 }])
    })
  })
})

test('a connection lost in a transaction undoes it and lets the next one in', async () => {
  const lost = new pg.Client(server.url)
  lost.on('error', () => {})
  await lost.connect()
  await lost.query('begin')
  await lost.query('insert into counters values (2, 1)')
  const waiting = withClient((client) => client.query('select * from counters where id = 2'))
  ;(
    lost as unknown as { connection: { stream: { destroy: () => void } } }
  ).connection.stream.destroy()
  expect((await waiting).rows).toEqual([])
})

test('a transaction left idle while others wait is ended', async () => {
  await withClient(async (idle) => {
    const ended = new Promise<Error>((resolve) => idle.once('error', resolve))
    await idle.query('begin')
    await idle.query('insert into counters values (3, 1)')
    const rows = await withClient((client) => client.query('select * from counters where id = 3'))
    expect(rows.rows).toEqual([])
    expect(await ended).toMatchObject({ code: '25P03' })
  })
})

test('two connections may use the same name for a prepared statement', async () => {
  await withClient(async (first) => {
    await withClient(async (second) => {
      const one = { name: 'same', text: 'select 1 as n' }
      const two = { name: 'same', text: 'select 2 as n' }
      expect((await first.query(one)).rows).toEqual([{ n: 1 }])
      expect((await second.query(two)).rows).toEqual([{ n: 2 }])
      expect((await first.query(one)).rows).toEqual([{ n: 1 }])
    })
  })
})

async function psql(command: string, input: string): Promise<string> {
  const running = promisify(execFile)('psql', [server.url, '-c', command, '-c', 'select 7'])
  running.child.stdin?.end(input)
  return (await running).stdout
}

// psql is not part of what the stack installs.
const hasPsql = spawnSync('psql', ['--version']).error === undefined

test.runIf(hasPsql)('rows are copied in and out, and a failed copy does no harm', async () => {
  await withClient((client) => client.query('create table copied (id int primary key, body text)'))
  expect(await psql('copy copied from stdin', '1\ta\n2\tb\n')).toContain('COPY 2')
  expect(await psql('copy copied to stdout', '')).toContain('1\ta\n2\tb\n')
  expect(await psql('copy copied from stdin', '1\tagain\n')).toContain('7')
})

test('nonsense on the wire ends that connection only', async () => {
  const socket = connect(server.port, '127.0.0.1')
  socket.end(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await new Promise((resolve) => socket.once('close', resolve))
  expect((await withClient((client) => client.query('select 1 as n'))).rows).toEqual([{ n: 1 }])
})

test('a second server on the same folder is refused', async () => {
  await expect(startPgliteServer({ dataDir, port: 0 })).rejects.toThrow(/is held by process/)
})

test('the driver over HTTP gets typed rows, arrays and full results', async () => {
  const sql = neon(server.url)
  const vector = '[1,2,3]'
  const [row] = await sql`select 7 as n, null as nothing, ${vector}::vector(3) as v, now() as at`
  expect(row).toMatchObject({ n: 7, nothing: null, v: '[1,2,3]' })
  expect(row?.['at']).toBeInstanceOf(Date)
  expect(await sql.query('select 1 as a, 2 as a', [], { arrayMode: true })).toEqual([[1, 2]])
  const full = await sql.query('select $1::bytea as b', [Buffer.from('hi')], { fullResults: true })
  expect(full).toMatchObject({ command: 'SELECT', rowCount: 1 })
  expect(full.rows[0]?.['b']).toEqual(Buffer.from('hi'))
  expect(full.fields[0]).toMatchObject({ name: 'b', dataTypeID: 17 })
})

test('an error over HTTP carries what Postgres said', async () => {
  const sql = neon(server.url)
  const error: unknown = await sql`insert into counters values (9, -1)`.catch((reason) => reason)
  expect(error).toBeInstanceOf(NeonDbError)
  expect(error).toMatchObject({
    code: '23514',
    constraint: 'counters_n_check',
    table: 'counters',
    severity: 'ERROR',
    detail: expect.stringContaining('(9, -1)'),
  })
  await expect(sql`select 1; select 2`).rejects.toMatchObject({ code: '42601' })
})

test('a batch is one transaction, with its isolation', async () => {
  const sql = neon(server.url)
  const [, second] = await sql.transaction([
    sql`insert into counters values (20, 1)`,
    sql`select count(*)::int as n from counters where id = 20`,
  ])
  expect(second).toEqual([{ n: 1 }])
  await expect(
    sql.transaction([sql`insert into counters values (21, 1)`, sql`select 1 / 0`]),
  ).rejects.toMatchObject({ code: '22012' })
  expect(await sql`select * from counters where id = 21`).toEqual([])
  const [[level]] = (await sql.transaction([sql`show transaction_isolation`], {
    isolationLevel: 'RepeatableRead',
    readOnly: true,
  })) as [Record<string, unknown>[]]
  expect(level).toEqual({ transaction_isolation: 'repeatable read' })
  await expect(
    sql.transaction([sql`insert into counters values (22, 1)`], { readOnly: true }),
  ).rejects.toMatchObject({ code: '25006' })
})

test('the driver over a WebSocket runs an interactive transaction', async () => {
  const pool = new Pool({ connectionString: server.url })
  const client = await pool.connect()
  await client.query('begin')
  await client.query('insert into counters values ($1, $2)', [30, 1])
  await client.query('rollback')
  const { rows } = await client.query('select * from counters where id = 30')
  client.release()
  await pool.end()
  expect(rows).toEqual([])
})

test('drizzle works over HTTP and over the wire', async () => {
  const http = drizzleNeon(neon(server.url))
  await http.insert(notes).values({ id: 40, body: 'forty' })
  expect(
    await http
      .select()
      .from(notes)
      .where(dsql`id = 40`),
  ).toEqual([{ id: 40, body: 'forty' }])
  const pool = new pg.Pool({ connectionString: server.url })
  const wire = drizzleNode(pool)
  await wire.transaction(async (tx) => {
    await tx
      .update(notes)
      .set({ body: 'changed' })
      .where(dsql`id = 40`)
  })
  await pool.end()
  expect(
    await http
      .select()
      .from(notes)
      .where(dsql`id = 40`),
  ).toEqual([{ id: 40, body: 'changed' }])
})

test('many clients at once all get their answers', async () => {
  const sql = neon(server.url)
  await sql`insert into counters values (50, 0)`
  const bumps = Array.from(
    { length: 50 },
    () => sql`update counters set n = n + 1 where id = 50 returning n`,
  )
  const values = (await Promise.all(bumps)).map(([row]) => row?.['n'])
  expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
})

test('an unreachable database is a 503, quickly', async () => {
  const nowhere = await findFreePort()
  const upstream = `postgres://a:b@127.0.0.1:${nowhere}/c`
  const orphan = await makeNeonProxy({ upstream })
  const started = performance.now()
  const response = await fetch(`${orphan.url}/sql`, {
    method: 'POST',
    headers: { 'neon-connection-string': upstream },
    body: JSON.stringify({ query: 'select 1', params: [] }),
  })
  expect(response.status).toBe(503)
  expect(performance.now() - started).toBeLessThan(1_000)
  const client = new NeonClient({ connectionString: server.url })
  client.neonConfig.wsProxy = () => `127.0.0.1:${orphan.port}/v2`
  client.on('error', () => {})
  await expect(client.connect()).rejects.toBeDefined()
  await orphan.stop()
})

test('what is committed is there after the server is started again', async () => {
  await withClient((client) => client.query("insert into notes values (60, 'kept')"))
  await proxy.stop()
  await server.stop()
  server = await startPgliteServer({ dataDir, port: 0, idleInTransactionMs: 300 })
  proxy = await makeNeonProxy({ upstream: server.url, maxConnections: 4 })
  pointDriverAt(proxy.port)
  await sleep(0)
  expect(await neon(server.url)`select body from notes where id = 60`).toEqual([{ body: 'kept' }])
}, 30_000)
