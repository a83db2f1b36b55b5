import type { Api } from '../lib/api.ts'
import type { ListeningSession, Quota } from '../lib/api-types.ts'
import { isRefusal, unreachable } from '../lib/problem.ts'
import type { Problem } from '../lib/problem.ts'
import { bytesOfBase64, makeAnswers, makeEarlySegments, plainUrl } from './answers.ts'
import type { Answers } from './answers.ts'
import type { Deck, DeckEvent } from './hls-engine.ts'
import { makeKeySupply } from './key-supply.ts'
import type { KeySupply } from './key-supply.ts'
import { makeLoudness } from './loudness.ts'
import type { PlayableTrack, PlayerEffect, PlayerEvent, PlayerState } from './machine.ts'
import { refusalOf } from './refusals.ts'
import { makeSegmentGuess } from './segment-guess.ts'
import type { Likelihood } from './store.ts'

/** Between two reports of the position, which are for the history only. */
const HEARTBEAT_MS = 10_000
/** Drawing what is left of the budget takes milliseconds that the first sound should have. */
const TELL_AFTER_MS = 60
/** One track on one deck, with the session that pays for it once there is one. */
type Playing = {
  track: PlayableTrack
  answers: Answers
  keys: KeySupply
  session: { id: string; isLive: boolean } | null
  /** Position of the last report, so that a pause does not repeat it. */
  reportedS: number
}

export type PlayerParts = {
  api: Pick<Api, 'startListening' | 'heartbeat' | 'completeListening'>
  /** Two decks of the same kind; the events that each tells go to `onDeckEvent`. */
  makeDeck: (index: 0 | 1, onEvent: (event: DeckEvent) => void) => Deck
  dispatch: (event: PlayerEvent) => void
  state: () => PlayerState
  fetch: typeof globalThis.fetch
  origin: string
}

function problemOfError(error: unknown): Problem {
  return isRefusal(error) ? error.problem : unreachable()
}

function folder(url: string): string {
  return url.slice(0, url.lastIndexOf('/'))
}

