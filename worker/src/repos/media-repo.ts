import { DEFAULT_PLAN, type TrackId } from '@mist/db/contract'
import { renditions, trackKeys, tracks, trackVersions } from '@mist/db/schema'
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import { Base64, Big } from './rows.ts'
import { IS_PUBLIC } from './track-repo.ts'

/** One rendition, as much of it as HLS playlists need. */
export const Rendition = z.object({
  name: z.string(),
  bitrate: z.int(),
  peakBandwidth: z.int(),
  averageBandwidth: z.int(),
  codecs: z.string(),
  ivSeed: Base64,
})
export type Rendition = z.infer<typeof Rendition>

/** Columns of a version's timing, as the meter answers with them. */
export const TIMING = { sampleRate: z.int(), sampleCount: Big, primingSamples: z.int() }

/** Versions of tracks: their timing, renditions and wrapped keys. */
export function makeMediaRepo({ db }: { db: Database }) {
  return {
    /** Timing and renditions of one version of a track that is not deleted; null: the current one. */
    async find(trackId: TrackId, version: number | null) {
      const rows = await db
        .select({
          version: trackVersions.version,
          segmentsPerPeriod: trackVersions.segmentsPerPeriod,
          visitorMaxBitrate: sql<number | null>`(
            select p.max_bitrate from plans p where p.id = ${DEFAULT_PLAN}
          )`,
          timing: {
            // Of a version that was published these are always there.
            sampleRate: sql<number>`${trackVersions.sampleRate}`,
            sampleCount: sql`${trackVersions.sampleCount}`.mapWith(Number),
            primingSamples: sql<number>`${trackVersions.primingSamples}`,
          },
          rendition: {
            name: renditions.name,
            bitrate: renditions.bitrate,
            peakBandwidth: renditions.peakBandwidth,
            averageBandwidth: renditions.averageBandwidth,
            codecs: renditions.codecs,
            ivSeed: renditions.ivSeed,
          },
        })
        .from(tracks)
        .innerJoin(
          trackVersions,
          and(
            eq(trackVersions.trackId, tracks.id),
            version === null
              ? eq(trackVersions.version, tracks.version)
              : eq(trackVersions.version, version),
          ),
        )
        .leftJoin(
          renditions,
          and(
            eq(renditions.trackId, trackVersions.trackId),
            eq(renditions.version, trackVersions.version),
          ),
        )
        .where(
          and(
            eq(tracks.id, trackId),
            IS_PUBLIC,
            inArray(trackVersions.status, ['published', 'retired']),
          ),
        )
        .orderBy(asc(renditions.bitrate))
      const [first] = rows
      if (first === undefined) return null
      return {
        version: first.version,
        timing: first.timing,
        segmentsPerPeriod: first.segmentsPerPeriod,
        /** Highest bitrate that is offered without a session, bits per second; null: all. */
        visitorMaxBitrate: first.visitorMaxBitrate,
        renditions: rows.flatMap(({ rendition }) => rendition ?? []),
      }
    },

    /** The wrapped master key of one version; null when it is gone. */
    async wrappedKey(trackId: TrackId, version: number) {
      const [row] = await db
        .select({ kid: trackKeys.kid, wrapped: trackKeys.wrapped })
        .from(trackKeys)
        .where(and(eq(trackKeys.trackId, trackId), eq(trackKeys.version, version)))
      return row ?? null
    },
  }
}

export type MediaRepo = ReturnType<typeof makeMediaRepo>
