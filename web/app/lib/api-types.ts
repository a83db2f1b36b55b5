import type { ListeningSession, Track, UploadTicket } from '@mist/worker/client'

export type {
  Album,
  Artist,
  AuthSession,
  Credit,
  Job,
  JobStep,
  ListeningSession,
  NewUpload,
  Page,
  Quota,
  Suggestion,
  Track,
  UploadTicket,
  User,
} from '@mist/worker/client'

/** WebP by edge length in pixels. */
export type CoverUrls = NonNullable<Track['coverUrls']>
export type Hls = NonNullable<ListeningSession['hls']>
export type MultipartTicket = Extract<UploadTicket, { method: 'MULTIPART' }>
