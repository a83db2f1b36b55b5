/**
 * Ends this process in order on a signal, or when its supervisor is gone: the supervisor
 * holds the other end of our stdin, which closes even when it is killed.
 */
export function onStop(stop: () => Promise<void>): void {
  let isStopping = false
  const end = () => {
    if (isStopping) return
    isStopping = true
    stop().then(
      () => process.exit(0),
      (error) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
  process.stdin.on('end', end)
  process.stdin.on('error', end)
  process.stdin.resume()
}
