import { plainUrl } from './hls-files.ts'

/** A stretch of a track that one key opens. */
export type KeyPeriod = {
  /** Of the key, without a token. */
  url: string
  /** By which it is leased. */
  number: number
  startS: number
  endS: number
}

const KEY = /^#EXT-X-KEY:.*?URI="([^"]+)"/
const DURATION = /^#EXTINF:([\d.]+)/

/**
 * Reads a track's key periods off the HLS playlist of one of its renditions, which are all cut alike.
 * How many segments share a key differs from version to version, and only the playlist says so.
 * Empty where it is no playlist of encrypted segments.
 */
export function keyPeriodsOf(playlist: string, origin: string): KeyPeriod[] {
  const periods: KeyPeriod[] = []
  let uri: string | null = null
  let lastUri: string | null = null
  let atS = 0
  for (const line of playlist.split('\n')) {
    uri = KEY.exec(line)?.[1] ?? uri
    const duration = DURATION.exec(line)?.[1]
    if (duration === undefined || uri === null) continue
    const startS = atS
    atS += Number(duration)
    const last = periods.at(-1)
    if (last && uri === lastUri) {
      last.endS = atS
    } else {
      const url = plainUrl(uri, origin)
      periods.push({ url, number: Number(url.slice(url.lastIndexOf('/') + 1)), startS, endS: atS })
    }
    lastUri = uri
  }
  return periods
}

/** Index of the period that is heard at `positionS`; the last one beyond the end, −1 where there is none. */
export function periodAt(periods: readonly KeyPeriod[], positionS: number): number {
  const index = periods.findIndex(({ endS }) => positionS < endS)
  return index === -1 ? periods.length - 1 : index
}
