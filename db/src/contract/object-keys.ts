import type { TrackId, UploadId } from './ids.ts'

/**
 * The one speller of object keys. The media bucket holds ciphertext, clear init segments and covers;
 * originals live in a bucket of their own that is never public.
 */

/** Edge lengths in pixels of the square covers that every track with a picture has. */
export const COVER_SIZES = [96, 320, 800] as const
export type CoverSize = (typeof COVER_SIZES)[number]

/** Prefix of everything that one run of the transcoder writes: `tracks/<id>/<version>/`. */
export function versionPrefix(trackId: TrackId, version: number): string {
  return `tracks/${trackId}/${version}/`
}

/** Prefix of all that a track has in the media bucket. */
export function trackPrefix(trackId: TrackId): string {
  return `tracks/${trackId}/`
}

/** Key of the clear CMAF init segment of one rendition. */
export function initKey(trackId: TrackId, version: number, rendition: string): string {
  return `${versionPrefix(trackId, version)}${rendition}/init.mp4`
}

/** Key of one encrypted 4-second segment; `segment` is zero-based. */
export function segmentKey(
  trackId: TrackId,
  version: number,
  rendition: string,
  segment: number,
): string {
  return `${versionPrefix(trackId, version)}${rendition}/${segment}.m4s`
}

/** Key of a cover as WebP, `size` pixels square. */
export function coverKey(trackId: TrackId, version: number, size: CoverSize): string {
  return `${versionPrefix(trackId, version)}cover-${size}.webp`
}

/** Key, in the originals bucket, of what the admin uploaded. */
export function originalKey(uploadId: UploadId): string {
  return `originals/${uploadId}`
}

/** Key, in each of the two buckets, of the mark that says to which installation the bucket belongs. */
export const OWNER_MARK_KEY = '.mist/owner.json'
