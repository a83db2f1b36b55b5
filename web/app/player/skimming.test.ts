import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ListeningSession, Quota } from '../lib/api-types.ts'
import type { Deck, DeckEvent, Source } from './hls-engine.ts'
import { keyPeriodsOf, periodAt } from './key-periods.ts'
import type { KeyPeriod } from './key-periods.ts'
import type { ListeningCalls } from './listening-calls.ts'
import { initialState, step } from './machine.ts'
import type { PlayableTrack, PlayerEvent, PlayerState } from './machine.ts'
import { makePlayer } from './player.ts'

/** The machine, the player and its key loaders, with decks and a server that are models of the real ones. */

const ORIGIN = 'https://music.example'
const SEGMENT_S = 4
const TICK_MS = 50

/** What the player may ask for in advance, beside a period for each move: the longest lead on this network. */
const LEAD_S = 0.9

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function track(id: number, durationS: number): PlayableTrack {
  return { id: `t${id}`, title: `${id}`, artists: 'x', durationS, version: 1, coverUrls: null }
}

function playlistOf({ id, durationS }: PlayableTrack, segmentsPerKey: number): string {
  const lines = ['#EXTM3U']
  for (let segment = 0; segment * SEGMENT_S < durationS; segment++) {
    const lastsS = Math.min(SEGMENT_S, durationS - segment * SEGMENT_S)
    const key = `/api/v1/keys/${id}/1/${Math.floor(segment / segmentsPerKey)}`
    lines.push(`#EXT-X-KEY:METHOD=AES-128,URI="${key}"`, `#EXTINF:${lastsS},`, `${segment}.m4s`)
  }
  return lines.join('\n')
}

const KEY_BASE64 = btoa('0123456789abcdef')

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

type ServerOptions = { segmentsPerKey?: number; latencyMs?: number; mostKeys?: number }

/** The meter: what each session has paid for, and how much that is. */
function makeServer(tracks: readonly PlayableTrack[], options: ServerOptions) {
  const { segmentsPerKey = 1, latencyMs = 60, mostKeys = 3 } = options
  const sessions = new Map<string, { track: PlayableTrack; paid: Set<number>; isLive: boolean }>()
  const told = { chargedS: 0, statements: 0, completed: 0 }
  const periodS = segmentsPerKey * SEGMENT_S

  function quota(): Quota {
    const used = { usedS: told.chargedS, remainingS: 1e6 - told.chargedS }
    return { limitS: 1e6, ...used, unlimited: false, resetsAt: '2026-01-02T00:00:00Z' }
  }

  function find(id: string) {
    const session = sessions.get(id)
    if (!session?.isLive) throw new Error(`there is no live session ${id}`)
    return session
  }

  function charge({ track: { durationS }, paid }: ReturnType<typeof find>, period: number): void {
    const chargeS = Math.min(periodS, durationS - period * periodS)
    if (chargeS <= 0) throw new Error(`there is no period ${period}`)
    if (!paid.has(period)) told.chargedS += chargeS
    paid.add(period)
  }

  async function answer<T>(respond: () => T): Promise<T> {
    told.statements += 1
    await sleep(latencyMs / 2)
    const value = respond()
    await sleep(latencyMs / 2)
    return value
  }

  const calls: ListeningCalls = {
    startListening: (trackId, positionS) =>
      answer((): ListeningSession => {
        const wanted = tracks.find(({ id }) => id === trackId)
        if (!wanted) throw new Error(`there is no track ${trackId}`)
        const resumed = [...sessions].find(
          ([
            ,
            {
              track: { id },
              isLive,
            },
          ]) => isLive && id === trackId,
        )
        const id = resumed?.[0] ?? `s${sessions.size}`
        const session = resumed?.[1] ?? { track: wanted, paid: new Set<number>(), isLive: true }
        sessions.set(id, session)
        const period = Math.floor(positionS / periodS)
        charge(session, period)
        const masterUrl = `${ORIGIN}/${trackId}/master.m3u8`
        return {
          id: id as ListeningSession['id'],
          token: `token of ${id}`,
          expiresAt: '',
          quota: quota(),
          hls: {
            masterUrl,
            playlists: { [masterUrl]: playlistOf(wanted, segmentsPerKey) },
            inits: {},
          },
          firstKey: {
            url: `${ORIGIN}/api/v1/keys/${trackId}/1/${period}`,
            keyBase64: KEY_BASE64,
          },
          durationS: wanted.durationS,
          positionS: 0,
        }
      }),
    lease: ({ id }, { from, count }) =>
      answer(() => {
        const numbers = Array.from({ length: Math.min(count, mostKeys) }, (_, more) => from + more)
        for (const number of numbers) charge(find(id), number)
        return {
          keys: numbers.map((period) => ({ period, keyBase64: KEY_BASE64 })),
          quota: quota(),
        }
      }),
    heartbeat: async () => ({ heardS: 0, expiresAt: '', token: 'renewed', quota: quota() }),
    completeListening: async (id) => {
      find(id).isLive = false
      told.completed += 1
      return { heardS: 0, counted: true, quota: quota() }
    },
  }
  return { calls, told, quota }
}

