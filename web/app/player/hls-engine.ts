import Hls, { ChunkMetadata } from 'hls.js/light'
import type {
  BufferCodecsData,
  Fragment,
  FragmentLoaderContext,
  HlsConfig,
  LoaderContext,
  PlaylistLoaderContext,
} from 'hls.js'
import type { HlsFiles } from './hls-files.ts'
import { withoutDuration } from './init-segment.ts'
import type { KeyLoader } from './key-loader.ts'
import { makeLoaderClass } from './loader.ts'

/** What a deck plays: the URL of the master playlist, and where files and keys come from. */
export type Source = { masterUrl: string; files: HlsFiles; keys: KeyLoader }

export type DeckEvent =
  | { type: 'playing' }
  | { type: 'paused' }
  | { type: 'stalled' }
  | { type: 'progress'; positionS: number; bufferedToS: number; durationS: number }
  | { type: 'ended' }
  | { type: 'autoplay-blocked' }
  | { type: 'failed' }

/** An audio element with its own hls.js. Two of them take turns, so that the next track can be prepared. */
export type Deck = {
  readonly element: HTMLAudioElement
  /**
   * Attaches an empty MediaSource in advance, and sets up its decoder with the latest init segment of
   * any track: these two take longer than everything else before the sound.
   */
  warmUp(): void
  /**
   * Starts loading and buffering, without playing.
   *
   * @param isUrgent whether the listener is waiting: starts with the lightest rendition. Otherwise
   * with the best one for the known bandwidth
   */
  load(source: Source, positionS: number, isUrgent: boolean): void
  play(): void
  pause(): void
  seek(positionS: number): void
  /** Stops, drops the source and warms up again. */
  stop(): void
  destroy(): void
}

/** Ciphertext is not charged, so it may be fetched ahead of the keys. Seconds. */
const BUFFER_AHEAD_S = 12

/** hls.js never reaches a last segment that is shorter than this. Seconds. */
const SHORTEST_LAST_SEGMENT_S = 0.05

/** Bits per second, measured by the last deck; the next one starts from it. */
let lastBandwidth: number | null = null

const isSame = (a: Uint8Array, b: Uint8Array) =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])

/** An init segment, with what hls.js needs to append it. */
type Init = { codec: string; data: Uint8Array<ArrayBuffer>; frag: Fragment }

/**
 * The latest init segment of any deck, without its track's duration: the decoder it sets up serves
 * any other track as well.
 */
let latestInit: Init | null = null

/** Callbacks of decks that wait for a first init segment. */
const waitingForInit = new Set<(init: Init) => void>()

function rememberInit(init: Init): void {
  latestInit = { ...init, data: withoutDuration(init.data) }
  for (const use of waitingForInit) use(latestInit)
  waitingForInit.clear()
}

function initOf(hls: Hls, frag: Fragment, segment: ArrayBuffer): Init {
  const codec = hls.levels[frag.level]?.audioCodec ?? 'mp4a.40.2'
  return { codec, data: new Uint8Array(segment.slice(0)), frag }
}

