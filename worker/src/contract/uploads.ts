import {
  JobId,
  lineOfText,
  MAX_FILENAME_CHARS,
  MAX_TRACK_ARTISTS,
  TrackText,
  UploadId,
} from '@mist/db/contract'
import { z } from 'zod'
import { HeaderText, MediaType } from './text.ts'

/** What the admin knows about the recording; it wins over the file's own tags. */
const UploadMetadata = z.object({
  title: TrackText.title.optional(),
  artists: z.array(TrackText.title).max(MAX_TRACK_ARTISTS).optional(),
  album: TrackText.album.optional(),
  genres: TrackText.genres.optional(),
  year: TrackText.year.optional(),
  trackNumber: TrackText.trackNumber.optional(),
  attribution: TrackText.attribution.optional(),
})

/** A file that is about to be uploaded. */
export const NewUpload = z
  .object({
    filename: lineOfText(1, MAX_FILENAME_CHARS),
    sizeBytes: z.int().nonnegative(),
    contentType: MediaType.max(200).default(''),
    metadata: UploadMetadata.optional(),
  })
  .meta({ id: 'NewUpload' })
export type NewUpload = z.infer<typeof NewUpload>

const ticket = {
  uploadId: UploadId,
  jobId: JobId,
  /** When the URLs stop working; `GET uploads/:uploadId` gives fresh ones. */
  expiresAt: z.iso.datetime(),
}

/** How to send the bytes: one PUT, or parts. Each URL takes exactly the size it was made for. */
export const UploadTicket = z
  .discriminatedUnion('method', [
    z.object({
      ...ticket,
      method: z.literal('PUT'),
      url: z.url(),
      /** Must be sent as they are: they are signed. `if-none-match: *` makes the URL good for once. */
      headers: z.record(z.string(), z.string()),
    }),
    z.object({
      ...ticket,
      method: z.literal('MULTIPART'),
      partSizeBytes: z.int(),
      parts: z.array(
        z.object({
          partNumber: z.int(),
          url: z.url(),
          sizeBytes: z.int(),
          /** Given where the part is stored already; sending it again is not needed. */
          etag: z.string().optional(),
        }),
      ),
    }),
  ])
  .meta({ id: 'UploadTicket' })
export type UploadTicket = z.infer<typeof UploadTicket>

export const UploadCompletion = z
  .object({
    parts: z
      .array(z.object({ partNumber: z.int().min(1).max(10_000), etag: HeaderText.min(1).max(200) }))
      .max(10_000)
      .optional(),
  })
  .meta({ id: 'UploadCompletion' })
export type UploadCompletion = z.infer<typeof UploadCompletion>