/** An element with hls.js: plays what it has the keys of, and wants the key of what comes next. */
function makeModelDeck(onEvent: (event: DeckEvent) => void) {
  const element = { currentTime: 0, paused: true, volume: 1, muted: false }
  let source: Source | null = null
  let periods: KeyPeriod[] = []
  let opened = new Set<string>()
  let isSounding = false
  let ticks = 0
  const heard = { seconds: 0, silentS: 0 }

  function open(period: KeyPeriod | undefined): boolean {
    if (!period || !source) return false
    if (opened.has(period.url)) return true
    const { keys } = source
    const into = opened
    if (!keys.pendingUrls().includes(period.url)) {
      keys.load(period.url, AbortSignal.timeout(1e9)).then(
        () => into.add(period.url),
        () => {},
      )
    }
    return false
  }

  function report(): void {
    source?.keys.setPosition(element.currentTime, !element.paused)
    const durationS = periods.at(-1)?.endS ?? 0
    const bufferedToS = periods.findLast(({ url }) => opened.has(url))?.endS ?? 0
    onEvent({ type: 'progress', positionS: element.currentTime, bufferedToS, durationS })
  }

  function tick(): void {
    ticks += 1
    const here = periodAt(periods, element.currentTime)
    const hasSound = open(periods[here])
    if (hasSound) open(periods[here + 1])
    if (element.paused || !source) return
    if (hasSound) {
      element.currentTime += TICK_MS / 1000
      heard.seconds += TICK_MS / 1000
    } else if (isSounding) heard.silentS += TICK_MS / 1000
    if (hasSound !== isSounding) onEvent({ type: hasSound ? 'playing' : 'stalled' })
    isSounding = hasSound
    const endS = periods.at(-1)?.endS ?? Infinity
    if (element.currentTime >= endS - 1e-6) {
      element.paused = true
      report()
      onEvent({ type: 'ended' })
    } else if (ticks % 5 === 0) report()
  }

  async function readPlaylist({ files, masterUrl }: Source): Promise<void> {
    const from = source
    const { data } = await files.playlist(masterUrl, AbortSignal.timeout(1e9))
    if (source === from && typeof data === 'string') periods = keyPeriodsOf(data, ORIGIN)
  }

  const deck: Deck = {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the player reads of it
    element: element as HTMLAudioElement,
    warmUp: () => {},
    load(fresh, positionS) {
      source = fresh
      opened = new Set()
      periods = []
      element.currentTime = positionS
      isSounding = false
      fresh.keys.setPosition(positionS, !element.paused)
      void readPlaylist(fresh)
    },
    play() {
      element.paused = false
      source?.keys.setPosition(element.currentTime, true)
    },
    pause() {
      element.paused = true
      source?.keys.setPosition(element.currentTime, false)
    },
    seek(positionS) {
      element.currentTime = positionS
      isSounding = false
      report()
    },
    stop() {
      element.paused = true
      source = null
      periods = []
    },
    destroy: () => {},
  }
  return { deck, heard, tick }
}

