import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import pg from 'pg'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import { refuseEarly, whyRequestRefused } from '../loopback/refuse.ts'
import { isSameSecret } from '../loopback/secret.ts'
import { NeonRequest, runBatch, runOne, toHttpError } from './neon-http.ts'

/** What {@link makeNeonProxy} needs. */
export type NeonProxyOptions = {
  /** Connection string of any Postgres. */
  upstream: string
  /** 0, the default, lets the system choose. */
  port?: number
  /** Most connections that HTTP requests share; one is enough for PGlite, which serialises. */
  maxConnections?: number
  /** Milliseconds that pass before each request is looked at: a database that is not next door. */
  latencyMs?: number
  /** Hears each statement that arrives over HTTP, for tests and benchmarks that count them. */
  onStatement?: (text: string) => void
}

/** An upstream that does not answer within this time counts as down. */
const CONNECT_TIMEOUT_MS = 3_000
/** Neon's own limit of one HTTP request. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/**
 * Speaks Neon's two protocols in front of any Postgres: `POST /sql` (one statement, or a batch in a
 * transaction) and a WebSocket at `/v2` that carries the Postgres wire protocol.
 *
 * Set the driver to `fetchEndpoint = url + '/sql'`, `wsProxy = () => '127.0.0.1:PORT/v2'`,
 * `useSecureWebSocket`, `pipelineTLS` and `pipelineConnect` all `false`. The credentials in the
 * driver's own connection string must be those of `upstream`: over HTTP they are compared here,
 * because the statements run with those of `upstream`, and over a WebSocket the database itself asks
 * for them. No page in a browser is answered.
 */
export async function makeNeonProxy(options: NeonProxyOptions) {
  const { upstream, port = 0, maxConnections = 20, latencyMs = 0, onStatement } = options
  const pool = new pg.Pool({
    connectionString: upstream,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  })
  // A connection lost while idle: the pool drops it, and the next request makes another.
  pool.on('error', () => {})

  const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (request, response) => {
    void answer(request, response)
  })

  const isKnown = makeCredentialCheck(upstream)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reason = whyRequestRefused(request, { port: boundPort, origins: [] })
      if (reason !== null) return refuseEarly(response, 403, reason)
      if (request.method === 'GET' && request.url === '/healthz') {
        await pool.query('select 1')
        return send(response, 200, { status: 'ok' })
      }
      if (request.method !== 'POST' || request.url !== '/sql')
        return refuseEarly(response, 404, 'POST /sql, or a WebSocket at /v2')
      if (!isKnown(request.headers['neon-connection-string']))
        return refuseEarly(response, 401, "this is not the database's connection string")
      if (latencyMs > 0) await sleep(latencyMs)
      const parsed = NeonRequest.parse(await readBody(request), request.headers)
      if (onStatement) for (const { query } of parsed.statements) onStatement(query)
      const body = parsed.isBatch ? await runBatch(pool, parsed) : await runOne(pool, parsed)
      send(response, 200, body)
    } catch (error) {
      const { status, body } = toHttpError(error)
      send(response, status, body)
    }
  }

  const sessions = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const open = new Set<Socket>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const door = { port: boundPort, origins: [] }
    if (!request.url?.startsWith('/v2') || whyRequestRefused(request, door) !== null) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    sessions.handleUpgrade(request, socket, head, (client) => {
      void join(client)
    })
  })

  async function join(client: WebSocket): Promise<void> {
    try {
      const backend = await connectUpstream(upstream)
      open.add(backend)
      backend.once('close', () => open.delete(backend))
      const frontend = createWebSocketStream(client)
      await Promise.allSettled([pipeline(frontend, backend), pipeline(backend, frontend)])
    } catch {
      client.close(1011, 'the database is not reachable')
    }
  }

  const boundPort = await listen(server, port)
  return {
    port: boundPort,
    url: `http://127.0.0.1:${boundPort}`,
    /** Ends all requests, sessions and pooled connections. */
    async stop(): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const client of sessions.clients) client.terminate()
      for (const backend of open) backend.destroy()
      server.closeAllConnections()
      await closed
      await pool.end()
    },
  }
}

/**
 * Makes the check of a connection string: clients must know the upstream's user, password and
 * database. Its host may be spelled in another way.
 */
function makeCredentialCheck(upstream: string) {
  const own = credentialsIn(upstream)
  // The driver sends the same text each time: a statement must not wait for it to be parsed.
  let known: string | null = null
  return (text: string | string[] | undefined): boolean => {
    if (typeof text !== 'string') return false
    if (known !== null && text.length === known.length && isSameSecret(text, known)) return true
    try {
      if (!isSameSecret(credentialsIn(text), own)) return false
    } catch {
      return false // not a URL
    }
    known = text
    return true
  }
}

function credentialsIn(connectionString: string): string {
  const { username, password, pathname } = new URL(connectionString)
  return JSON.stringify([username, password, pathname].map(decodeURIComponent))
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(status === 503 && { 'retry-after': '1' }),
  })
  response.end(text)
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        // The rest is read and dropped: the answer and the next request come on the same connection.
        chunks.length = 0
        reject(new RangeError('the request is larger than 64 MB'))
      }
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString()))
    request.once('error', reject)
  })
}

/** Opens a raw connection; encrypted where the connection string asks for it. */
async function connectUpstream(upstream: string): Promise<Socket> {
  const url = new URL(upstream)
  const host = url.hostname
  const socket = connect({ host, port: Number(url.port || 5432), noDelay: true })
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('timed out')))
  await once(socket, 'connect')
  const sslMode = url.searchParams.get('sslmode') ?? 'disable'
  if (!['require', 'verify-ca', 'verify-full'].includes(sslMode)) {
    socket.setTimeout(0)
    return socket
  }
  socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])) // SSLRequest
  const agreed = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve)
    socket.once('error', reject)
  })
  if (agreed[0] !== 0x53) throw new Error('the database offers no encryption')
  const encrypted = connectTls({ socket, host, servername: host })
  await once(encrypted, 'secureConnect')
  socket.setTimeout(0)
  return encrypted
}

function once(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.off('error', reject)
      socket.on('error', () => socket.destroy())
      resolve()
    })
    socket.once('error', reject)
  })
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : port)
    })
  })
}
