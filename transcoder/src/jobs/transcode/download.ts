import { stat } from 'node:fs/promises'
import type { ObjectStore } from '../../platform/object-store.ts'
import { UnplayableSource } from './failures.ts'
import type { ClaimedJob } from './job-repo.ts'

/**
 * Fetches the original into the workspace and holds it against what was declared.
 *
 * @throws UnplayableSource `original-missing`, `original-changed`, `too-large`, `empty-file`, `truncated`
 */
export async function download(options: {
  objects: ObjectStore
  job: ClaimedJob
  file: string
  maxBytes: number
  signal: AbortSignal
}): Promise<void> {
  const { objects, job, file, maxBytes, signal } = options
  const size = await objects.downloadOriginal(job.objectKey, file, {
    maxBytes,
    etag: job.etag,
    signal,
  })
  if (size === 'changed') {
    throw new UnplayableSource(
      'original-changed',
      'The file in the store is not the one that was uploaded and checked. Upload it again.',
    )
  }
  if (size === null) {
    throw new UnplayableSource(
      'original-missing',
      'The uploaded file is not in the store any more. Upload it again.',
    )
  }
  if (size > maxBytes) {
    throw new UnplayableSource(
      'too-large',
      `The file has ${megabytes(size)} MB; the limit is ${megabytes(maxBytes)} MB.`,
    )
  }
  const { size: stored } = await stat(file)
  if (stored === 0) {
    throw new UnplayableSource('empty-file', 'The file is empty. Upload it again.')
  }
  if (stored !== job.sizeBytes) {
    throw new UnplayableSource(
      'truncated',
      `The file has ${stored} bytes where the upload announced ${job.sizeBytes}. Upload it again.`,
    )
  }
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1_000_000)
