import Hls, { ChunkMetadata } from 'hls.js/light'
import type {
  BufferCodecsData,
  Fragment,
  FragmentLoaderContext,
  HlsConfig,
  KeyLoaderContext,
  LoaderContext,
  PlaylistLoaderContext,
} from 'hls.js'
import type { Answers } from './answers.ts'
import { withoutDuration } from './init-segment.ts'
import type { KeySupply } from './key-supply.ts'
import { makeLoaderClass } from './loader.ts'

/** What a deck plays: where the master playlist is, and who answers what it asks for. */
export type Source = { masterUrl: string; answers: Answers; keys: KeySupply }

export type DeckEvent =
  | { type: 'sounding' }
  | { type: 'silent' }
  | { type: 'stalled' }
  | { type: 'progress'; positionS: number; bufferedToS: number; durationS: number }
  | { type: 'ended' }
  | { type: 'blocked' }
  | { type: 'broken' }

/** One audio element with its own hls.js. Two of them take turns, so that the next track can wait ready. */
export type Deck = {
  readonly element: HTMLAudioElement
  /**
   * Attaches an empty MediaSource ahead of need, and sets its decoder up with the init segment of
   * whatever track was seen last: each of them takes longer than anything else before the sound.
   */
  arm(): void
  /**
   * Starts loading; buffers but does not sound.
   *
   * @param isUrgent somebody waits for sound: the lightest rendition comes first. Otherwise the best
   * one that the line is known to carry
   */
  load(source: Source, positionS: number, isUrgent: boolean): void
  play(): void
  pause(): void
  seek(positionS: number): void
  /** Silences and forgets the source; the deck is armed again. */
  stop(): void
  destroy(): void
}

/** Ciphertext is free, so some is fetched ahead of the keys; the keys pace themselves. Seconds. */
const BUFFER_AHEAD_S = 12

/** A last segment of a track that is shorter is never found by hls.js. Seconds. */
const SLIVER_S = 0.05

/** Bits per second measured by the latest deck; what the next one starts from. */
let knownBandwidth: number | null = null

const isSame = (a: Uint8Array, b: Uint8Array) =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])

/** An init segment, with what hls.js wants to know of it. */
type Init = { codec: string; data: Uint8Array<ArrayBuffer>; frag: Fragment }

/**
 * The latest init segment of any deck, without its track's duration: a decoder that was set up for
 * one track serves the next as well.
 */
let knownInit: Init | null = null

/** What decks without a source do once an init segment is known. */
const waitingForInit = new Set<(init: Init) => void>()

function learnInit(init: Init): void {
  knownInit = { ...init, data: withoutDuration(init.data) }
  for (const tell of waitingForInit) tell(knownInit)
  waitingForInit.clear()
}

function initOf(hls: Hls, frag: Fragment, segment: ArrayBuffer): Init {
  const codec = hls.levels[frag.level]?.audioCodec ?? 'mp4a.40.2'
  return { codec, data: new Uint8Array(segment.slice(0)), frag }
}

/** Gives an init segment to the browser, in turn with what hls.js itself appends. */
function prime(hls: Hls, { codec, data, frag }: Init): void {
  hls.trigger(Hls.Events.BUFFER_CODECS, {
    audio: { id: 'main', container: 'audio/mp4', codec, levelCodec: codec },
  })
  hls.trigger(Hls.Events.BUFFER_APPENDING, {
    type: 'audio',
    data,
    frag,
    part: null,
    chunkMeta: new ChunkMetadata(frag.level, 0, 0, data.byteLength),
    parent: frag.type,
  })
}

/** Keeps hls.js from giving an init segment again, with the first segment that it has decrypted. */
function giveOnlyOnce(hls: Hls, { data }: Init): void {
  const skip = (_name: string, { audio }: BufferCodecsData): void => {
    if (audio?.initSegment && isSame(audio.initSegment, data)) delete audio.initSegment
  }
  hls.once(Hls.Events.BUFFER_CODECS, skip)
  // Recovering from an error makes a new buffer, which has seen no init segment.
  hls.once(Hls.Events.MEDIA_DETACHING, () => hls.off(Hls.Events.BUFFER_CODECS, skip))
}

function configuration(
  source: () => Source | null,
  onInit: (frag: Fragment, init: ArrayBuffer) => void,
): Partial<HlsConfig> {
  function current(): Source {
    const found = source()
    if (!found) throw new Error('the deck has no source')
    return found
  }
  const playlists = makeLoaderClass<PlaylistLoaderContext>(async ({ url }, signal) =>
    current().answers.playlist(url, signal),
  )
  const fragments = makeLoaderClass<FragmentLoaderContext>(async ({ url, frag }, signal) => {
    const { answers, keys } = current()
    const answer = await answers.media(url, signal)
    if (frag.sn === 'initSegment' && answer.data instanceof ArrayBuffer) onInit(frag, answer.data)
    const keyUrl = frag.decryptdata?.uri
    if (keyUrl) await keys.leased(keyUrl, signal)
    // hls.js reckons bandwidth from here to the end of parsing: the wait for the key, which is
    // deliberate, must not look like a slow line.
    const endedMs = performance.now()
    return { ...answer, startedMs: endedMs - (answer.endedMs - answer.startedMs), endedMs }
  })
  const keys = makeLoaderClass<LoaderContext & Partial<KeyLoaderContext>>(
    async ({ url, frag }, signal) => {
      const data = await current().keys.key(url, frag?.start ?? 0, signal)
      const at = performance.now()
      return { data, startedMs: at, endedMs: at }
    },
  )
  return {
    pLoader: playlists,
    fLoader: fragments,
    loader: keys,
    // Measured: a worker, a bandwidth probe and a late first fragment each cost time before sound.
    enableWorker: false,
    startFragPrefetch: true,
    testBandwidth: false,
    maxBufferLength: BUFFER_AHEAD_S,
    maxMaxBufferLength: BUFFER_AHEAD_S,
    backBufferLength: 60,
  }
}

