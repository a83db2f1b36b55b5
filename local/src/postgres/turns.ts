/** A first-come-first-served queue for one thing that only one may use at a time. */
export type Turns = ReturnType<typeof makeTurns>

/** Makes the queue; see {@link Turns}. */
export function makeTurns() {
  const queue: (() => void)[] = []
  let isTaken = false

  function pass(): void {
    const next = queue.shift()
    if (next === undefined) isTaken = false
    else next()
  }

  return {
    /** Waits for a turn. The answer gives it back; giving it back twice does nothing. */
    async take(): Promise<() => void> {
      if (isTaken) await new Promise<void>((resolve) => queue.push(resolve))
      isTaken = true
      let isGivenBack = false
      return () => {
        if (isGivenBack) return
        isGivenBack = true
        pass()
      }
    },

    /** How many wait for a turn now. */
    waiting: () => queue.length,
  }
}
