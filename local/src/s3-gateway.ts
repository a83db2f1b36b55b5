import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { makePartList } from './part-list.ts'

/** What {@link startS3Gateway} needs. */
export type S3GatewayOptions = {
  /** Port of the S3 endpoint behind, on 127.0.0.1. */
  upstreamPort: number
  /** 0 lets the system choose. */
  port: number
  /** Added to each request, in milliseconds, to imitate a distant store in benchmarks. */
  latencyMs?: number
}

/** What a page of another origin may see of an answer, as one configures for a bucket. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Content-Length, Content-Range, Accept-Ranges',
}

/**
 * Puts CORS in front of an S3 endpoint that has none, so that a browser page may PUT uploads to it
 * and GET media from it. Bodies stream both ways; Host and path pass unchanged, because S3
 * signatures cover them: clients sign for the gateway's address and never see the one behind.
 */
export async function startS3Gateway({ upstreamPort, port, latencyMs = 0 }: S3GatewayOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  // No time limit on a whole request: 2 GB over a slow line take their time.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 65_000, noDelay: true })

  const partList = makePartList()

  server.on('request', (request, response) => {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, preflight(request)).end()
      return
    }
    const listed = partList.answer(request)
    if (listed !== null) {
      response.writeHead(200, { ...CORS, 'content-type': 'application/xml' }).end(listed)
      return
    }
    // The endpoint refuses requests that a page of another origin makes; allowing them is our task.
    const { origin: _origin, referer: _referer, ...headers } = request.headers
    const forward = () => {
      const upstream = httpRequest({
        agent,
        host: '127.0.0.1',
        port: upstreamPort,
        method: request.method,
        path: request.url,
        headers,
      })
      upstream.once('response', (answer) => {
        partList.observe(request, answer)
        response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...CORS })
        answer.pipe(response)
        answer.once('error', () => response.destroy())
      })
      upstream.once('error', () => {
        if (response.headersSent) response.destroy()
        else response.writeHead(503, { ...CORS, 'retry-after': '1' }).end()
      })
      response.once('close', () => upstream.destroy())
      request.pipe(upstream)
    }
    if (latencyMs > 0) void sleep(latencyMs).then(forward)
    else forward()
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port }, resolve)
  })
  const address = server.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : port,
    /** Ends all requests. */
    async stop(): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

function preflight(request: IncomingMessage): Record<string, string> {
  return {
    ...CORS,
    'access-control-allow-methods': 'GET, HEAD, PUT, POST, DELETE',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    'access-control-max-age': '86400',
  }
}
