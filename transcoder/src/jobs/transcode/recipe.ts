import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  COVER_SIZES,
  coverKey,
  SEGMENTS_PER_PERIOD_NEW,
  versionPrefix,
  wrapMasterKey,
  type CoverSize,
  type JobStep,
  type KeyRing,
} from '@mist/db/contract'
import type { Database } from '../../platform/database.ts'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import type { Log } from '../../platform/log.ts'
import type { ObjectStore } from '../../platform/object-store.ts'
import { analyse, type Heard } from './analyse.ts'
import { refuseCutOff } from './completeness.ts'
import { download } from './download.ts'
import { encode } from './encode.ts'
import { PrefixTaken, UnplayableSource } from './failures.ts'
import { walkFrames } from './frame-walk.ts'
import { makePlan } from './plan.ts'
import { probe } from './probe.ts'
import { publish, publishEmbedding, publishRetagged, type CoverColours } from './publish.ts'
import type { Outcome, Run } from './run.ts'
import { readSourceFormat, type SourceFormat } from './source-format.ts'
import type { Source, SourceLimits } from './source.ts'
import { makeUploads } from './store.ts'
import type { TagReader } from './tag-reader.ts'

/** The original's name in the workspace: ours, so that no listener's reaches a command line. */
const ORIGINAL = 'original'

export type RecipeConfig = {
  ladder: readonly number[]
  limits: SourceLimits & { maxBytes: number }
  keyRing: KeyRing
}

/** A run in its workspace. */
type Work = { run: Run; folder: string; begin: (step: JobStep) => void }

/** Makes the recipe that turns an uploaded file into a published track. */
export function makeRecipe(options: {
  db: Database
  objects: ObjectStore
  ffmpeg: Ffmpeg
  tagReader: TagReader
  log: Log
  config: RecipeConfig
}) {
  const { db, objects, ffmpeg, tagReader, log, config } = options
  const { limits } = config
  const file = ORIGINAL

  /** Follows it in an empty folder, all the way to what listeners see. */
  return async function follow(run: Run, folder: string): Promise<Outcome> {
    const begin = (step: JobStep) => {
      run.progress.begin(step)
      run.deadline.begin(step)
    }
    const work = { run, folder, begin }
    await fetch(work)
    if (run.job.kind === 'retag') return retag(work)
    const source = await look(work)
    const heard = await hear(work, source)
    return run.job.kind === 'reembed' ? publishHeard(work, heard) : makeVersion(work, source, heard)
  }

  async function fetch({ run, folder, begin }: Work): Promise<void> {
    const { job, signal } = run
    begin('download')
    await download({
      objects,
      job,
      file: join(folder, file),
      maxBytes: limits.maxBytes,
      signal,
    })
  }

  /** Reads the tags of an original that is published already. */
  async function retag(work: Work): Promise<Outcome> {
    const { run, folder, begin } = work
    begin('probe')
    const format = await readSourceFormat(join(folder, file))
    const { fields } = await readTagsOf(work, format, [])
    // What is published says more than nothing would.
    if (fields === null) throw new UnplayableSource('internal', 'The tags could not be read.')

    const colours = await coloursMissing(work)

    begin('publish')
    run.signal.throwIfAborted()
    await publishRetagged(db, run.job, { fields, colours })
    return done(0, null)
  }

  /** Looks at the original from outside. */
  async function look({ run, folder, begin }: Work) {
    const { signal } = run
    const path = join(folder, file)
    begin('probe')
    const format = await readSourceFormat(path)
    const { chainS } = await refuseCutOff(path, format, signal)
    const walk = await walkFrames(path, format, signal)
    const probed = await probe({ ffmpeg, folder, file, format, limits, signal })
    return { ...probed, declaredS: chainS ?? probed.declaredS, walk }
  }

  /** Decodes it once and measures everything. */
  function hear(
    { run, folder, begin }: Work,
    { walk, ...source }: Awaited<ReturnType<typeof look>>,
  ): Promise<Heard> {
    begin('analyse')
    const onProgress = (share: number) => run.progress.advance(share)
    return analyse({ ffmpeg, folder, file, source, walk, limits, signal: run.signal, onProgress })
  }

  async function publishHeard({ run, begin }: Work, heard: Heard): Promise<Outcome> {
    begin('publish')
    await publishEmbedding(db, run.job, heard)
    return done(heard.features.durationS, null)
  }

  /** Encodes, encrypts and stores a version, with its covers, and publishes it last. */
  async function makeVersion(work: Work, source: Source, heard: Heard): Promise<Outcome> {
    const { run, folder, begin } = work
    const { job, signal } = run
    const { trackId, version } = job
    if (await objects.hasAny('media', versionPrefix(trackId, version)))
      throw new PrefixTaken(`something is stored under version ${version} already`)

    begin('encode')
    // What changes its channels in the middle was brought to two before it was measured.
    const measured = heard.isSteady ? source : { ...source, channels: 2 }
    const plan = makePlan(measured, heard.loudness, config.ladder)
    const masterKey = new Uint8Array(randomBytes(16))
    const segmentsPerPeriod = SEGMENTS_PER_PERIOD_NEW
    const uploads = makeUploads(objects, signal)
    const { fields, covers, colours } = await readTagsOf(work, source.format, COVER_SIZES)
    for (const { size, bytes } of covers ?? []) {
      await uploads.add(coverKey(trackId, version, size), bytes, 'image/webp')
    }
    const { durationS } = heard.features
    const encoded = await encode({
      ffmpeg,
      folder,
      file,
      source,
      heard: { durationS, isSteady: heard.isSteady },
      plan,
      trackId,
      version,
      masterKey,
      segmentsPerPeriod,
      uploads,
      signal,
      onProgress: (seconds) => run.progress.advance(seconds / durationS),
    })
    await uploads.finish()
    const storedAt = performance.now()

    begin('publish')
    const key = await wrapMasterKey(config.keyRing, masterKey, trackId, version)
    signal.throwIfAborted()
    await publish(db, job, {
      plan,
      heard,
      key,
      segmentsPerPeriod,
      ...encoded,
      colours,
      fields: fields ?? [],
    })
    return done(encoded.sampleCount / plan.sampleRate, storedAt - encoded.encodedAt)
  }

  /** Colours of a published cover that has none yet: of the cover, which may be another file's. */
  async function coloursMissing({ run, folder }: Work): Promise<CoverColours | null> {
    const { job, signal } = run
    const { coverVersion: version } = job
    if (version === null || job.hasColours) return null
    const cover = await objects.readMedia(coverKey(job.trackId, version, 320), signal)
    if (cover === null) return null
    await writeFile(join(folder, 'cover'), cover)
    const colours = await tagReader.coloursOf(folder, 'cover', signal)
    return colours === null ? null : { version, colours }
  }

  function readTagsOf(
    { run, folder }: Work,
    format: SourceFormat,
    coverSizes: readonly CoverSize[],
  ) {
    const { job, signal } = run
    const onSkipped = (reason: string) =>
      log.info({ jobId: job.jobId, reason }, 'skipped tags or a cover')
    return tagReader.read({ folder, file, format, coverSizes, signal, onSkipped })
  }
}

function done(audioS: number, lastByteAfterEncoderMs: number | null): Outcome {
  return { kind: 'completed', audioS, lastByteAfterEncoderMs }
}