function listening(tracks: readonly PlayableTrack[], options: ServerOptions = {}) {
  const server = makeServer(tracks, options)
  let state: PlayerState = initialState
  let longestBehindMs = 0
  let behindMs = 0
  const models: ReturnType<typeof makeModelDeck>[] = []

  function dispatch(event: PlayerEvent): void {
    const next = step(state, event)
    state = next.state
    for (const effect of next.effects) player.run(effect)
  }

  const player = makePlayer({
    api: server.calls,
    makeDeck: (index, onEvent) => (models[index] = makeModelDeck(onEvent)).deck,
    dispatch,
    state: () => state,
    origin: ORIGIN,
    fetch: async (input) => {
      const url = input instanceof Request ? input.url : input.toString()
      const found = tracks.find(({ id }) => url.includes(`/${id}/`))
      return new Response(found && playlistOf(found, options.segmentsPerKey ?? 1))
    },
  })

  return {
    dispatch,
    state: () => state,
    told: server.told,
    heardS: () => models.reduce((sum, { heard }) => sum + heard.seconds, 0),
    silentS: () => models.reduce((sum, { heard }) => sum + heard.silentS, 0),
    /** Longest time that the page showed another number than the server had. */
    longestBehindMs: () => longestBehindMs,
    pass: async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += TICK_MS) {
        await vi.advanceTimersByTimeAsync(TICK_MS)
        for (const { tick } of models) tick()
        behindMs = state.quota?.usedS === server.told.chargedS ? 0 : behindMs + TICK_MS
        longestBehindMs = Math.max(longestBehindMs, behindMs)
      }
    },
    end: () => player.destroy(),
  }
}

const LIST = Array.from({ length: 30 }, (_, id) => track(id, 30 + ((id * 37) % 90)))

type Move =
  | { type: 'seek'; to: number }
  | { type: 'step'; by: number }
  | { type: 'next' }
  | { type: 'previous' }

const A_MOVE: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ type: fc.constant('seek' as const), to: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ type: fc.constant('step' as const), by: fc.constantFrom(5, -5) }),
  fc.record({ type: fc.constant('next' as const) }),
  fc.record({ type: fc.constant('previous' as const) }),
)

/** Moves that come so soon one after the other that nobody has settled down in between. */
function skimming(longestMs: number) {
  const pauseMs = fc.oneof(
    fc.integer({ min: 0, max: 700 }),
    fc.integer({ min: 700, max: longestMs }),
  )
  return fc.record({
    moves: fc.array(fc.record({ afterMs: pauseMs, move: A_MOVE }), { maxLength: 12 }),
    lastMs: pauseMs,
  })
}

function eventOf(move: Move, { positionS, durationS }: PlayerState): PlayerEvent {
  switch (move.type) {
    case 'seek':
      return { type: 'seek', positionS: move.to * durationS }
    case 'step':
      return { type: 'seek', positionS: positionS + move.by }
    case 'next':
    case 'previous':
      return { type: move.type }
  }
}

const PLAY: PlayerEvent = { type: 'play-tracks', tracks: LIST, index: 0 }

test('who skims is charged what was heard, and four seconds for each move at most', async () => {
  await fc.assert(
    fc.asyncProperty(
      skimming(8500),
      fc.constantFrom(10, 60, 250),
      async ({ moves, lastMs }, latencyMs) => {
        const { dispatch, pass, state, told, heardS, longestBehindMs, end } = listening(LIST, {
          latencyMs,
        })
        dispatch(PLAY)
        for (const { afterMs, move } of moves) {
          await pass(afterMs)
          dispatch(eventOf(move, state()))
        }
        await pass(lastMs)
        dispatch({ type: 'pause' })
        await pass(1000)
        end()
        expect(told.chargedS).toBeLessThanOrEqual(
          heardS() + SEGMENT_S * (moves.length + 1) + LEAD_S,
        )
        expect(longestBehindMs()).toBeLessThan(2000)
      },
    ),
    { numRuns: 120 },
  )
})

test.each([
  [
    'five seeks 1.5 s apart',
    5,
    1500,
    (at: number): Move => ({ type: 'seek', to: (at * 0.37) % 1 }),
  ],
  ['ten presses of → 0.3 s apart', 10, 300, (): Move => ({ type: 'step', by: 5 })],
  ['five skips 2 s apart', 5, 2000, (): Move => ({ type: 'next' })],
])('%s', async (_name, times, apartMs, moveAt) => {
  const { dispatch, pass, state, told, heardS, end } = listening(LIST)
  dispatch(PLAY)
  await pass(2000)
  for (let at = 1; at <= times; at++) {
    dispatch(eventOf(moveAt(at), state()))
    await pass(apartMs)
  }
  dispatch({ type: 'pause' })
  await pass(1000)
  end()
  expect(told.chargedS).toBeLessThanOrEqual(heardS() + SEGMENT_S * (times + 1))
})

