/** Defaults of the limits that configuration can change. */

/** Largest file that may be uploaded, bytes (2 GiB). */
export const MAX_UPLOAD_BYTES = 2 * 1024 ** 3

/** Up to this size a file goes up in one PUT; above it, in parts (100 MB). */
export const SINGLE_PART_LIMIT_BYTES = 100_000_000

/** Size of each part but the last; S3 allows 5 MiB … 5 GiB and 10,000 parts. */
export const PART_SIZE_BYTES = 16 * 1024 ** 2

/** Life of the presigned URLs of an upload. */
export const UPLOAD_EXPIRES_S = 3600

export const ACCESS_TOKEN_S = 15 * 60

export const REFRESH_TOKEN_S = 30 * 24 * 3600

/**
 * How long a refresh token that was just exchanged may come again and is answered with the same next
 * one: longer than a browser waits for an answer, shorter than anybody needs to use a stolen one.
 */
export const REFRESH_GRACE_S = 30

export const PAGE_LIMIT_DEFAULT = 24
export const PAGE_LIMIT_MAX = 100

/** The renditions of the default ladder, bits per second. */
export const DEFAULT_LADDER = [64_000, 128_000, 192_000] as const

/** Dimensions of the audio embedding; L2-normalised, compared by cosine. */
export const EMBEDDING_DIMENSIONS = 40

/** What the upload page offers and the API accepts: extension → content types. */
export const AUDIO_TYPES = {
  mp3: ['audio/mpeg', 'audio/mp3'],
  flac: ['audio/flac', 'audio/x-flac'],
  wav: ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave'],
  m4a: ['audio/mp4', 'audio/x-m4a', 'audio/m4a'],
  mp4: ['audio/mp4', 'video/mp4'],
  ogg: ['audio/ogg', 'application/ogg', 'video/ogg'],
  oga: ['audio/ogg', 'application/ogg'],
  opus: ['audio/ogg', 'audio/opus'],
  aac: ['audio/aac', 'audio/aacp', 'audio/x-aac', 'audio/vnd.dlna.adts'],
  aif: ['audio/aiff', 'audio/x-aiff'],
  aiff: ['audio/aiff', 'audio/x-aiff'],
} as const satisfies Record<string, readonly string[]>
