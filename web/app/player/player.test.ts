import { expect, test, vi } from 'vitest'
import type { ListeningSession } from '../lib/api-types.ts'
import { ApiRefusal, problemOf } from '../lib/problem.ts'
import type { Deck, DeckEvent, Source } from './hls-engine.ts'
import { SETTLE_MS } from './key-loader.ts'
import { initialState, step } from './machine.ts'
import type { PlayableTrack, PlayerEvent, PlayerState } from './machine.ts'
import { makePlayer } from './player.ts'
import type { PlayerParts } from './player.ts'

const ORIGIN = 'https://music.example'

function track(id: string, durationS = 100): PlayableTrack {
  return { id, title: id, artists: 'x', durationS, version: 1, coverUrls: null }
}

function session(trackId: string, version = 1): ListeningSession {
  const quota = {
    limitS: 300,
    usedS: 12,
    remainingS: 288,
    unlimited: false,
    resetsAt: '2026-01-02T00:00:00Z',
  }
  return {
    id: `session-${trackId}` as ListeningSession['id'],
    token: `token-${trackId}`,
    expiresAt: '2026-01-01T01:00:00Z',
    quota,
    hls: {
      masterUrl: `${ORIGIN}/${trackId}/master.m3u8`,
      playlists: { [`${ORIGIN}/${trackId}/master.m3u8`]: '#EXTM3U' },
      inits: {},
    },
    firstKey: {
      url: `${ORIGIN}/api/v1/keys/${trackId}/${version}/0`,
      keyBase64: btoa('0123456789abcdef'),
    },
    durationS: 100,
    positionS: 0,
  }
}

/** Waits until the responses have arrived. */
async function settle(ms = 5): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** An HLS playlist of 25 segments of four seconds, each with a key of its own. */
function playlistOf(trackId: string): string {
  const segments = Array.from(
    { length: 25 },
    (_, segment) =>
      `#EXT-X-KEY:METHOD=AES-128,URI="/api/v1/keys/${trackId}/1/${segment}"\n#EXTINF:4,\n${segment}.m4s`,
  )
  return ['#EXTM3U', ...segments].join('\n')
}

type ApiAnswers = Partial<PlayerParts['api']>

/** The machine and the player together, on decks that log what is done to them. */
function playing(files: ApiAnswers = {}) {
  const log: string[] = []
  const sources: (Source | null)[] = [null, null]
  const emit: ((event: DeckEvent) => void)[] = []
  let state: PlayerState = initialState

  function makeFakeDeck(index: 0 | 1, onEvent: (event: DeckEvent) => void): Deck {
    emit[index] = onEvent
    const note = (what: string) => log.push(`${index}.${what}`)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the three that are used
    const element = { volume: 1, muted: false, currentTime: 0 } as HTMLAudioElement
    return {
      element,
      warmUp: () => {},
      load(source, positionS) {
        sources[index] = source
        note(`load ${source.masterUrl.replace(ORIGIN, '')}@${positionS}`)
      },
      play: () => note('play'),
      pause: () => note('pause'),
      seek: (positionS) => note(`seek ${positionS}`),
      stop() {
        sources[index] = null
        note('stop')
      },
      destroy: () => note('destroy'),
    }
  }

  function dispatch(event: PlayerEvent): void {
    const next = step(state, event)
    state = next.state
    for (const effect of next.effects) player.run(effect)
  }

  const player = makePlayer({
    makeDeck: makeFakeDeck,
    dispatch,
    state: () => state,
    origin: ORIGIN,
    fetch: async () => new Response(null, { status: 404 }),
    api: {
      startListening: async (id, _positionS, hls) => {
        log.push(`api.start ${id}${hls ? '' : ' without files'}`)
        return session(id)
      },
      lease: async ({ id }, { from, count }) => {
        log.push(`api.lease ${id} ${from}+${count}`)
        const keys = Array.from({ length: count }, (_, index) => ({
          period: from + index,
          keyBase64: btoa('0123456789abcdef'),
        }))
        return { keys, quota: session('x').quota }
      },
      heartbeat: async (id) => {
        log.push(`api.heartbeat ${id}`)
        return { heardS: 1, expiresAt: '', token: 'renewed', quota: session('x').quota }
      },
      completeListening: async (id, positionS) => {
        log.push(`api.complete ${id}@${positionS}`)
        return { heardS: 1, counted: true, quota: session('x').quota }
      },
      ...files,
    },
  })
  const list = [track('a'), track('b', 90), track('c')]
  return {
    log,
    sources,
    dispatch,
    state: () => state,
    emit: (index: 0 | 1, event: DeckEvent) => emit[index]?.(event),
    preload: (...args: Parameters<typeof player.preload>) => player.preload(...args),
    press: (index: number) => dispatch({ type: 'play-tracks', tracks: list, index }),
    near: (positionS: number, bufferedToS = 100) =>
      dispatch({ type: 'progress', positionS, bufferedToS, durationS: 100 }),
    end: () => player.destroy(),
  }
}

