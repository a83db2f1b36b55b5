import { read } from '../lib/api.ts'
import type { Api } from '../lib/api.ts'
import type { NewUpload } from '../lib/api-types.ts'

type Options = { signal: AbortSignal }

/** The calls that sending a file makes; its tests answer them themselves. */
export type UploadCalls = ReturnType<typeof makeUploadCalls>

export function makeUploadCalls({ uploads }: Api) {
  const { index, ':uploadId': upload } = uploads
  return {
    startUpload: (json: NewUpload, { signal }: Options) =>
      read(index.$post({ json }, { init: { signal } })),
    /** Fresh URLs for an upload; parts that are stored already come with their etag. */
    resumeUpload: (uploadId: string, { signal }: Options) =>
      read(upload.$get({ param: { uploadId } }, { init: { signal } })),
    completeUpload: (
      uploadId: string,
      parts: { partNumber: number; etag: string }[] | null,
      { signal }: Options,
    ) =>
      read(
        upload.complete.$post(
          { param: { uploadId }, json: parts === null ? {} : { parts } },
          { init: { signal } },
        ),
      ),
  }
}
