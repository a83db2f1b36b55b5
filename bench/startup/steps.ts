/* oxlint-disable typescript/unbound-method -- each proxy calls what it stands in for on its own object */
declare global {
  /** Set in the page by {@link watchSteps}: what happened when, in order. */
  var startupSteps: [name: string, atMs: number][]
}

/**
 * Notes, in the page, what lies between a click and sound: the request of the session and its answer,
 * the decryption, the append, and what the media element says. It stands in the way of what it
 * watches by some tenths of a millisecond, so times meant to be compared are taken without it.
 */
export function watchSteps(): void {
  const steps: typeof globalThis.startupSteps = []
  globalThis.startupSteps = steps
  const note = (name: string): void => {
    steps.push([name, performance.now()])
  }
  addEventListener(
    'click',
    () => {
      steps.length = 0
      note('click')
    },
    true,
  )

  globalThis.fetch = new Proxy(fetch, {
    async apply(ask, self: typeof globalThis, parameters: Parameters<typeof fetch>) {
      const [input] = parameters
      const url = input instanceof Request ? input.url : String(input)
      const isSession = url.endsWith('/listening-sessions')
      if (isSession) note('session asked for')
      const response = await Reflect.apply(ask, self, parameters)
      if (!isSession) return response
      note('answer begins')
      response.json = new Proxy(response.json, {
        async apply(read) {
          const value: unknown = await Reflect.apply(read, response, [])
          note('answer read')
          return value
        },
      })
      return response
    },
  })
  crypto.subtle.decrypt = new Proxy(crypto.subtle.decrypt, {
    async apply(decrypt, _self, parameters: Parameters<typeof crypto.subtle.decrypt>) {
      const plain = await Reflect.apply(decrypt, crypto.subtle, parameters)
      note('decrypted')
      return plain
    },
  })
  SourceBuffer.prototype.appendBuffer = new Proxy(SourceBuffer.prototype.appendBuffer, {
    apply(append, buffer: SourceBuffer, parameters: [BufferSource]) {
      note('append')
      buffer.addEventListener('updateend', () => note('appended'), { once: true })
      return Reflect.apply(append, buffer, parameters)
    },
  })
  document.addEventListener('readystatechange', () => {
    if (document.readyState !== 'interactive') return
    document.querySelectorAll('audio').forEach((element) => {
      for (const name of ['canplay', 'playing']) element.addEventListener(name, () => note(name))
    })
  })
}
