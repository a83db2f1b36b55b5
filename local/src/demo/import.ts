import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Api } from '../stack/api.ts'
import type { Login, State } from '../stack/state.ts'
import { drawCover } from './cover.ts'
import { hasCover, makeTaggedCopy } from './tagged-copy.ts'

const Recording = z.object({
  file: z.string(),
  title: z.string(),
  artists: z.array(z.string()),
  /** A sampler of this demo, not a release of the artist's. */
  album: z.string().optional(),
  trackNumber: z.number().optional(),
  genres: z.array(z.string()),
  /** Who is to be named, and the licence; shown beside the track. */
  attribution: z.string(),
})
type Recording = z.infer<typeof Recording>

const CONTENT_TYPES: Record<string, string> = {
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.m4a': 'audio/mp4',
}

/** What {@link importDemo} needs. */
export type DemoOptions = {
  api: Api
  admin: Login
  /** Folder with `catalogue.json` and the recordings. */
  demoDir: string
  ffmpegPath: string
  ffprobePath: string
  /** Where it is noted how far each recording has come. */
  progress: State['demo']
  save: () => void
  say: (text: string) => void
  signal: AbortSignal
}

/** A job that takes longer than this for a recording of two minutes is stuck. */
const GIVE_UP_AFTER_MS = 15 * 60_000

/**
 * Puts the demo catalogue in through the real front door: upload, transcode, publish. What an
 * earlier, interrupted run has brought in is not brought in again.
 *
 * @throws Error naming the recordings that could not be published
 */
export async function importDemo(options: DemoOptions): Promise<void> {
  const { api, admin, demoDir, progress, save, say, signal } = options
  const text = await readFile(join(demoDir, 'catalogue.json'), 'utf8')
  const recordings = z.array(Recording).parse(JSON.parse(text))
  const missing = recordings.filter(({ file }) => progress[file]?.isDone !== true)
  if (missing.length === 0) return
  await api.login(admin)

  say(`importing the demo catalogue: ${missing.length} of ${recordings.length} recordings`)
  for (const recording of missing) {
    signal.throwIfAborted()
    await upload(options, recording)
  }

  const failures: string[] = []
  const open = new Set(missing)
  const deadline = Date.now() + GIVE_UP_AFTER_MS
  let loggedInAt = Date.now()
  while (open.size > 0 && Date.now() < deadline) {
    signal.throwIfAborted()
    if (Date.now() - loggedInAt > 300_000) {
      await api.login(admin) // access tokens last 15 minutes
      loggedInAt = Date.now()
    }
    for (const recording of open) {
      const mark = progress[recording.file]
      const job = mark === undefined ? null : await api.job(mark.jobId)
      if (mark === undefined || job === null) continue
      if (job.status === 'completed') {
        mark.isDone = true
        save()
        open.delete(recording)
        say(`  ${recordings.length - open.size} of ${recordings.length}: ${recording.title}`)
      } else if (job.status === 'failed') {
        failures.push(`${recording.title}: ${job.error?.detail ?? 'no reason given'}`)
        open.delete(recording)
      }
    }
    await sleep(500, undefined, { signal })
  }
  for (const { title } of open) failures.push(`${title}: not finished in time`)
  if (failures.length > 0)
    throw new Error(`the demo catalogue is incomplete:\n${failures.join('\n')}`)
}

/** Uploads one recording, unless an earlier run did and its job has not failed. */
async function upload(options: DemoOptions, recording: Recording): Promise<void> {
  const { api, demoDir, ffmpegPath, ffprobePath, progress, save } = options
  const before = progress[recording.file]
  if (before?.isUploaded === true) {
    const job = await api.job(before.jobId)
    if (job !== null && job.status !== 'failed') return
  }

  const source = join(demoDir, recording.file)
  const workDir = await mkdtemp(join(tmpdir(), 'mist-demo-'))
  try {
    const body = await readFile(
      (await hasCover(source, ffprobePath))
        ? source
        : await makeTaggedCopy({
            source,
            workDir,
            tags: recording,
            cover: await drawCover(recording.title),
            ffmpegPath,
          }),
    )
    const { title, artists, album, trackNumber, genres, attribution } = recording
    const created = await api.createUpload({
      filename: recording.file,
      sizeBytes: body.length,
      contentType: CONTENT_TYPES[extname(recording.file)] ?? 'application/octet-stream',
      metadata: { title, artists, album, trackNumber, genres, attribution },
    })
    if (created.method !== 'PUT') throw new Error(`${recording.file} is too large for one PUT`)
    const mark = { jobId: created.jobId, isUploaded: false, isDone: false }
    progress[recording.file] = mark
    save()
    const put = await fetch(created.url, { method: 'PUT', headers: created.headers, body })
    // 412: it is there already; completing it will tell.
    if (!put.ok && put.status !== 412)
      throw new Error(`the upload of ${recording.file} answered ${put.status}`)
    await api.completeUpload(created.uploadId)
    mark.isUploaded = true
    save()
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}
