import { createInterface } from 'node:readline'

/**
 * The other side of `confined-node.ts`: reads requests from standard input, one line of JSON each, and
 * prints one line for each answer. Ends when whoever asks is gone; an error ends it, too.
 */
export async function serveRequests(answer: (request: unknown) => Promise<unknown>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const told = await answer(JSON.parse(line))
    const { user, system } = process.cpuUsage()
    const used = { cpuS: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() }
    process.stdout.write(`${JSON.stringify({ answer: told, ...used })}\n`)
  }
}