/** Appends an init segment through hls.js's own queue. */
function appendInit(hls: Hls, { codec, data, frag }: Init): void {
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

/** Keeps hls.js from appending the same init segment again, together with the first media segment. */
function dropSecondInit(hls: Hls, { data }: Init): void {
  const skip = (_name: string, { audio }: BufferCodecsData): void => {
    if (audio?.initSegment && isSame(audio.initSegment, data)) delete audio.initSegment
  }
  hls.once(Hls.Events.BUFFER_CODECS, skip)
  // Recovering from an error makes a new buffer, which needs the init segment.
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
    current().files.playlist(url, signal),
  )
  const fragments = makeLoaderClass<FragmentLoaderContext>(async ({ url, frag }, signal) => {
    const { files, keys } = current()
    const file = await files.media(url, signal)
    if (frag.sn === 'initSegment' && file.data instanceof ArrayBuffer) onInit(frag, file.data)
    const keyUrl = frag.decryptdata?.uri
    if (keyUrl) await keys.waitFor(keyUrl, signal)
    // hls.js estimates bandwidth from these times: the deliberate wait for the key must not look like
    // a slow connection.
    const endedMs = performance.now()
    return { ...file, startedMs: endedMs - (file.endedMs - file.startedMs), endedMs }
  })
  const keys = makeLoaderClass<LoaderContext>(async ({ url }, signal) => {
    const data = await current().keys.load(url, signal)
    const at = performance.now()
    return { data, startedMs: at, endedMs: at }
  })
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
  /** Whether the decoder is set up, with the init segment of another track. */
  let hasDecoder = false
  /** Whether to play as soon as possible. */
  let shouldPlay = false
  /** Where the source starts, as long as the element is not there yet. */
  let startS: number | null = null
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

  /** Before hls.js has gone to where the source starts, the element is at 0. */
  function hasArrived(): boolean {
    if (startS !== null && Math.abs(element.currentTime - startS) < 1) startS = null
    return startS === null
  }

  function reportToKeys(): void {
    if (source && hasArrived()) source.keys.setPosition(element.currentTime, !element.paused)
  }

  function report(): void {
    if (!source) return
    reportToKeys()
    onEvent({
      type: 'progress',
      positionS: element.currentTime,
      bufferedToS: bufferedToS(),
      durationS: Number.isFinite(element.duration) ? element.duration : 0,
    })
  }

  function notify(type: 'playing' | 'stalled' | 'ended') {
    return () => {
      if (source) onEvent({ type })
    }
  }

  const listeners: [string, () => void][] = [
    [
      'playing',
      () => {
        startS = null
        notify('playing')()
        reportToKeys()
      },
    ],
    ['play', reportToKeys],
    ['waiting', notify('stalled')],
    ['ended', notify('ended')],
    ['timeupdate', report],
    ['progress', report],
    ['seeking', report],
    [
      'pause',
      () => {
        if (element.paused) shouldPlay = false
        reportToKeys()
        // The element also pauses when it ends, which is reported as `ended`.
        if (source && !element.ended) onEvent({ type: 'paused' })
      },
    ],
  ]
  for (const [name, listener] of listeners) element.addEventListener(name, listener)

  function play(): void {
    shouldPlay = true
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        onEvent({ type: 'autoplay-blocked' })
      }
    })
  }

  function pause(): void {
    shouldPlay = false
    element.pause()
  }

  function remove(): void {
    if (hls && source && hls.bandwidthEstimate > 0) lastBandwidth = hls.bandwidthEstimate
    source = null
    hls?.destroy()
    hls = null
  }

  function warmUp(): void {
    if (hls) return
    let hasInit = false
    const made: Hls = new Hls(
      configuration(
        () => source,
        (frag, segment) => {
          // Only the first: after that, hls.js decides the order of appends.
          if (hasInit) return
          hasInit = true
          const init = initOf(made, frag, segment)
          appendInit(made, init)
          dropSecondInit(made, init)
          rememberInit(init)
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
      onEvent({ type: 'failed' })
    })
    // hls.js computes the end of the buffer from the HLS playlist, the browser without the encoder's
    // delay: if the last segment is no longer than that delay, hls.js waits for it for ever. The API
    // lists no such segment any more; a cached HLS playlist may.
    made.on(Hls.Events.BUFFER_APPENDED, (_name, { frag }) => {
      const details = frag && made.levels[frag.level]?.details
      if (details && frag.sn === details.endSN && frag.duration < SHORTEST_LAST_SEGMENT_S) {
        made.trigger(Hls.Events.BUFFER_EOS, { type: 'audio' })
      }
    })
    // Recovering, which hls.js also does by itself, makes a new MediaSource, and the element then
    // pauses without an event.
    made.on(Hls.Events.MEDIA_ATTACHED, () => {
      if (shouldPlay && element.paused) play()
    })
    made.attachMedia(element)
    hasDecoder = false
    const setUpDecoder = (init: Init): void => {
      if (hls !== made || source) return
      hasDecoder = true
      appendInit(made, init)
    }
    if (latestInit) setUpDecoder(latestInit)
    else waitingForInit.add(setUpDecoder)
  }

  return {
    element,
    warmUp,
    load(fresh, positionS, isUrgent) {
      if (source) remove()
      warmUp()
      source = fresh
      startS = positionS
      fresh.keys.setPosition(positionS, !element.paused)
      if (!hls) return
      // In the configuration, because loading a source resets what the setters set.
      hls.config.startLevel = isUrgent || lastBandwidth === null ? 0 : -1
      if (lastBandwidth !== null) hls.bandwidthEstimate = lastBandwidth
      hls.config.startPosition = positionS > 0 ? positionS : -1
      // Loading would begin with new buffers, unless they are transferred as if from another hls.js.
      const buffers = hasDecoder ? hls.transferMedia() : null
      hls.loadSource(fresh.masterUrl)
      if (buffers) hls.attachMedia(buffers)
    },
    play,
    pause,
    seek(positionS) {
      startS = null
      element.currentTime = positionS
    },
    stop() {
      if (source) remove()
      pause()
      warmUp()
    },
    destroy() {
      remove()
      element.pause()
      for (const [name, listener] of listeners) element.removeEventListener(name, listener)
    },
  }
}

/** Whether this browser has the Media Source Extensions that hls.js needs. */
export function isPlayable(): boolean {
  return Hls.isSupported()
}
