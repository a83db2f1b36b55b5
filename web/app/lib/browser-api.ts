import { makeApi } from './api.ts'
import type { Api } from './api.ts'
import { makeSignInKeeper } from './sign-in-keeper.ts'
import type { SignInKeeper } from './sign-in-keeper.ts'

/** Where notes cannot be kept (a locked-down browser), they last as long as the page. */
function memoryNotes() {
  const notes = new Map<string, string>()
  return {
    getItem: (name: string) => notes.get(name) ?? null,
    setItem: (name: string, value: string) => void notes.set(name, value),
    removeItem: (name: string) => void notes.delete(name),
  }
}

function storedNotes() {
  try {
    localStorage.setItem('mist.probe', '1')
    localStorage.removeItem('mist.probe')
    return localStorage
  } catch {
    return memoryNotes()
  }
}

let keeper: SignInKeeper | null = null

/** The page's one keeper of the sign-in; only in the browser. */
export function signInKeeper(): SignInKeeper {
  keeper ??= makeSignInKeeper({
    fetch: (input, init) => fetch(input, init),
    notes: storedNotes(),
    // Web Locks need a secure context, as do the cookies.
    exclusively: async (name, task) =>
      'locks' in navigator ? navigator.locks.request(name, task) : task(),
    monotonic: () => performance.now(),
    wall: () => Date.now(),
    random: () => Math.random(),
  })
  return keeper
}

/** Sends with the visitor's cookies; renews the sign-in before it ends, and once if it was refused. */
async function send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const keep = signInKeeper()
  if (keep.dueInMs() === 0) await keep.renew()
  const seen = keep.current()
  const response = await fetch(input, init)
  if (response.status !== 401 || seen === null) return response
  const renewal = await keep.renew(seen)
  if (renewal.kind === 'renewed') return fetch(input, init)
  // Not signed out, for all that anybody knows: the service can't be reached for what was asked.
  if (renewal.kind === 'unavailable') throw new Error(renewal.problem.detail)
  return response
}

let api: Api | null = null

/** The API as the visitor's browser asks it; only in the browser. */
export function browserApi(): Api {
  api ??= makeApi({ origin: window.location.origin, fetch: send })
  return api
}
