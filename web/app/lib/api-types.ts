export type User = {
  id: string
  email: string
  username: string
  role: 'admin' | 'user'
  plan: 'free' | 'premium'
}
export type SignIn = { user: User; accessExpiresAt: string; refreshExpiresAt: string }
export type Quota = {
  limitS: number | null
  usedS: number
  remainingS: number | null
  unlimited: boolean
  resetsAt: string
}
/** WebP by edge length in pixels. */
export type CoverUrls = { '96': string; '320': string; '800': string }
export type Track = {
  id: string
  title: string
  artists: { id: string; name: string }[]
  album: { id: string; title: string } | null
  genres: string[]
  durationS: number
  coverUrls: CoverUrls | null
  loudnessLufs: number | null
  tempoBpm: number | null
  version: number
  createdAt: string
  year: number | null
  trackNumber: number | null
  attribution: string | null
}
export type SimilarTrack = { track: Track; similarity: number }
export type Page<T> = { items: T[]; nextCursor: string | null }
export type HistoryEntry = {
  sessionId: string
  track: Track
  startedAt: string
  heardS: number
  completed: boolean
}
export type Device = {
  id: string
  createdAt: string
  lastUsedAt: string
  userAgent: string | null
  current: boolean
}
export type ListeningSession = {
  id: string
  token: string
  expiresAt: string
  quota: Quota
  hls: { masterUrl: string; playlists: Record<string, string>; inits: Record<string, string> }
  firstKey: { url: string; keyBase64: string }
}
export type Heard = { heardS: number; expiresAt: string; token: string; quota: Quota }
export type Job = {
  id: string
  status: 'pending_upload' | 'queued' | 'processing' | 'completed' | 'failed'
  step: string | null
  progress: number
  attempts: number
  trackId: string
  error: { code: string; detail: string } | null
  createdAt: string
  startedAt: string | null
  completedAt: string | null
  uploadId: string
  filename: string
}
export type UploadRequest = {
  filename: string
  sizeBytes: number
  contentType: string
  metadata?: { title?: string }
}
export type StartedUpload = {
  uploadId: string
  jobId: string
  expiresAt: string
} & (
  | { method: 'PUT'; url: string; headers: { 'content-type': string } }
  | {
      method: 'MULTIPART'
      partSizeBytes: number
      parts: { partNumber: number; url: string; sizeBytes: number; etag?: string }[]
    }
)