/** Makes a deck of an audio element. The element keeps the autoplay permission it once got. */
export function makeDeck(element: HTMLAudioElement, onEvent: (event: DeckEvent) => void): Deck {
  let hls: Hls | null = null
  let source: Source | null = null
  /** Whether the buffer has the init segment of another track, and so a decoder. */
  let hasDecoder = false
  /** Whether it shall sound as soon as it can. */
  let isWanted = false
  let recoveries = 0

  function bufferedToS(): number {
    const { buffered, currentTime } = element
    for (let index = 0; index < buffered.length; index++) {
      if (buffered.start(index) <= currentTime + 0.1 && currentTime <= buffered.end(index)) {
        return buffered.end(index)
      }
    }
    return currentTime
  }

  function report(): void {
    if (!source) return
    source.keys.moved(element.currentTime)
    onEvent({
      type: 'progress',
      positionS: element.currentTime,
      bufferedToS: bufferedToS(),
      durationS: Number.isFinite(element.duration) ? element.duration : 0,
    })
  }

  function tell(type: 'sounding' | 'stalled' | 'ended') {
    return () => {
      if (source) onEvent({ type })
    }
  }

  const listeners: [string, () => void][] = [
    ['playing', tell('sounding')],
    ['waiting', tell('stalled')],
    ['ended', tell('ended')],
    ['timeupdate', report],
    ['progress', report],
    ['seeking', report],
    [
      'pause',
      () => {
        if (element.paused) isWanted = false
        // The element also pauses by itself when it ends; that is told as `ended`.
        if (source && !element.ended) onEvent({ type: 'silent' })
      },
    ],
  ]
  for (const [name, listener] of listeners) element.addEventListener(name, listener)

  function play(): void {
    isWanted = true
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        onEvent({ type: 'blocked' })
      }
    })
  }

  function pause(): void {
    isWanted = false
    element.pause()
  }

  function remove(): void {
    if (hls && source && hls.bandwidthEstimate > 0) knownBandwidth = hls.bandwidthEstimate
    source = null
    hls?.destroy()
    hls = null
  }

  function arm(): void {
    if (hls) return
    let isPrimed = false
    const made: Hls = new Hls(
      configuration(
        () => source,
        (frag, segment) => {
          // Only the first: from then on the order of appends is for hls.js to keep.
          if (isPrimed) return
          isPrimed = true
          const init = initOf(made, frag, segment)
          prime(made, init)
          giveOnlyOnce(made, init)
          learnInit(init)
        },
      ),
    )
    hls = made
    recoveries = 0
    made.on(Hls.Events.ERROR, (_name, { fatal, type }) => {
      if (!fatal) return
      if (type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < 1) {
        recoveries += 1
        made.recoverMediaError()
        return
      }
      onEvent({ type: 'broken' })
    })
    // hls.js reckons the end of the buffer from the playlist, the browser without the encoder's delay:
    // where the last segment is no longer than that delay, hls.js waits for ever for what it has. The
    // API's playlists hold no such segment any more; those of another, or from a cache, may.
    made.on(Hls.Events.BUFFER_APPENDED, (_name, { frag }) => {
      const details = frag && made.levels[frag.level]?.details
      if (details && frag.sn === details.endSN && frag.duration < SLIVER_S) {
        made.trigger(Hls.Events.BUFFER_EOS, { type: 'audio' })
      }
    })
    // Recovering, which hls.js also does by itself, makes a new MediaSource: the element is paused
    // then, and says nothing of it.
    made.on(Hls.Events.MEDIA_ATTACHED, () => {
      if (isWanted && element.paused) play()
    })
    made.attachMedia(element)
    hasDecoder = false
    const setUpDecoder = (init: Init): void => {
      if (hls !== made || source) return
      hasDecoder = true
      prime(made, init)
    }
    if (knownInit) setUpDecoder(knownInit)
    else waitingForInit.add(setUpDecoder)
  }

  return {
    element,
    arm,
    load(fresh, positionS, isUrgent) {
      if (source) remove()
      arm()
      source = fresh
      fresh.keys.moved(positionS)
      if (!hls) return
      // In the configuration, since loading a source forgets what the setter was told.
      hls.config.startLevel = isUrgent || knownBandwidth === null ? 0 : -1
      if (knownBandwidth !== null) hls.bandwidthEstimate = knownBandwidth
      hls.config.startPosition = positionS > 0 ? positionS : -1
      // Loading begins with new buffers, unless they are handed over as by another hls.js.
      const buffers = hasDecoder ? hls.transferMedia() : null
      hls.loadSource(fresh.masterUrl)
      if (buffers) hls.attachMedia(buffers)
    },
    play,
    pause,
    seek(positionS) {
      element.currentTime = positionS
      source?.keys.moved(positionS)
    },
    stop() {
      if (source) remove()
      pause()
      arm()
    },
    destroy() {
      remove()
      element.pause()
      for (const [name, listener] of listeners) element.removeEventListener(name, listener)
    },
  }
}

/** Whether this browser can play at all: it needs Media Source Extensions. */
export function isPlayable(): boolean {
  return Hls.isSupported()
}
