import type { TrackId } from './ids.ts'

/**
 * Key periods: three 4-second segments share one AES-128 key. To hear a period a client must lease
 * its key, and leasing is what debits the day's budget.
 */

/** Segments that share one key (architecture, decision 1). */
export const SEGMENTS_PER_PERIOD = 3

/** Nominal length of a segment; the real one is a whole number of AAC frames close to it. */
export const NOMINAL_SEGMENT_S = 4

/** Samples in one AAC-LC frame (ISO/IEC 14496-3). */
export const AAC_FRAME_SAMPLES = 1024

/**
 * Samples in every segment but the last: the whole number of AAC frames nearest to four seconds.
 * 172 frames (3.994 s) at 44.1 kHz, 188 frames (4.011 s) at 48 kHz. It is the same in all
 * renditions, so they are cut at the same instants.
 */
export function segmentSamples(sampleRate: number): number {
  return Math.round((NOMINAL_SEGMENT_S * sampleRate) / AAC_FRAME_SAMPLES) * AAC_FRAME_SAMPLES
}

export type MediaTiming = {
  /** Hz */
  sampleRate: number
  /** Samples of sound, priming and padding not counted. */
  sampleCount: number
  /** Samples in every segment but the last. */
  segmentSamples: number
  /** Encoder delay in samples that come before the first sample of sound in the stream. */
  primingSamples: number
}

/** Number of segments of a rendition: enough whole segments to hold priming and sound. */
export function segmentCount(timing: MediaTiming): number {
  const frames = Math.ceil((timing.sampleCount + timing.primingSamples) / AAC_FRAME_SAMPLES)
  return Math.max(1, Math.ceil((frames * AAC_FRAME_SAMPLES) / timing.segmentSamples))
}

/** Number of key periods: every third segment starts one. */
export function periodCount(timing: MediaTiming): number {
  return Math.ceil(segmentCount(timing) / SEGMENTS_PER_PERIOD)
}

/** The period that segment `segment` (zero-based) belongs to. */
export function periodOfSegment(segment: number): number {
  return Math.floor(segment / SEGMENTS_PER_PERIOD)
}

/**
 * What a period is charged, in milliseconds: the sound it really holds, so the last one is cheaper
 * and the charges of all periods add up to the track's duration. `lease_key_period` in SQL computes
 * the same; a test holds the two together.
 */
export function periodChargeMs(timing: MediaTiming, period: number): number {
  const periodSamples = timing.segmentSamples * SEGMENTS_PER_PERIOD
  const start = Math.min(period * periodSamples, timing.sampleCount)
  const end =
    period + 1 >= periodCount(timing)
      ? timing.sampleCount
      : Math.min((period + 1) * periodSamples, timing.sampleCount)
  return (
    Math.round((end * 1000) / timing.sampleRate) - Math.round((start * 1000) / timing.sampleRate)
  )
}

/**
 * Derives the AES-128 key of one key period: HKDF-SHA256 (RFC 5869), 16 bytes. The salt is empty,
 * as RFC 5869 §3.1 allows where the input is already uniformly random.
 *
 * @param masterKey 16 bytes, unwrapped
 * @param period zero-based; period n covers segments 3n … 3n+2
 */
export async function derivePeriodKey(
  masterKey: Uint8Array<ArrayBuffer>,
  trackId: TrackId,
  version: number,
  period: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const material = await crypto.subtle.importKey('raw', masterKey, 'HKDF', false, ['deriveBits'])
  const info = new TextEncoder().encode(`mist/hls/v1/${trackId}/${version}/${period}`)
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info },
    material,
    128,
  )
  return new Uint8Array(bits)
}

/**
 * The initialisation vector of one segment: the rendition's random 16-byte seed with the segment
 * number XORed into its last four bytes. Unique for every message under one key, unpredictable
 * before publication, and one row instead of one per segment.
 */
export function segmentIv(ivSeed: Uint8Array, segment: number): Uint8Array<ArrayBuffer> {
  const iv = new Uint8Array(16)
  iv.set(ivSeed.subarray(0, 16))
  const view = new DataView(iv.buffer)
  view.setUint32(12, (view.getUint32(12) ^ segment) >>> 0)
  return iv
}