function refusing(status: number, code: string): ApiAnswers {
  const body = { type: `/problems/${code}`, title: code, detail: `${code}.` }
  return {
    startListening: async () => {
      throw new ApiRefusal(problemOf(status, body, null, 0))
    },
  }
}

test('play is called within the click, before the session has started', async () => {
  const { press, log, end, state } = playing()
  press(0)
  expect(log).toEqual(['api.start a', '0.play'])
  await settle()
  expect(log.slice(2)).toEqual(['0.load /a/master.m3u8@0', '0.play'])
  await vi.waitFor(() => expect(state().quota?.remainingS).toBe(288))
  end()
})

test('a refused session is shown, and nothing plays', async () => {
  const { press, state, log, end } = playing(refusing(402, 'quota-exhausted'))
  press(0)
  await settle()
  expect(state().phase).toMatchObject({ kind: 'refused', refusal: { kind: 'exhausted' } })
  expect(log.at(-1)).toBe('0.stop')
  end()
})

test('of two tracks pressed one after the other only the second is loaded', async () => {
  const { press, log, end } = playing()
  press(0)
  press(1)
  await vi.waitFor(() => expect(log).toContain('1.load /b/master.m3u8@0'))
  expect(log.filter((entry) => entry.includes('load'))).toHaveLength(1)
  end()
})

test('of tracks that are skipped through, the first and the last are paid for', async () => {
  const { press, dispatch, log, end } = playing()
  press(0)
  dispatch({ type: 'next' })
  await settle()
  dispatch({ type: 'next' })
  const paid = () => log.filter((entry) => entry.startsWith('api.start'))
  await settle()
  expect(paid()).toEqual(['api.start a'])
  await vi.waitFor(() => expect(log).toContain('0.load /c/master.m3u8@0'))
  expect(paid()).toEqual(['api.start a', 'api.start c'])
  end()
})

test('a pause before the session has come is kept', async () => {
  const { press, dispatch, log, end } = playing()
  press(0)
  dispatch({ type: 'pause' })
  await settle()
  expect(log.slice(2)).toEqual(['0.pause', '0.load /a/master.m3u8@0'])
  end()
})

test('the next track waits on the other deck: public files, then its session, then it plays', async () => {
  const { press, near, emit, log, end, state } = playing()
  press(0)
  await settle()
  emit(0, { type: 'playing' })
  log.length = 0
  near(85)
  expect(log).toEqual(['1.stop', '1.load /api/v1/tracks/b/hls/master.m3u8@0'])
  log.length = 0
  near(98)
  await settle()
  expect(log).toEqual(['api.start b'])
  log.length = 0
  emit(0, { type: 'ended' })
  expect(log).toEqual(['1.play', '0.stop'])
  // To the end of this track, and not to that of the next.
  await vi.waitFor(() => expect(log.at(-1)).toBe('api.complete session-a@100'))
  emit(1, { type: 'playing' })
  expect(state()).toMatchObject({ index: 1, phase: { kind: 'playing' } })
  end()
})

test('no key of the next track is requested before its session', async () => {
  const { press, near, emit, sources, log, end } = playing()
  press(0)
  await settle()
  emit(0, { type: 'playing' })
  near(85)
  const key = sources[1]?.keys.load(`${ORIGIN}/api/v1/keys/b/1/0`, new AbortController().signal)
  expect(sources[1]?.keys.pendingUrls()).toHaveLength(1)
  near(98)
  await settle()
  expect(new TextDecoder().decode(await key)).toBe('0123456789abcdef')
  // The deck has the files already; only the session and its key are asked for.
  expect(log).toContain('api.start b without files')
  end()
})

test('a next track that was replaced meanwhile is loaded again in its new version', async () => {
  const { press, near, emit, sources, log, end } = playing({
    startListening: async (id) => session(id, id === 'b' ? 2 : 1),
  })
  press(0)
  await settle()
  emit(0, { type: 'playing' })
  near(85)
  sources[1]?.keys
    .load(`${ORIGIN}/api/v1/keys/b/1/0`, new AbortController().signal)
    .catch(() => null)
  near(98)
  await settle()
  expect(log.at(-1)).toBe('1.load /b/master.m3u8@0')
  end()
})

