import { hc } from 'hono/client'
import type { adminRoutes } from './routes/admin.ts'
import type { albumRoutes, genreRoutes } from './routes/albums.ts'
import type { artistRoutes } from './routes/artists.ts'
import type { authRoutes } from './routes/auth.ts'
import type { creditRoutes } from './routes/credits.ts'
import type { jobRoutes } from './routes/jobs.ts'
import type { listeningSessionRoutes } from './routes/listening-sessions.ts'
import type { lyricsRoutes } from './routes/lyrics.ts'
import type { meRoutes } from './routes/me.ts'
import type { quotaRoutes } from './routes/quota.ts'
import type { searchRoutes } from './routes/search.ts'
import type { trackAdminRoutes, trackRoutes } from './routes/tracks.ts'
import type { uploadRoutes } from './routes/uploads.ts'

export type {
  AuthSession,
  Login,
  PasswordChange,
  Registration,
  AuthTokens,
  User,
} from './contract/accounts.ts'
export type { AlbumWithTracks, Genre } from './contract/browse.ts'
export type { Album, Artist, CoverUrls } from './contract/catalogue.ts'
export type { Credit } from './contract/credits.ts'
export type { Job } from './contract/jobs.ts'
export type {
  Completion,
  Heartbeat,
  ListeningSession,
  ListeningTotals,
  NewListeningSession,
  Play,
} from './contract/listening.ts'
export type { NewLyrics, TrackLyrics } from './contract/lyrics.ts'
export type { Page } from './contract/pages.ts'
export type { SearchAnswer, Suggestion } from './contract/search.ts'
export type { SimilarTrack, Track, TrackAnalysis, TrackPatch } from './contract/tracks.ts'
export type { NewUpload, UploadCompletion, UploadTicket } from './contract/uploads.ts'
export type { ProblemShape as Problem } from './contract/problem.ts'
export type {
  JobErrorCode,
  JobStatus,
  JobStep,
  PlanId,
  ProblemCode,
  Quota,
  Role,
} from '@mist/db/contract'
export {
  AUDIO_TYPES,
  isOnlyNames,
  isTrivialPassword,
  MAX_UPLOAD_BYTES,
  PASSWORD_MIN_CHARS,
  passwordChars,
  SINGLE_PART_LIMIT_BYTES,
} from '@mist/db/contract'

/** What {@link makeClient} takes besides the address. */
export type ClientOptions = {
  /** Sends the requests; on the server, a service binding's `fetch`. */
  fetch?: typeof fetch
  headers?: Record<string, string> | (() => Record<string, string>)
  /** Such as `{ credentials: 'include' }`. */
  init?: RequestInit
}

/**
 * Makes the typed client: one object per resource, `client.tracks[':id'].$get({ param: { id } })`.
 * Refusals are answers, not exceptions: look at `response.ok`, else read a `Problem`.
 *
 * @param origin of the API, such as `https://music.example`; in a browser `location.origin`
 */
export function makeClient(origin: string, options: ClientOptions = {}) {
  const at = (resource: string) => new URL(`/api/v1/${resource}`, origin).toString()
  return {
    auth: hc<typeof authRoutes>(at('auth'), options),
    tracks: hc<typeof trackRoutes>(at('tracks'), options),
    artists: hc<typeof artistRoutes>(at('artists'), options),
    albums: hc<typeof albumRoutes>(at('albums'), options),
    genres: hc<typeof genreRoutes>(at('genres'), options),
    search: hc<typeof searchRoutes>(at('search'), options),
    credits: hc<typeof creditRoutes>(at('credits'), options),
    /** Changing tracks: for admins. */
    trackAdmin: hc<typeof trackAdminRoutes>(at('tracks'), options),
    lyrics: hc<typeof lyricsRoutes>(at('tracks'), options),
    listeningSessions: hc<typeof listeningSessionRoutes>(at('listening-sessions'), options),
    quota: hc<typeof quotaRoutes>(at('quota'), options),
    me: hc<typeof meRoutes>(at('me'), options),
    uploads: hc<typeof uploadRoutes>(at('uploads'), options),
    jobs: hc<typeof jobRoutes>(at('jobs'), options),
    admin: hc<typeof adminRoutes>(at('admin'), options),
  }
}

export type Client = ReturnType<typeof makeClient>