/** Resolves after `ms`, or rejects as soon as the signal aborts. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        reject(signal.reason)
      },
      { once: true },
    )
  })
}

/** Carries out the machine's effects on two decks and the API. */
export function makePlayer(parts: PlayerParts) {
  const { api, makeDeck, dispatch, state, fetch, origin } = parts
  const onDeck: [Playing | null, Playing | null] = [null, null]
  const decks: [Deck, Deck] = [
    makeDeck(0, (event) => hear(0, event)),
    makeDeck(1, (event) => hear(1, event)),
  ]
  const guess = makeSegmentGuess()
  const early = makeEarlySegments({ fetch, origin })
  let current: 0 | 1 = 0
  const loudness = makeLoudness({
    elements: decks.map(({ element }) => element),
    state,
    dispatch,
    currentTimeS: () => decks[current].element.currentTime,
  })

  const other = (): 0 | 1 => (current === 0 ? 1 : 0)

  function tellQuota(quota: Quota | undefined): void {
    if (quota) dispatch({ type: 'quota', quota })
  }

  function hear(index: 0 | 1, event: DeckEvent): void {
    if (index !== current) return
    switch (event.type) {
      case 'blocked':
        // The browser wants a click first: show the play button.
        dispatch({ type: 'pause' })
        break
      case 'broken':
        dispatch({
          type: 'refused',
          refusal: {
            kind: 'failed',
            sentence: 'The sound did not arrive. Check the connection, then press play.',
          },
        })
        break
      default:
        dispatch(event)
    }
  }

  function refuse(playing: Playing, problem: Problem): void {
    if (playing.session) playing.session.isLive = false
    if (onDeck[current] === playing) dispatch({ type: 'refused', refusal: refusalOf(problem) })
    else dispatch({ type: 'next-failed' })
  }

  function place(index: 0 | 1, track: PlayableTrack): Playing {
    const playing: Playing = {
      track,
      answers: makeAnswers({ fetch, origin, early }),
      keys: makeKeySupply({
        fetch,
        origin,
        wait,
        onRefusal: (problem) => refuse(playing, problem),
        renew: () => renew(playing),
      }),
      session: null,
      reportedS: -1,
    }
    onDeck[index] = playing
    return playing
  }

  /** The session or its token is over: ask again from here, which resumes a live one for nothing. */
  async function renew(playing: Playing): Promise<string | null> {
    try {
      const at = onDeck[current] === playing ? decks[current].element.currentTime : 0
      const session = await api.startListening(playing.track.id, at, false)
      playing.session = { id: session.id, isLive: true }
      tellQuota(session.quota)
      return session.token
    } catch (error) {
      refuse(playing, problemOfError(error))
      return null
    }
  }

  function open(playing: Playing, session: ListeningSession): void {
    playing.session = { id: session.id, isLive: true }
    if (session.hls) {
      playing.answers.add(session.hls)
      guess.learn(playing.track, session.hls)
    }
    playing.keys.open(session.token, {
      url: session.firstKey.url,
      key: bytesOfBase64(session.firstKey.keyBase64),
    })
    // The page can be told once the key is on its way through the decoder.
    setTimeout(() => tellQuota(session.quota), TELL_AFTER_MS)
  }

  /** Whether all that the deck still lacks is the session and its key. */
  function isWaitingForKey({ keys }: Playing): boolean {
    return keys.waiting().length > 0
  }

  /** Starts the session of a track; with the files that its deck does not have yet. */
  async function start(playing: Playing, positionS: number): Promise<ListeningSession> {
    const { id } = playing.track
    if (!isWaitingForKey(playing)) return api.startListening(id, positionS, true)
    const session = await api.startListening(id, positionS, false)
    // The audio was replaced meanwhile. Asking again resumes the session and costs nothing.
    return isOtherVersion(playing, session) ? api.startListening(id, positionS, true) : session
  }

  /** Whether the deck was prepared with another version of the audio than the session is for. */
  function isOtherVersion(playing: Playing, session: ListeningSession): boolean {
    const paid = folder(plainUrl(session.firstKey.url, origin))
    return playing.keys.waiting().some((url) => folder(url) !== paid)
  }

  /** Takes the track off a deck and reports how far it came; it sounds on until the deck is stopped. */
  function vacate(index: 0 | 1): void {
    const left = onDeck[index]
    onDeck[index] = null
    if (left) void report(left, decks[index].element.currentTime)
  }

  function leave(index: 0 | 1): void {
    vacate(index)
    decks[index].stop()
  }

  /** Sends the position of a track, so that the history has it and its token is renewed. */
  async function report(playing: Playing, positionS: number): Promise<void> {
    const { session } = playing
    if (!session?.isLive || positionS <= 0 || Math.abs(positionS - playing.reportedS) < 1) return
    playing.reportedS = positionS
    try {
      const heard = await api.heartbeat(session.id, positionS)
      playing.keys.renewed(heard.token)
      if (onDeck[current] === playing) tellQuota(heard.quota)
    } catch (error) {
      const problem = problemOfError(error)
      if (problem.code === 'session-ended') session.isLive = false
      const isElsewhere = problem.code === 'superseded' && session.isLive
      if (isElsewhere && onDeck[current] === playing) refuse(playing, problem)
    }
  }

  async function complete(playing: Playing, positionS: number): Promise<void> {
    const { session } = playing
    if (!session?.isLive) return
    session.isLive = false
    try {
      tellQuota((await api.completeListening(session.id, positionS)).quota)
    } catch {
      // The history misses a completion; the music is what matters.
    }
  }

  async function load(track: PlayableTrack, positionS: number): Promise<void> {
    loudness.stopFading()
    const prepared = onDeck[other()]?.track.id === track.id && positionS === 0
    const isIdle = onDeck[current] === null
    // An empty deck is ready at once; one with another track has to be taken down and set up anew.
    const index = isIdle && !prepared ? current : other()
    const decksLeft = isIdle ? [] : prepared ? [current] : [index, current]
    for (const each of decksLeft) vacate(each)
    const playing = onDeck[index] ?? place(index, track)
    current = index

    const started = start(playing, positionS)
    // Not before the request is out: to take a deck down and set it up anew takes milliseconds.
    for (const each of decksLeft) decks[each].stop()
    const deck = decks[index]
    // Within the click, or browsers refuse to sound; it starts once there is something to hear.
    deck.play()
    // Ciphertext is public: the first segment travels while the session is being asked for.
    const segment = isWaitingForKey(playing) || positionS > 0 ? null : guess.firstSegment(track)
    if (segment) early.warm(segment)

    let session: ListeningSession
    try {
      session = await started
    } catch (error) {
      if (onDeck[index] === playing) refuse(playing, problemOfError(error))
      return
    }
    if (onDeck[index] !== playing) return
    const reload = prepared && isOtherVersion(playing, session)
    // What a prepared deck has not fetched yet it finds in the session's answer.
    open(playing, session)
    if (session.hls && (!prepared || reload)) {
      deck.load({ masterUrl: session.hls.masterUrl, ...playing }, positionS, true)
    }
    if (['starting', 'playing', 'stalled'].includes(state().phase.kind)) deck.play()
  }

  function prepareFiles(track: PlayableTrack): void {
    const index = other()
    leave(index)
    const playing = place(index, track)
    const masterUrl = `${origin}/api/v1/tracks/${track.id}/hls/master.m3u8`
    decks[index].load({ masterUrl, ...playing }, 0, false)
  }

  async function prepareSession(track: PlayableTrack): Promise<void> {
    const now = onDeck[current]
    const next = onDeck[other()]
    if (!next || next.track.id !== track.id) return
    // First, since on the free plan the next session ends this one.
    if (now) await complete(now, decks[current].element.currentTime)
    try {
      const session = await start(next, 0)
      if (!onDeck.includes(next)) return
      const reload = isOtherVersion(next, session)
      open(next, session)
      const index = onDeck[0] === next ? 0 : 1
      if (session.hls && reload)
        decks[index].load({ masterUrl: session.hls.masterUrl, ...next }, 0, true)
    } catch (error) {
      if (onDeck[current] === next) refuse(next, problemOfError(error))
      else dispatch({ type: 'next-failed' })
    }
  }

  function swap(): void {
    const left = current
    current = other()
    decks[current].play()
    leave(left)
  }

  function run(effect: PlayerEffect): void {
    const now = onDeck[current]
    switch (effect.type) {
      case 'load':
        void load(effect.track, effect.positionS)
        break
      case 'play':
        decks[current].play()
        break
      case 'pause':
        decks[current].pause()
        if (now) void report(now, decks[current].element.currentTime)
        break
      case 'stop':
        loudness.stopFading()
        leave(current)
        break
      case 'seek':
        loudness.stopFading()
        decks[current].seek(effect.positionS)
        break
      case 'loudness':
        loudness.apply()
        break
      case 'prepare-files':
        prepareFiles(effect.track)
        break
      case 'prepare-session':
        void prepareSession(effect.track)
        break
      case 'swap':
        swap()
        break
      case 'drop-next':
        leave(other())
        break
      case 'fade':
        loudness.fade()
        break
      case 'complete':
        if (now) void complete(now, state().durationS)
        break
    }
  }

  const heart = setInterval(() => {
    const now = onDeck[current]
    if (now && state().phase.kind === 'playing') {
      void report(now, decks[current].element.currentTime)
    }
  }, HEARTBEAT_MS)

  loudness.apply()
  for (const deck of decks) deck.arm()

  return {
    run,
    /**
     * Gets ready for a track that may be next, with public files only: its deck comes as far as
     * waiting for the first key, so that a click has only the session to wait for. What is offered
     * is prepared while nothing else is; what the pointer rests on, in its place. Once it is pressed
     * there is only time to send for the first segment.
     */
    anticipate(track: PlayableTrack, likelihood: Likelihood): void {
      const segment = guess.firstSegment(track)
      void guess.scout(track, origin, fetch)
      const waiting = onDeck[other()]
      const isKnown = onDeck.some((playing) => playing?.track.id === track.id)
      if (isKnown) return
      if (likelihood === 'pressed' && segment !== null) early.warm(segment)
      if (state().next !== 'none' || waiting?.session) return
      if (likelihood === 'pointed-at' || (waiting === null && state().phase.kind === 'empty')) {
        prepareFiles(track)
      }
    },
    /** Stops everything, for good. */
    destroy() {
      clearInterval(heart)
      loudness.destroy()
      for (const deck of decks) deck.destroy()
    },
  }
}
