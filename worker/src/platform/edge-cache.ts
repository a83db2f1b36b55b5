/**
 * The edge's cache of one data centre. Where there is none (a bare workerd), everything is a miss.
 */
export function makeEdgeCache() {
  return {
    /** The cached answer; a `Range` or condition of the request would be honoured by the cache itself. */
    async match(request: Request): Promise<Response | null> {
      try {
        return (await caches.default.match(request)) ?? null
      } catch {
        return null
      }
    },

    /** Keeps a whole 200 answer under a GET request for as long as its Cache-Control says. */
    async put(request: Request, response: Response): Promise<void> {
      try {
        await caches.default.put(request, response)
      } catch {
        // No cache here; the next request is a miss again.
      }
    },
  }
}
