import { makeClient } from '@mist/worker/client'
import type { Api } from './api.ts'
import { makeAuthSessionRenewal } from './auth-session-renewal.ts'
import type { AuthSessionRenewal } from './auth-session-renewal.ts'

/** Stands in for `localStorage` where that is blocked, for as long as the page is open. */
function memoryStorage() {
  const items = new Map<string, string>()
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  }
}

function browserStorage() {
  try {
    localStorage.setItem('mist.probe', '1')
    localStorage.removeItem('mist.probe')
    return localStorage
  } catch {
    return memoryStorage()
  }
}

let renewal: AuthSessionRenewal | null = null

/** The page's auth session; only in the browser. */
export function authSession(): AuthSessionRenewal {
  renewal ??= makeAuthSessionRenewal({
    fetch: (input, init) => fetch(input, init),
    storage: browserStorage(),
    // Web Locks need a secure context, as do the cookies.
    withLock: async (name, task) =>
      'locks' in navigator ? navigator.locks.request(name, task) : task(),
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    random: () => Math.random(),
  })
  return renewal
}

/** Sends with the visitor's cookies; refreshes the auth session before it expires, and once after a 401. */
async function send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const session = authSession()
  if (session.dueInMs() === 0) await session.renew()
  const seen = session.currentEndMs()
  const response = await fetch(input, init)
  if (response.status !== 401 || seen === null) return response
  const result = await session.renew(seen)
  if (result.kind === 'renewed') return fetch(input, init)
  // Not signed out: the API just cannot be reached.
  if (result.kind === 'unavailable') throw new Error(result.problem.detail)
  return response
}

let api: Api | null = null

/** The API as the visitor's browser asks it; only in the browser. */
export function browserApi(): Api {
  api ??= makeClient(window.location.origin, { fetch: send })
  return api
}