test('a next session that is refused does not disturb what plays', async () => {
  let starts = 0
  const { press, near, emit, state, end } = playing({
    startListening: async (id) => {
      starts += 1
      if (starts > 1) throw new ApiRefusal(problemOf(402, { type: '/quota-exhausted' }, null, 0))
      return session(id)
    },
  })
  press(0)
  await settle()
  emit(0, { type: 'playing' })
  near(85)
  near(98)
  await settle()
  expect(state().phase.kind).toBe('playing')
  emit(0, { type: 'ended' })
  await vi.waitFor(() =>
    expect(state().phase).toMatchObject({ kind: 'refused', refusal: { kind: 'exhausted' } }),
  )
  expect(starts).toBe(3)
  end()
})

test('events of the other deck do not change what is playing', async () => {
  const { press, emit, state, end } = playing()
  press(0)
  await settle()
  emit(0, { type: 'playing' })
  emit(1, { type: 'failed' })
  emit(1, { type: 'progress', positionS: 50, bufferedToS: 50, durationS: 60 })
  expect(state()).toMatchObject({ phase: { kind: 'playing' }, positionS: 0 })
  end()
})

/** Does what hls.js does once it has the public files: requests the first key, and waits. */
function askForKey(source: Source | null | undefined, trackId: string): void {
  source?.keys
    .load(`${ORIGIN}/api/v1/keys/${trackId}/1/0`, new AbortController().signal)
    .catch(() => null)
}

test('a listed track is prepared, and a click on it only waits for the session', async () => {
  const { preload, press, sources, log, end } = playing()
  preload(track('a'), 'listed')
  askForKey(sources[1], 'a')
  log.length = 0
  press(0)
  await settle()
  expect(log).toEqual(['api.start a without files', '1.play', '1.play'])
  end()
})

test('a new session starts with its whole period, a resumed one where it was', async () => {
  const hls = {
    masterUrl: `${ORIGIN}/a/master.m3u8`,
    playlists: { [`${ORIGIN}/a/64k.m3u8`]: playlistOf('a') },
    inits: {},
  }
  let heardS = 0
  const { dispatch, log, end } = playing({
    startListening: async (id) => ({ ...session(id), hls, positionS: heardS }),
  })
  dispatch({ type: 'restore', saved: { queue: [track('a')], index: 0, positionS: 63 } })
  dispatch({ type: 'play' })
  await settle()
  expect(log.at(-2)).toBe('0.load /a/master.m3u8@60.35')
  dispatch({ type: 'clear' })
  heardS = 63
  dispatch({ type: 'restore', saved: { queue: [track('a')], index: 0, positionS: 63 } })
  dispatch({ type: 'play' })
  await vi.waitFor(() => expect(log.at(-2)).toBe('0.load /a/master.m3u8@63'))
  end()
})

test('another track than the prepared one takes the empty deck, and no deck is cleared', async () => {
  const { preload, press, log, end } = playing()
  preload(track('b'), 'listed')
  log.length = 0
  press(0)
  await settle()
  expect(log).toEqual(['api.start a', '0.play', '0.load /a/master.m3u8@0', '0.play'])
  end()
})

test('a track is requested before the other decks are cleared', async () => {
  const { preload, press, log, end } = playing()
  press(0)
  await settle()
  preload(track('b'), 'hovered')
  await settle(SETTLE_MS)
  log.length = 0
  press(2)
  await settle()
  expect(log).toEqual([
    'api.start c',
    '1.stop',
    '0.stop',
    '1.play',
    '1.load /c/master.m3u8@0',
    '1.play',
  ])
  end()
})

test('a deck that was still fetching its files uses those of the session', async () => {
  const { preload, press, sources, end } = playing()
  preload(track('a'), 'listed')
  const source = sources[1]
  press(0)
  await settle()
  expect(sources[1]).toBe(source)
  const { signal } = new AbortController()
  expect(await source?.files.playlist(`${ORIGIN}/a/master.m3u8`, signal)).toHaveProperty(
    'data',
    '#EXTM3U',
  )
  end()
})

test('a hovered track replaces a listed one, which does not come back', () => {
  const { preload, log, end } = playing()
  preload(track('a'), 'listed')
  preload(track('b'), 'hovered')
  preload(track('c'), 'listed')
  expect(log.filter((entry) => entry.includes('load'))).toEqual([
    '1.load /api/v1/tracks/a/hls/master.m3u8@0',
    '1.load /api/v1/tracks/b/hls/master.m3u8@0',
  ])
  end()
})

test('hovering tracks does not disturb the next track near the end', async () => {
  const { press, near, emit, preload, log, end } = playing()
  press(0)
  await settle()
  emit(0, { type: 'playing' })
  near(85)
  log.length = 0
  preload(track('c'), 'hovered')
  preload(track('a'), 'hovered')
  expect(log).toEqual([])
  end()
})

test('a browser that blocks autoplay leaves the play button', async () => {
  const { press, emit, state, end } = playing()
  press(0)
  emit(0, { type: 'autoplay-blocked' })
  expect(state().phase.kind).toBe('paused')
  end()
})
