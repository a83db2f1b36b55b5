import { packSizes, versionPrefix, type Lyrics, type TrackId } from '@mist/db/contract'
import {
  jobs,
  renditionLayouts,
  renditions,
  tombstones,
  trackEmbeddings,
  trackFileTags,
  trackKeys,
  trackLyrics,
  tracks,
  trackVersions,
} from '@mist/db/schema'
import { and, eq, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../../platform/database.ts'
import type { Heard } from './analyse.ts'
import type { StoredRendition } from './encode.ts'
import { Superseded } from './failures.ts'
import type { ClaimedJob } from './job-repo.ts'
import { describe, typedFields } from './describe.ts'
import { describeTrack } from './describe-track.ts'
import { readLyrics } from './lyrics.ts'
import type { Plan } from './plan.ts'
import { boundTags } from '../../tags/raw-tags.ts'
import type { Field } from '../../tags/fields.ts'
import { readTags, TAG_READER_VERSION } from './tags.ts'

/** Everything that a run has made and stored. */
export type Production = {
  plan: Plan
  heard: Heard
  renditions: readonly StoredRendition[]
  sampleCount: number
  paddingSamples: number
  segmentsPerPeriod: number
  /** The master key, wrapped. */
  key: { kid: string; wrapped: Uint8Array }
  /** Of the covers that were stored; null where there are none. */
  colours: string[] | null
  /** The file's tags as it has them. */
  fields: readonly Field[]
}

/**
 * Switches a track to the version that this run has built, in one transaction: either all of it is
 * visible or nothing is.
 *
 * @throws Superseded when another run has taken the job over, or the job or track is gone
 */
export async function publish(db: Database, job: ClaimedJob, made: Production): Promise<void> {
  const { trackId, version } = job
  await db.transaction(async (tx) => {
    await fence(tx, job)
    const track = await lockTrack(tx, trackId)
    await retire(tx, trackId)
    await publishVersion(tx, job, made)
    await publishTags(tx, job, track, made.fields)
    // A picture that the track already has is the admin's choice; new audio does not replace it.
    const isCover = made.colours !== null && (job.kind === 'ingest' || track.coverVersion === null)
    const cover = isCover ? { coverVersion: version, coverColours: made.colours } : {}
    await tx
      .update(tracks)
      .set({
        version,
        ...cover,
        uploadId: job.uploadId,
        publishedAt: sql`coalesce(published_at, now())`,
        durationS: made.sampleCount / made.plan.sampleRate,
      })
      .where(eq(tracks.id, trackId))
    await publishHeard(tx, trackId, made.heard)
    await complete(tx, job)
  })
}

/** Publishes only what was heard: the embedding of a catalogue under new constants. */
export function publishEmbedding(db: Database, job: ClaimedJob, heard: Heard): Promise<void> {
  return withoutMedia(db, job, (tx) => publishHeard(tx, job.trackId, heard))
}

/** Colours of a version's cover. */
export type CoverColours = { version: number; colours: string[] }

/** Publishes only what the tags say, as a better reader reads them, and colours that were missing. */
export function publishRetagged(
  db: Database,
  job: ClaimedJob,
  { fields, colours }: { fields: readonly Field[]; colours: CoverColours | null },
): Promise<void> {
  return withoutMedia(db, job, async (tx, track) => {
    await publishTags(tx, job, track, fields)
    // Of a cover that another job has replaced meanwhile they say nothing.
    if (colours === null || colours.version !== track.coverVersion) return
    await tx.update(tracks).set({ coverColours: colours.colours }).where(eq(tracks.id, job.trackId))
  })
}

/** Publishes a run that made no media: its version served as a fence alone. */
async function withoutMedia(
  db: Database,
  job: ClaimedJob,
  write: (tx: Transaction, track: LockedTrack) => Promise<void>,
): Promise<void> {
  const { trackId, version } = job
  await db.transaction(async (tx) => {
    await fence(tx, job)
    await write(tx, await lockTrack(tx, trackId))
    await tx
      .delete(trackVersions)
      .where(and(eq(trackVersions.trackId, trackId), eq(trackVersions.version, version)))
    await complete(tx, job)
  })
}

async function fence(tx: Transaction, job: ClaimedJob): Promise<void> {
  const [row] = await tx
    .select({ status: jobs.status, version: jobs.version })
    .from(jobs)
    .where(eq(jobs.id, job.jobId))
    .for('update')
  if (row?.status !== 'processing' || row.version !== job.version) {
    throw new Superseded('another run has taken the job over')
  }
}

type LockedTrack = Awaited<ReturnType<typeof lockTrack>>

/** Until the transaction ends, no admin edits it. */
async function lockTrack(tx: Transaction, trackId: TrackId) {
  const [track] = await tx
    .select({ coverVersion: tracks.coverVersion, editedFields: tracks.editedFields })
    .from(tracks)
    .where(and(eq(tracks.id, trackId), sql`deleted_at is null`))
    .for('update')
  if (track === undefined) throw new Superseded('the track was deleted')
  return track
}

async function complete(tx: Transaction, job: ClaimedJob): Promise<void> {
  await tx
    .update(jobs)
    .set({ status: 'completed', step: 'publish', progress: 1, completedAt: sql`now()` })
    .where(eq(jobs.id, job.jobId))
}

/** Takes the published version away; who listens to it keeps it until a sweep finds that nobody does. */
async function retire(tx: Transaction, trackId: TrackId): Promise<void> {
  const retired = await tx
    .update(trackVersions)
    .set({ status: 'retired', retiredAt: sql`now()` })
    .where(and(eq(trackVersions.trackId, trackId), eq(trackVersions.status, 'published')))
    .returning({ version: trackVersions.version })
  for (const { version } of retired) {
    await tx
      .insert(tombstones)
      .values({
        bucket: 'media',
        key: versionPrefix(trackId, version),
        isPrefix: true,
        reason: 'version-retired',
        trackId,
        version,
      })
      .onConflictDoNothing()
  }
}

/** @throws Superseded where a sweep has given the run up */
async function publishVersion(tx: Transaction, job: ClaimedJob, made: Production): Promise<void> {
  const { trackId, version } = job
  const published = await tx
    .update(trackVersions)
    .set({
      status: 'published',
      publishedAt: sql`now()`,
      sampleRate: made.plan.sampleRate,
      sampleCount: made.sampleCount,
      primingSamples: made.plan.primingSamples,
      paddingSamples: made.paddingSamples,
      gainDb: made.plan.gainDb,
      segmentsPerPeriod: made.segmentsPerPeriod,
    })
    .where(
      and(
        eq(trackVersions.trackId, trackId),
        eq(trackVersions.version, version),
        eq(trackVersions.status, 'building'),
      ),
    )
    .returning({ version: trackVersions.version })
  // Held for dead because it was silent for too long: its objects may be gone already.
  if (published.length === 0) throw new Superseded('the run was given up for dead')
  await tx.insert(trackKeys).values({ trackId, version, ...made.key })
  await tx
    .insert(renditions)
    .values(made.renditions.map((rendition) => ({ trackId, version, ...rendition })))
  await tx.insert(renditionLayouts).values(
    made.renditions.map(({ name, layout }) => ({
      trackId,
      version,
      name,
      frameSizes: packSizes(layout.frameSizes),
      headerSizes: packSizes(layout.headerSizes),
    })),
  )
}

/** Writes what the file's tags say, and of the description what no admin wrote. */
async function publishTags(
  tx: Transaction,
  job: ClaimedJob,
  { editedFields }: LockedTrack,
  fields: readonly Field[],
): Promise<void> {
  const { trackId, kind, metadata } = job
  const tags = readTags(fields)
  await describeTrack(tx, trackId, describe(kind, metadata, tags, editedFields))
  // A job that makes an original anew has the metadata of its upload, which was counted then.
  const typed = kind === 'ingest' || kind === 'replace' ? typedFields(metadata) : []
  await tx
    .update(tracks)
    .set({
      tags: { reader: TAG_READER_VERSION, ...tags },
      editedFields: [...new Set([...editedFields, ...typed])].sort(),
    })
    .where(eq(tracks.id, trackId))
  await storeLyrics(tx, trackId, readLyrics(fields))
  const raw = { ...boundTags(fields), reader: TAG_READER_VERSION, readAt: sql`now()` }
  await tx
    .insert(trackFileTags)
    .values({ trackId, ...raw })
    .onConflictDoUpdate({ target: trackFileTags.trackId, set: raw })
}

/** Writes the file's lyrics; an admin's are another row. */
async function storeLyrics(
  tx: Transaction,
  trackId: TrackId,
  lyrics: Lyrics | null,
): Promise<void> {
  if (lyrics === null) {
    await tx
      .delete(trackLyrics)
      .where(and(eq(trackLyrics.trackId, trackId), eq(trackLyrics.source, 'file')))
    return
  }
  const row = { ...lyrics, updatedAt: sql`now()` }
  await tx
    .insert(trackLyrics)
    .values({ trackId, source: 'file', ...row })
    .onConflictDoUpdate({ target: [trackLyrics.trackId, trackLyrics.source], set: row })
}

/** Writes what the analysis heard. */
async function publishHeard(tx: Transaction, trackId: TrackId, heard: Heard): Promise<void> {
  const { loudness, features, waveform, previewStartS } = heard
  await tx
    .update(tracks)
    .set({
      loudnessLufs: loudness.integratedLufs,
      samplePeakDbfs: loudness.samplePeakDbfs,
      tempoBpm: features.tempoBpm,
      features,
      waveform,
      previewStartS,
    })
    .where(eq(tracks.id, trackId))
  await storeEmbedding(tx, trackId, heard)
}

async function storeEmbedding(tx: Transaction, trackId: TrackId, heard: Heard): Promise<void> {
  const row = {
    embeddingVersion: heard.embeddingVersion,
    embedding: Array.from(heard.embedding),
  }
  await tx
    .insert(trackEmbeddings)
    .values({ trackId, ...row })
    .onConflictDoUpdate({ target: trackEmbeddings.trackId, set: row })
}
