import { newId, AlbumId, ArtistId, packSizes, versionPrefix, type TrackId } from '@mist/db/contract'
import {
  jobs,
  renditionLayouts,
  renditions,
  tombstones,
  trackArtists,
  trackEmbeddings,
  trackKeys,
  tracks,
  trackVersions,
} from '@mist/db/schema'
import { and, eq, sql } from 'drizzle-orm'
import type { Database } from '../../platform/database.ts'
import type { Heard } from './analyse.ts'
import type { StoredRendition } from './encode.ts'
import { Superseded } from './failures.ts'
import type { ClaimedJob } from './job-repo.ts'
import type { Description } from './describe.ts'
import type { Plan } from './plan.ts'
import { TAG_READER_VERSION, type Tags } from './tags.ts'

type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

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
  hasCover: boolean
  description: Description
  tags: Tags
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
    const [track] = await tx
      .select({ coverVersion: tracks.coverVersion })
      .from(tracks)
      .where(and(eq(tracks.id, trackId), sql`deleted_at is null`))
      .for('update')
    if (track === undefined) throw new Superseded('the track was deleted')

    const retired = await tx
      .update(trackVersions)
      .set({ status: 'retired', retiredAt: sql`now()` })
      .where(and(eq(trackVersions.trackId, trackId), eq(trackVersions.status, 'published')))
      .returning({ version: trackVersions.version })
    for (const old of retired) {
      await tx
        .insert(tombstones)
        .values({
          bucket: 'media',
          key: versionPrefix(trackId, old.version),
          isPrefix: true,
          reason: 'version-retired',
          trackId,
          version: old.version,
        })
        .onConflictDoNothing()
    }
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
      .values(made.renditions.map(({ layout: _, ...row }) => ({ trackId, version, ...row })))
    await tx.insert(renditionLayouts).values(
      made.renditions.map(({ name, layout }) => ({
        trackId,
        version,
        name,
        frameSizes: packSizes(layout.frameSizes),
        headerSizes: packSizes(layout.headerSizes),
      })),
    )

    await describeTrack(tx, trackId, made.description)
    // A picture that the track already has is the admin's choice; new audio does not replace it.
    const coverVersion =
      made.hasCover && (job.kind === 'ingest' || track.coverVersion === null)
        ? version
        : track.coverVersion
    await tx
      .update(tracks)
      .set({
        version,
        coverVersion,
        uploadId: job.uploadId,
        tags: { reader: TAG_READER_VERSION, ...made.tags },
        publishedAt: sql`coalesce(published_at, now())`,
        durationS: made.sampleCount / made.plan.sampleRate,
        ...measured(made.heard),
      })
      .where(eq(tracks.id, trackId))
    await storeEmbedding(tx, trackId, made.heard)
    await complete(tx, job)
  })
}

/** Publishes only what was heard: the embedding of a catalogue under new constants. */
export async function publishEmbedding(db: Database, job: ClaimedJob, heard: Heard): Promise<void> {
  await db.transaction(async (tx) => {
    await fence(tx, job)
    await tx.update(tracks).set(measured(heard)).where(eq(tracks.id, job.trackId))
    await storeEmbedding(tx, job.trackId, heard)
    // No media was made: the version served as a fence alone.
    await tx
      .delete(trackVersions)
      .where(and(eq(trackVersions.trackId, job.trackId), eq(trackVersions.version, job.version)))
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

async function complete(tx: Transaction, job: ClaimedJob): Promise<void> {
  await tx
    .update(jobs)
    .set({ status: 'completed', step: 'publish', progress: 1, completedAt: sql`now()` })
    .where(eq(jobs.id, job.jobId))
}

function measured({ loudness, features, waveform }: Heard) {
  return {
    loudnessLufs: loudness.integratedLufs,
    samplePeakDbfs: loudness.samplePeakDbfs,
    tempoBpm: features.tempoBpm,
    features,
    waveform,
  }
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

/** Writes what is to change of a track's description; what is not given stays as it is. */
async function describeTrack(
  tx: Transaction,
  trackId: TrackId,
  description: Description,
): Promise<void> {
  const { title, artists, album, albumArtist, genres, year, trackNumber, attribution } = description
  const ids = artists === undefined ? [] : await artistIds(tx, [...artists, albumArtist])
  if (artists !== undefined && artists.length > 0) {
    await tx.delete(trackArtists).where(eq(trackArtists.trackId, trackId))
    const credited = new Set(artists.map((_, index) => ids[index]!))
    await tx
      .insert(trackArtists)
      .values([...credited].map((artistId, position) => ({ trackId, artistId, position })))
  }
  const albumId =
    album === undefined
      ? undefined
      : await albumIdOf(tx, album, ids.at(-1) ?? (await artistIds(tx, [albumArtist]))[0]!, year)
  const change = { title, albumId, genres, year, trackNumber, attribution }
  if (Object.values(change).some((value) => value !== undefined)) {
    await tx.update(tracks).set(change).where(eq(tracks.id, trackId))
  }
}

/** Finds or makes artists by name, whatever its case, in the order of `names`. */
async function artistIds(tx: Transaction, names: readonly string[]): Promise<ArtistId[]> {
  const found = new Map<string, ArtistId>()
  // In one order for all, so that two publications can't wait for one another.
  for (const name of [...new Set(names)].sort()) {
    const { rows } = await tx.execute<{ id: string }>(sql`
      insert into artists (id, name) values (${newId(ArtistId)}, ${name})
      on conflict (lower(name)) do update set name = artists.name returning id`)
    found.set(name, ArtistId.parse(rows[0]?.id))
  }
  return names.map((name) => found.get(name)!)
}

async function albumIdOf(
  tx: Transaction,
  title: string,
  artistId: ArtistId,
  year: number | undefined,
): Promise<AlbumId> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    insert into albums (id, title, artist_id, year)
    values (${newId(AlbumId)}, ${title}, ${artistId}, ${year ?? null})
    on conflict (artist_id, lower(title)) do update set year = coalesce(albums.year, excluded.year)
    returning id`)
  return AlbumId.parse(rows[0]?.id)
}
