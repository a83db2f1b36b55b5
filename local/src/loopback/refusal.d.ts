/**
 * Tells whether a Host header names a port of this machine by a name that only this machine has.
 * A page whose own domain was made to resolve to 127.0.0.1 (DNS rebinding) still sends its domain.
 */
export declare function isOwnHost(host: string | null | undefined, port: number): boolean

/**
 * Says why a request to a port of the loopback interface is refused, or answers `null`. Every web
 * page that a person visits can send requests to such a port, many of them without asking first;
 * what it cannot forge are the headers in which the browser says whose page it is.
 */
export declare function whyRefused(
  headers: {
    host: string | undefined
    origin: string | undefined
    /** `Sec-Fetch-Site`; programs that are no browsers send none. */
    site: string | undefined
  },
  door: {
    port: number
    /** Origins of the pages that may ask. */
    origins: readonly string[]
  },
): string | null
