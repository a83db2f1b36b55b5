import { createCipheriv } from 'node:crypto'
import { derivePeriodKey, periodOfSegment, segmentIv, type TrackId } from '@mist/db/contract'

/**
 * Makes the encryption of one version: AES-128-CBC with PKCS#7 padding for each segment, as HLS's
 * `METHOD=AES-128` wants it (RFC 8216 §4.3.2.4). Keys change every period; they are derived here and
 * never leave.
 */
export function makeSegmentCipher(options: {
  /** 16 bytes. */
  masterKey: Uint8Array<ArrayBuffer>
  trackId: TrackId
  version: number
  /** Segments that share a key. */
  segmentsPerPeriod: number
}) {
  const { masterKey, trackId, version, segmentsPerPeriod } = options
  let current: { period: number; key: Promise<Uint8Array> } | null = null

  function keyOf(period: number): Promise<Uint8Array> {
    // Renditions advance together, so the last key is nearly always the one.
    if (current?.period !== period) {
      current = { period, key: derivePeriodKey(masterKey, trackId, version, period) }
    }
    return current.key
  }

  return {
    /** Encrypts a whole segment. `ivSeed` is its rendition's. */
    async encrypt(ivSeed: Uint8Array, segment: number, clear: Uint8Array): Promise<Buffer> {
      const key = await keyOf(periodOfSegment(segment, segmentsPerPeriod))
      const cipher = createCipheriv('aes-128-cbc', key, segmentIv(ivSeed, segment))
      return Buffer.concat([cipher.update(clear), cipher.final()])
    },
  }
}
