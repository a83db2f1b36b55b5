import {
  AAC_FRAME_SAMPLES,
  frameCount,
  initKey,
  type MediaTiming,
  periodOfSegment,
  segmentCount,
  segmentIv,
  segmentKey,
  segmentStartFrame,
  type TrackId,
} from '@mist/db/contract'

/** All that an HLS playlist is made of, but for where it is served: that is in `HlsUrls`. */
export type HlsTrack = {
  trackId: TrackId
  version: number
  timing: MediaTiming
  /** Segments that share one key. */
  segmentsPerPeriod: number
}

export type HlsRendition = {
  name: string
  peakBandwidth: number
  averageBandwidth: number
  codecs: string
  ivSeed: Uint8Array
}

/** Where playlists, keys and media are; the API's own are path-absolute, so no host is baked in. */
export type HlsUrls = {
  /** `/api/v1` */
  apiBase: string
  /** `/api/v1/media`, or the CDN in front of the media bucket */
  mediaBase: string
  /** Session token for players that can't send headers; goes into playlist and key URLs. */
  token: string | null
}

const withToken = (url: string, token: string | null) =>
  token === null ? url : `${url}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`

/** URL of the master playlist of one version. */
export function masterUrl(
  { trackId, version }: Pick<HlsTrack, 'trackId' | 'version'>,
  { apiBase, token }: HlsUrls,
): string {
  return withToken(`${apiBase}/tracks/${trackId}/hls/master.m3u8?v=${version}`, token)
}

/** URL of the media playlist of one rendition. */
export function renditionUrl(
  { trackId, version }: Pick<HlsTrack, 'trackId' | 'version'>,
  name: string,
  { apiBase, token }: HlsUrls,
): string {
  return withToken(`${apiBase}/tracks/${trackId}/hls/${name}.m3u8?v=${version}`, token)
}

/** URL of the key of one period. */
export function keyUrl(
  { trackId, version }: Pick<HlsTrack, 'trackId' | 'version'>,
  period: number,
  { apiBase, token }: HlsUrls,
): string {
  return withToken(`${apiBase}/keys/${trackId}/${version}/${period}`, token)
}

/** URL of the init segment of one rendition. */
export function initUrl(
  { trackId, version }: Pick<HlsTrack, 'trackId' | 'version'>,
  name: string,
  { mediaBase }: HlsUrls,
): string {
  return `${mediaBase}/${initKey(trackId, version, name)}`
}

/** Writes the master playlist; renditions in the given order, which should rise. */
export function masterPlaylist(
  track: HlsTrack,
  renditions: readonly HlsRendition[],
  urls: HlsUrls,
): string {
  const variants = renditions.flatMap((rendition) => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${rendition.peakBandwidth},AVERAGE-BANDWIDTH=${rendition.averageBandwidth},CODECS="${rendition.codecs}"`,
    renditionUrl(track, rendition.name, urls),
  ])
  return `${['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS', ...variants].join('\n')}\n`
}

/**
 * Seconds of each segment, priming and padding included: whole AAC frames between two points of the
 * four-second grid, and in the last one what is left.
 *
 * In media of before LEAST_LAST_SEGMENT_MS that rest may be an object of its own, which is not listed:
 * players never find the end behind it. The last segment is then shorter than said by at most 73 ms.
 */
export function segmentDurations(timing: MediaTiming): number[] {
  const count = segmentCount(timing)
  const startOf = (segment: number) =>
    segment === count ? frameCount(timing) : segmentStartFrame(timing.sampleRate, segment)
  return Array.from(
    { length: count },
    (_, segment) =>
      ((startOf(segment + 1) - startOf(segment)) * AAC_FRAME_SAMPLES) / timing.sampleRate,
  )
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

/**
 * Writes the media playlist of one rendition: CMAF segments, each with an IV of its own, under the
 * keys of their periods (RFC 8216 §4.3.2.4). The init segment is clear, hence EXT-X-MAP comes
 * before the first EXT-X-KEY.
 *
 * @param durations of the segments, seconds; all renditions share them, so compute them once for
 *   several playlists
 */
export function mediaPlaylist(
  track: HlsTrack,
  rendition: Pick<HlsRendition, 'name' | 'ivSeed'>,
  urls: HlsUrls,
  durations: readonly number[] = segmentDurations(track.timing),
): string {
  const { trackId, version, segmentsPerPeriod } = track
  // RFC 8216 §4.3.3.1: no EXTINF, rounded to the nearest integer, may exceed the target.
  const target = durations.reduce((longest, durationS) => Math.max(longest, durationS), 1)
  let text = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:${Math.round(target)}
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="${initUrl(track, rendition.name, urls)}"
`
  for (const [segment, durationS] of durations.entries()) {
    const key = keyUrl(track, periodOfSegment(segment, segmentsPerPeriod), urls)
    text += `#EXT-X-KEY:METHOD=AES-128,URI="${key}",IV=0x${hex(segmentIv(rendition.ivSeed, segment))}
#EXTINF:${durationS.toFixed(6)},
${urls.mediaBase}/${segmentKey(trackId, version, rendition.name, segment)}
`
  }
  return `${text}#EXT-X-ENDLIST\n`
}
