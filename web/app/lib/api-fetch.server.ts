/** What the Pages project is configured with. One of the two must be there. */
export type WebEnv = {
  /** Service binding to the Worker. */
  API?: { fetch(request: Request): Promise<Response> }
  /**
   * The Worker's origin, for example `https://api.music.example`; preferred where set. The Worker's
   * WEB_ORIGINS must then name the web app's, for it compares `Origin` with the host that it is asked
   * by, and takes nobody's word for another.
   */
  API_ORIGIN?: string
}

/** Sends a request to the Worker, whatever the way there. */
export type ApiFetch = (request: Request) => Promise<Response>

/**
 * Makes the way to the Worker: its own address where `API_ORIGIN` is set, else the service binding.
 * The path, the method, the headers and the body pass unchanged, redirects included.
 */
export function makeApiFetch(env: WebEnv): ApiFetch {
  return async (request) => {
    if (env.API_ORIGIN) {
      const url = new URL(request.url)
      return fetch(
        new Request(
          new URL(url.pathname + url.search, env.API_ORIGIN),
          new Request(request, { redirect: 'manual' }),
        ),
      )
    }
    if (env.API) return env.API.fetch(request)
    throw new Error('The web app has neither an API binding nor API_ORIGIN: see web/wrangler.toml')
  }
}
