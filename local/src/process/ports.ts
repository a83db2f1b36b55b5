import { createServer } from 'node:net'

/** Tells whether a TCP port of the loopback interface can be bound now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () =>
      probe.close(() => resolve(true)),
    )
  })
}

/** Asks the system for a free TCP port of the loopback interface. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = probe.address()
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('the system named no port'))
      })
    })
  })
}

/**
 * Chooses a port for each name: the remembered one where it is still free, so that bookmarks and
 * cookies stay valid over a restart, else a fresh one. No two names get the same port.
 */
export async function choosePorts(
  names: readonly string[],
  remembered: Record<string, number>,
): Promise<Record<string, number>> {
  const chosen = new Map<string, number>()
  for (const name of names) {
    const before = remembered[name]
    if (
      before !== undefined &&
      ![...chosen.values()].includes(before) &&
      (await isPortFree(before))
    )
      chosen.set(name, before)
  }
  for (const name of names) {
    while (!chosen.has(name)) {
      const port = await findFreePort()
      if (![...chosen.values()].includes(port)) chosen.set(name, port)
    }
  }
  return Object.fromEntries(chosen)
}
