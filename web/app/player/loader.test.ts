import { expect, test } from 'vitest'
import { LoadError, makeLoaderClass } from './loader.ts'
import type { Load, Callbacks, Context } from './loader.ts'

const CONTEXT: Context = { url: 'https://music.example/0.m4s', responseType: 'arraybuffer' }

/** Loads, and records which callback was called with what. */
function loading(load: Load<Context>) {
  const Loader = makeLoaderClass(load)
  const loader = new Loader()
  const calls: unknown[][] = []
  const callbacks: Callbacks<Context> = {
    onSuccess: ({ data, url }) => calls.push(['success', data, url]),
    onError: ({ code, text }) => calls.push(['error', code, text]),
    onAbort: () => calls.push(['abort']),
  }
  loader.load(CONTEXT, {}, callbacks)
  return { loader, calls }
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

const NEVER: Load<Context> = () => new Promise(() => {})

test('a file reaches hls.js with the times of its real transfer', async () => {
  const data = new ArrayBuffer(8)
  const { loader, calls } = loading(async () => ({ data, startedMs: 10, endedMs: 60 }))
  await sleep(1)
  expect(calls).toEqual([['success', data, CONTEXT.url]])
  expect(loader.stats).toMatchObject({ loaded: 8, total: 8, loading: { start: 10, end: 60 } })
})

test('a file from memory takes some time, so that the bandwidth is not infinite', async () => {
  const { loader } = loading(async () => ({ data: 'text', startedMs: 5, endedMs: 5 }))
  await sleep(1)
  expect(loader.stats.loading.end).toBeGreaterThan(loader.stats.loading.start)
})

test('an HTTP error reaches hls.js with its status', async () => {
  const { calls } = loading(async () => {
    throw new LoadError(404, 'HTTP 404')
  })
  await sleep(1)
  expect(calls).toEqual([['error', 404, 'HTTP 404']])
})

test('a network error is an error without a status', async () => {
  const { calls } = loading(async () => {
    throw new TypeError('failed to fetch')
  })
  await sleep(1)
  expect(calls).toEqual([['error', 0, 'failed to fetch']])
})

test('an abort is reported once and stops the request', async () => {
  let signal: AbortSignal | null = null
  const { loader, calls } = loading((_context, given) => {
    signal = given
    return NEVER(CONTEXT, given)
  })
  loader.abort()
  loader.abort()
  await sleep(30)
  expect(calls).toEqual([['abort']])
  expect(signal).toMatchObject({ aborted: true })
})

test('a destroyed loader calls nothing any more', async () => {
  const { loader, calls } = loading(async () => ({ data: '', startedMs: 0, endedMs: 1 }))
  loader.destroy()
  await sleep(30)
  expect(calls).toEqual([])
})
