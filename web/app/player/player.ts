import type { ListeningSession, Quota } from '../lib/api-types.ts'
import { isRefusal, unreachable } from '../lib/problem.ts'
import type { Problem } from '../lib/problem.ts'
import { bytesOfBase64, makeHlsFiles, makeSegmentPrefetch, plainUrl } from './hls-files.ts'
import type { HlsFiles } from './hls-files.ts'
import type { Deck, DeckEvent } from './hls-engine.ts'
import { makeKeyLoader, SETTLE_MS } from './key-loader.ts'
import type { KeyLoader } from './key-loader.ts'
import { makeLeaseLead } from './lease-lead.ts'
import type { ListeningCalls, SessionAccess } from './listening-calls.ts'
import { makeVolumeControl } from './volume.ts'
import type { PlayableTrack, PlayerEffect, PlayerEvent, PlayerState } from './machine.ts'
import { refusalOf } from './refusals.ts'
import { makeSegmentUrls } from './segment-urls.ts'
import type { PreloadTrigger } from './store.ts'

/** Milliseconds between two heartbeats; they are for the history only. */
const HEARTBEAT_MS = 10_000
/** Rendering the budget, and reports, take milliseconds that the first sound should have. */
const NOTIFY_AFTER_MS = 60
/** The track on a deck, and the listening session that pays for it once there is one. */
type DeckContent = {
  track: PlayableTrack
  files: HlsFiles
  keys: KeyLoader
  session: { id: string; isLive: boolean } | null
  /** Position of the last heartbeat, so that a pause does not repeat it. */
  reportedS: number
}

