import { Agent, request } from 'node:http'

export type Call = {
  method?: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}

export type LoadResult = {
  requests: number
  /** Answers whose status was not the one wanted. */
  unexpected: Record<number, number>
  requestsPerS: number
  /** Milliseconds, one per request. */
  latenciesMs: number[]
}

/**
 * Sends `calls` over `connections` kept-alive connections, each as soon as the one before it on its
 * connection was answered (a closed loop), and times each from first byte out to last byte in.
 */
export async function load(
  origin: string,
  calls: Call[],
  { connections, expect }: { connections: number; expect: number },
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(origin)
  const latenciesMs: number[] = []
  const unexpected: Record<number, number> = {}
  let next = 0

  function send(call: Call): Promise<number> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          hostname,
          port,
          agent,
          method: call.method ?? 'GET',
          path: call.path,
          headers: {
            ...call.headers,
            ...(call.body === undefined
              ? {}
              : {
                  'content-type': 'application/json',
                  'content-length': Buffer.byteLength(call.body),
                }),
          },
        },
        (response) => {
          response.resume()
          response.once('end', () => resolve(response.statusCode ?? 0))
          response.once('error', reject)
        },
      )
      outgoing.once('error', reject)
      outgoing.end(call.body)
    })
  }

  async function connection(): Promise<void> {
    while (next < calls.length) {
      const call = calls[next++]!
      const before = performance.now()
      const status = await send(call)
      latenciesMs.push(performance.now() - before)
      if (status !== expect) unexpected[status] = (unexpected[status] ?? 0) + 1
    }
  }

  const before = performance.now()
  await Promise.all(Array.from({ length: connections }, connection))
  const seconds = (performance.now() - before) / 1000
  agent.destroy()
  return { requests: calls.length, unexpected, requestsPerS: calls.length / seconds, latenciesMs }
}