test.each([
  [4, 30],
  [5, 41],
  [120, 300],
  [299.5, 60],
])(
  'a track of %d s heard to its end is charged its length, without a gap',
  async (firstS, nextS) => {
    const { dispatch, pass, state, told, silentS, end } = listening([
      track(100, firstS),
      track(101, nextS),
    ])
    dispatch({ type: 'play-tracks', tracks: [track(100, firstS), track(101, nextS)], index: 0 })
    await pass((firstS + 1) * 1000)
    expect(state().index).toBe(1)
    expect(told.completed).toBe(1)
    const ofNextS = told.chargedS - firstS
    expect(ofNextS).toBe(SEGMENT_S)
    await pass(nextS * 1000)
    end()
    expect(told).toMatchObject({ completed: 2 })
    expect(told.chargedS).toBeCloseTo(firstS + nextS)
    expect(silentS()).toBe(0)
    // Of before: a request for each twelve seconds.
    const before = Math.ceil(firstS / 12) + Math.ceil(nextS / 12)
    expect(told.statements).toBeLessThanOrEqual(before + 2 * 2)
  },
)

test('who stays, and then leaves, has paid for a run ahead at most', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 110_000 }), async (ms) => {
      const { dispatch, pass, told, heardS, silentS, end } = listening([track(0, 240)])
      dispatch({ type: 'play-tracks', tracks: [track(0, 240)], index: 0 })
      await pass(ms)
      end()
      const aheadS = ms < 9000 ? SEGMENT_S + LEAD_S : 12 + 3.1
      expect(told.chargedS - heardS()).toBeLessThanOrEqual(aheadS)
      expect(silentS()).toBe(0)
    }),
    { numRuns: 40 },
  )
})

test('during a pause nothing is leased, wherever one goes', async () => {
  const { dispatch, pass, told, state, end } = listening(LIST)
  dispatch(PLAY)
  await pass(3500)
  dispatch({ type: 'pause' })
  const { chargedS } = told
  await pass(5000)
  dispatch({ type: 'seek', positionS: 22 })
  await pass(5000)
  expect(told.chargedS).toBe(chargedS)
  dispatch({ type: 'play' })
  await pass(1000)
  expect(told.chargedS).toBe(chargedS + SEGMENT_S)
  expect(state().phase.kind).toBe('playing')
  end()
})

test('going back to what was heard costs nothing', async () => {
  const { dispatch, pass, told, end } = listening(LIST)
  dispatch(PLAY)
  await pass(13_500)
  const { chargedS } = told
  for (const positionS of [0.5, 5, 9, 2]) {
    dispatch({ type: 'seek', positionS })
    await pass(1000)
  }
  expect(told.chargedS).toBe(chargedS)
  end()
})

test('runs that are cut short still play without a gap', async () => {
  const { dispatch, pass, told, silentS, end } = listening([track(0, 120)], { mostKeys: 2 })
  dispatch({ type: 'play-tracks', tracks: [track(0, 120)], index: 0 })
  await pass(119_000)
  end()
  expect(told.chargedS).toBe(120)
  expect(silentS()).toBe(0)
})

test('a version of before, whose keys open twelve seconds, is leased one key at a time', async () => {
  const { dispatch, pass, told, silentS, end } = listening(LIST, { segmentsPerKey: 3 })
  dispatch(PLAY)
  await pass(20_000)
  end()
  expect(told).toMatchObject({ chargedS: 24, statements: 2 })
  expect(silentS()).toBe(0)
})

test('a slow network only lengthens the lead', async () => {
  const { dispatch, pass, silentS, end } = listening(LIST, { latencyMs: 1500 })
  dispatch({ type: 'play-tracks', tracks: LIST, index: 1 })
  await pass(60_000)
  end()
  expect(silentS()).toBe(0)
})