export type PlayerParts = {
  api: ListeningCalls
  /** Called once for each of the two decks. */
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

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Runs the machine's effects on two decks and the API. */
export function makePlayer(parts: PlayerParts) {
  const { api, makeDeck, dispatch, state, fetch, origin } = parts
  const contents: [DeckContent | null, DeckContent | null] = [null, null]
  const decks: [Deck, Deck] = [
    makeDeck(0, (event) => handleDeckEvent(0, event)),
    makeDeck(1, (event) => handleDeckEvent(1, event)),
  ]
  const segmentUrls = makeSegmentUrls()
  const prefetch = makeSegmentPrefetch({ fetch, origin })
  const lead = makeLeaseLead()
  let loadedMs = Number.NEGATIVE_INFINITY
  let current: 0 | 1 = 0
  const volume = makeVolumeControl({
    elements: decks.map(({ element }) => element),
    state,
    dispatch,
    currentTimeS: () => decks[current].element.currentTime,
  })

  const other = (): 0 | 1 => (current === 0 ? 1 : 0)

  function notifyQuota(quota: Quota | undefined): void {
    if (quota) dispatch({ type: 'quota', quota })
  }

  function handleDeckEvent(index: 0 | 1, event: DeckEvent): void {
    if (index !== current) return
    switch (event.type) {
      case 'autoplay-blocked':
        // The browser demands a click first: show the play button.
        dispatch({ type: 'pause' })
        break
      case 'failed':
        dispatch({
          type: 'refused',
          refusal: {
            kind: 'failed',
            sentence: 'The music could not be loaded. Check the connection, then press play.',
          },
        })
        break
      default:
        dispatch(event)
    }
  }

  function refuse(content: DeckContent, problem: Problem): void {
    if (content.session) content.session.isLive = false
    if (contents[current] === content) dispatch({ type: 'refused', refusal: refusalOf(problem) })
    else dispatch({ type: 'next-failed' })
  }

  function assign(index: 0 | 1, track: PlayableTrack): DeckContent {
    const keys = makeKeyLoader({
      lease: api.lease,
      lead,
      origin,
      onQuota: notifyQuota,
      onRefusal: (problem) => refuse(content, problem),
      onLanding: (positionS) => {
        if (contents[current] === content) decks[current].seek(positionS)
      },
      renew: () => renew(content),
    })
    const content: DeckContent = {
      track,
      files: makeHlsFiles({
        fetch,
        origin,
        prefetch,
        onPlaylist: (text) => keys.learnPeriods(text),
      }),
      keys,
      session: null,
      reportedS: -1,
    }
    contents[index] = content
    return content
  }

  /** Starts again from here after the session or its token has expired; resuming a live one is free. */
  async function renew(content: DeckContent): Promise<SessionAccess | null> {
    try {
      const at = contents[current] === content ? decks[current].element.currentTime : 0
      const session = await api.startListening(content.track.id, at, false)
      content.session = { id: session.id, isLive: true }
      notifyQuota(session.quota)
      return session
    } catch (error) {
      refuse(content, problemOfError(error))
      return null
    }
  }

  /** Gives a deck its session, and answers where in the track to start. */
  function attachSession(
    content: DeckContent,
    session: ListeningSession,
    positionS: number,
  ): number {
    content.session = { id: session.id, isLive: true }
    if (session.hls) {
      content.files.add(session.hls)
      segmentUrls.learn(content.track, session.hls)
    }
    // A session that is resumed has paid for what was heard in it; a new one pays for a whole period.
    const isPaid = positionS <= session.positionS
    const startS = isPaid || positionS === 0 ? positionS : content.keys.landingOf(positionS)
    const first = {
      url: session.firstKey.url,
      key: bytesOfBase64(session.firstKey.keyBase64),
    }
    content.keys.startSession(session, first, startS)
    // Later, when the key is already being used to decrypt.
    setTimeout(() => notifyQuota(session.quota), NOTIFY_AFTER_MS)
    return startS
  }

  /** Whether the deck has its files and only waits for the session's key. */
  function lacksOnlyKey({ keys }: DeckContent): boolean {
    return keys.pendingUrls().length > 0
  }

  /** Starts a track's session, and requests the files that its deck does not have yet. */
  async function start(content: DeckContent, positionS: number): Promise<ListeningSession> {
    const { id } = content.track
    const hasFiles = lacksOnlyKey(content)
    const askedMs = performance.now()
    const session = await api.startListening(id, positionS, !hasFiles)
    // The first lease has to know how slow the network is.
    lead.measure(performance.now() - askedMs)
    if (!hasFiles) return session
    // The audio was replaced meanwhile. A second request resumes the session and costs nothing.
    return isOtherVersion(content, session) ? api.startListening(id, positionS, true) : session
  }

  /** Starts a track's session once no other track has been asked for; null if one was. */
  async function startSettled(
    content: DeckContent,
    positionS: number,
  ): Promise<ListeningSession | null> {
    await wait(SETTLE_MS)
    return contents.includes(content) ? start(content, positionS) : null
  }

  /** Whether the deck was prepared with another version of the audio than the session is for. */
  function isOtherVersion(content: DeckContent, session: ListeningSession): boolean {
    const paid = folder(plainUrl(session.firstKey.url, origin))
    return content.keys.pendingUrls().some((url) => folder(url) !== paid)
  }

  /** Unassigns a deck and reports its position; it plays on until the deck is stopped. */
  function vacate(index: 0 | 1): void {
    const left = contents[index]
    contents[index] = null
    if (!left) return
    left.keys.close()
    void sendHeartbeat(left, decks[index].element.currentTime)
  }

  function clearDeck(index: 0 | 1): void {
    vacate(index)
    decks[index].stop()
  }

  /** Sends a heartbeat: the history gets the position, we get a new token. */
  async function sendHeartbeat(content: DeckContent, positionS: number): Promise<void> {
    const { session } = content
    if (!session?.isLive || positionS <= 0 || Math.abs(positionS - content.reportedS) < 1) return
    content.reportedS = positionS
    try {
      const heard = await api.heartbeat(session.id, positionS)
      content.keys.setToken(heard.token)
      if (contents[current] === content) notifyQuota(heard.quota)
    } catch (error) {
      const problem = problemOfError(error)
      if (problem.code === 'session-ended') session.isLive = false
      const isElsewhere = problem.code === 'superseded' && session.isLive
      if (isElsewhere && contents[current] === content) refuse(content, problem)
    }
  }

  async function complete(content: DeckContent, positionS: number): Promise<void> {
    const { session } = content
    if (!session?.isLive) return
    session.isLive = false
    // The next track has to sound first.
    await wait(NOTIFY_AFTER_MS)
    try {
      notifyQuota((await api.completeListening(session.id, positionS)).quota)
    } catch {
      // Then the history lacks a completion, but the music goes on.
    }
  }

  async function load(track: PlayableTrack, positionS: number): Promise<void> {
    volume.stopFading()
    const prepared = contents[other()]?.track.id === track.id && positionS === 0
    const isIdle = contents[current] === null
    // An empty deck is ready at once; one with another track has to be reset first.
    const index = isIdle && !prepared ? current : other()
    const decksToClear = isIdle ? [] : prepared ? [current] : [index, current]
    for (const each of decksToClear) vacate(each)
    const content = contents[index] ?? assign(index, track)
    current = index

    // The first press is obeyed at once. Another on its heels is of one who looks for something: what is
    // skipped over is not paid for.
    const isInRow = performance.now() - loadedMs < SETTLE_MS
    loadedMs = performance.now()
    const started = isInRow ? startSettled(content, positionS) : start(content, positionS)
    // Only after the request is sent: resetting a deck takes milliseconds.
    for (const each of decksToClear) decks[each].stop()
    const deck = decks[index]
    // Within the click, or browsers block it; sound starts once something is buffered.
    deck.play()
    // Ciphertext is public: fetch the first segment while the session starts.
    const segment = lacksOnlyKey(content) || positionS > 0 ? null : segmentUrls.firstOf(track)
    if (segment) prefetch.start(segment)

    let session: ListeningSession | null
    try {
      session = await started
    } catch (error) {
      if (contents[index] === content) refuse(content, problemOfError(error))
      return
    }
    if (session === null || contents[index] !== content) return
    const reload = prepared && isOtherVersion(content, session)
    // A prepared deck that lacks files still finds them in the session's answer.
    const startS = attachSession(content, session, positionS)
    if (session.hls && (!prepared || reload)) {
      deck.load({ masterUrl: session.hls.masterUrl, ...content }, startS, true)
    }
    if (['starting', 'playing', 'stalled'].includes(state().phase.kind)) deck.play()
  }

  function prepareFiles(track: PlayableTrack): void {
    const index = other()
    clearDeck(index)
    const content = assign(index, track)
    const masterUrl = `${origin}/api/v1/tracks/${track.id}/hls/master.m3u8`
    decks[index].load({ masterUrl, ...content }, 0, false)
  }

  async function prepareSession(track: PlayableTrack): Promise<void> {
    const next = contents[other()]
    if (!next || next.track.id !== track.id) return
    try {
      const session = await start(next, 0)
      if (!contents.includes(next)) return
      const reload = isOtherVersion(next, session)
      attachSession(next, session, 0)
      const index = contents[0] === next ? 0 : 1
      if (session.hls && reload)
        decks[index].load({ masterUrl: session.hls.masterUrl, ...next }, 0, true)
    } catch (error) {
      if (contents[current] === next) refuse(next, problemOfError(error))
      else dispatch({ type: 'next-failed' })
    }
  }

  function swap(): void {
    const left = current
    current = other()
    decks[current].play()
    clearDeck(left)
  }

  function seek(positionS: number): void {
    // First, for until this has settled nothing is leased, wherever the element reports to be.
    contents[current]?.keys.move(positionS)
    decks[current].seek(positionS)
  }

  function run(effect: PlayerEffect): void {
    const now = contents[current]
    switch (effect.type) {
      case 'load':
        void load(effect.track, effect.positionS)
        break
      case 'play':
        decks[current].play()
        break
      case 'pause':
        decks[current].pause()
        if (now) void sendHeartbeat(now, decks[current].element.currentTime)
        break
      case 'stop':
        volume.stopFading()
        clearDeck(current)
        break
      case 'seek':
        volume.stopFading()
        seek(effect.positionS)
        break
      case 'volume':
        volume.apply()
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
        clearDeck(other())
        break
      case 'fade':
        volume.fade()
        break
      case 'complete':
        if (now) void complete(now, effect.positionS)
        break
    }
  }

  const heartbeatTimer = setInterval(() => {
    const now = contents[current]
    if (now && state().phase.kind === 'playing') {
      void sendHeartbeat(now, decks[current].element.currentTime)
    }
  }, HEARTBEAT_MS)

  volume.apply()
  for (const deck of decks) deck.warmUp()

  return {
    run,
    /**
     * Prepares a track that may be played next, with public files only: its deck gets as far as
     * waiting for the first key, so that a click only waits for the session. A listed track is
     * prepared while nothing else is; a hovered one replaces it. When one is pressed, there is only
     * time to fetch the first segment.
     */
    preload(track: PlayableTrack, trigger: PreloadTrigger): void {
      const segment = segmentUrls.firstOf(track)
      void segmentUrls.learnFromPlaylists(track, origin, fetch)
      const prepared = contents[other()]
      const isKnown = contents.some((content) => content?.track.id === track.id)
      if (isKnown) return
      if (trigger === 'pressed' && segment !== null) prefetch.start(segment)
      if (state().next !== 'none' || prepared?.session) return
      if (trigger === 'hovered' || (prepared === null && state().phase.kind === 'empty')) {
        prepareFiles(track)
      }
    },
    destroy() {
      clearInterval(heartbeatTimer)
      volume.destroy()
      for (const deck of decks) deck.destroy()
    },
  }
}
