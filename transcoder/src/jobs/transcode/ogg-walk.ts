import { open } from 'node:fs/promises'
import { openWindow } from './file-window.ts'

/** A page is at most 65,307 bytes (RFC 3533 §6). */
const AHEAD_BYTES = 65_307

type Stream = { rate: number; firstSamples: number; lastGranule: bigint | null }

/** What an Ogg file consists of. */
type OggWalk = {
  /**
   * Seconds that the links of a chain last together; null for a file of one link, of which ffprobe tells
   * the truth. Radio recordings and joined files are one stream after another, and ffprobe tells the
   * length of one of them alone.
   */
  chainS: number | null
  /** Whether much follows the last page, which does not say that it is the last. */
  endsInRubbish: boolean
}

/** Tags that somebody put behind a file are shorter; the rest of one that was lost is not. */
const MOST_BEHIND_BYTES = 256

/** Walks through an Ogg file from page to page. */
export async function walkOgg(file: string, signal: AbortSignal): Promise<OggWalk> {
  await using handle = await open(file)
  const window = await openWindow(handle, signal)
  /** By serial number, the streams of the link that is walked through. */
  const link = new Map<number, Stream>()
  let links = 0
  let seconds = 0
  let isAmongFirstPages = false
  let lastPage = { end: 0, isMarked: false }

  for (let at = 0; at + 27 <= window.size;) {
    const page = await window.from(at, AHEAD_BYTES)
    if (page.toString('latin1', 0, 4) !== 'OggS') {
      const next = page.indexOf('OggS', 1, 'latin1')
      at += next > 0 ? next : Math.max(1, page.length - 3)
      continue
    }
    const segments = page.subarray(27, 27 + page[26]!)
    const serial = page.readUInt32LE(14)
    // Streams that play together all begin before the first page of sound (RFC 3533 §4).
    if (page[5]! & 2) {
      if (!isAmongFirstPages) closeLink()
      isAmongFirstPages = true
      const stream = streamOf(page.subarray(27 + segments.length))
      if (stream !== null) link.set(serial, stream)
    } else {
      isAmongFirstPages = false
      const stream = link.get(serial)
      const granule = page.readBigInt64LE(6)
      // -1 says that no packet ends in this page.
      if (stream !== undefined && granule >= 0n) stream.lastGranule = granule
    }
    at += 27 + segments.length + segments.reduce((sum, each) => sum + each, 0)
    lastPage = { end: at, isMarked: (page[5]! & 4) !== 0 }
  }
  closeLink()
  return {
    chainS: links > 1 ? seconds : null,
    endsInRubbish: !lastPage.isMarked && window.size - lastPage.end > MOST_BEHIND_BYTES,
  }

  function closeLink(): void {
    if (link.size === 0) return
    links++
    const lengths = [...link.values()].map(
      ({ rate, firstSamples, lastGranule }) =>
        Math.max(0, Number(lastGranule ?? 0n) - firstSamples) / rate,
    )
    seconds += Math.max(...lengths)
    link.clear()
  }
}

/** Reads the sample rate out of the packet that begins a stream of sound, or null. */
function streamOf(packet: Buffer): Stream | null {
  const starts = (magic: string) => packet.toString('latin1', 0, magic.length) === magic
  if (starts('\x01vorbis') && packet.length >= 16) return startAt(packet.readUInt32LE(12))
  // Opus counts at 48 kHz and from the encoder's delay on (RFC 7845 §4).
  if (starts('OpusHead') && packet.length >= 12) return startAt(48_000, packet.readUInt16LE(10))
  // FLAC's STREAMINFO, after the mapping's 13 bytes and a header of 4 (RFC 9639 §10.1).
  if (starts('\x7fFLAC') && packet.length >= 30) return startAt(packet.readUIntBE(27, 3) >> 4)
  if (starts('Speex   ') && packet.length >= 40) return startAt(packet.readUInt32LE(36))
  return null
}

function startAt(rate: number, firstSamples = 0): Stream | null {
  return rate > 0 ? { rate, firstSamples, lastGranule: null } : null
}
