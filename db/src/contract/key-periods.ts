import type { TrackId } from './ids.ts'

/**
 * Key periods: the 4-second segments that share one AES-128 key. To hear a period a client must lease
 * its key, and leasing is what debits the day's budget.
 */

/**
 * Segments that share one key in new versions (decision 0001). Versions of before have 3; each version's own
 * is `track_versions.segments_per_period`.
 */
export const SEGMENTS_PER_PERIOD_NEW = 1

/** Most key periods that one lease grants; `lease_key_periods` in SQL knows no more. */
export const LEASE_MAX_PERIODS = 3

/** Segments are cut on a grid of four seconds. */
export const SEGMENT_S = 4

/**
 * What is left behind the last point of the grid has to last longer than this to be a segment of its
 * own, and so perhaps a period; a shorter rest belongs to the segment before. Players reckon the end
 * of the buffer with and without the encoder's delay (a frame, 23 ms): hls.js never finds the end of a
 * track whose last segment lasts no longer than that. Twice as much leaves room, and is not worth a key.
 */
export const LEAST_LAST_SEGMENT_MS = 50

/** Samples in one AAC-LC frame (ISO/IEC 14496-3). */
export const AAC_FRAME_SAMPLES = 1024

export type MediaTiming = {
  /** Hz */
  sampleRate: number
  /** Samples of sound, priming and padding not counted. */
  sampleCount: number
  /** Encoder delay: samples that come before the first sample of sound in the stream. */
  primingSamples: number
}

/**
 * The stream's frame with which segment `segment` begins: the first at or after its point on the
 * four-second grid. Four seconds are 172.27 AAC frames at 44.1 kHz, so segments hold 172 or 173
 * frames, the grid never drifts, and segment n is the seconds 4n … 4n+4 to within one frame (23 ms)
 * however long the track is. It is the same in all renditions, so they are cut at the same instants.
 */
export function segmentStartFrame(sampleRate: number, segment: number): number {
  return Math.ceil((segment * SEGMENT_S * sampleRate) / AAC_FRAME_SAMPLES)
}

/** Number of AAC frames in a rendition: enough whole ones to hold priming and sound. */
export function frameCount({ sampleCount, primingSamples }: MediaTiming): number {
  return Math.ceil((sampleCount + primingSamples) / AAC_FRAME_SAMPLES)
}

/** Length of the sound in whole milliseconds: what segments, periods and charges are reckoned from. */
export function durationMs({
  sampleRate,
  sampleCount,
}: Omit<MediaTiming, 'primingSamples'>): number {
  return Math.round((sampleCount * 1000) / sampleRate)
}

/**
 * Number of segments of a rendition. The last may be short, though not shorter than
 * {@link LEAST_LAST_SEGMENT_MS}, or longer by as much.
 */
export function segmentCount(timing: MediaTiming): number {
  return Math.max(1, Math.ceil((durationMs(timing) - LEAST_LAST_SEGMENT_MS) / (SEGMENT_S * 1000)))
}

/** Number of key periods; `period_count` in SQL is the same. */
export function periodCount(timing: MediaTiming, segmentsPerPeriod: number): number {
  return Math.ceil(segmentCount(timing) / segmentsPerPeriod)
}

/** The period that segment `segment` (zero-based) belongs to. */
export function periodOfSegment(segment: number, segmentsPerPeriod: number): number {
  return Math.floor(segment / segmentsPerPeriod)
}

/**
 * What a period is charged, in milliseconds: its own length, and for the last one what is left of
 * the track, so the charges of all periods add up to its duration, and none is 0. `period_charge_ms`
 * in SQL computes the same; a test holds the two together.
 */
export function periodChargeMs(
  timing: MediaTiming,
  period: number,
  segmentsPerPeriod: number,
): number {
  const count = periodCount(timing, segmentsPerPeriod)
  const periodMs = segmentsPerPeriod * SEGMENT_S * 1000
  if (period >= count) return 0
  return period === count - 1 ? durationMs(timing) - period * periodMs : periodMs
}

/** A master key ready for derivation; cannot be exported. (Node and workerd name the type differently.) */
export type MasterKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** @param bytes 16 bytes, unwrapped */
export function importMasterKey(bytes: Uint8Array<ArrayBuffer>): Promise<MasterKey> {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits'])
}

/**
 * Derives the AES-128 key of one key period: HKDF-SHA256 (RFC 5869), 16 bytes. The salt is empty,
 * as RFC 5869 §3.1 allows where the input is already uniformly random.
 *
 * @param masterKey 16 bytes, unwrapped, or imported where more than one key is derived of it
 * @param period zero-based; which segments it covers says {@link periodOfSegment}
 */
export async function derivePeriodKey(
  masterKey: Uint8Array<ArrayBuffer> | MasterKey,
  trackId: TrackId,
  version: number,
  period: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const material = masterKey instanceof Uint8Array ? await importMasterKey(masterKey) : masterKey
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
