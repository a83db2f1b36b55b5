import { albumGain, type TrackId } from '@mist/db/contract'
import type { AdminActor } from '@mist/db/statements'
import type { Credit } from '../contract/credits.ts'
import type { TracksQuery } from '../contract/browse.ts'
import type { Page, PageQuery } from '../contract/pages.ts'
import type { SimilarTrack, Track, TrackAnalysis, TrackPatch } from '../contract/tracks.ts'
import type { Clock } from '../platform/clock.ts'
import { Problem } from '../problem.ts'
import type { TrackRepo, TrackRow } from '../repos/track-repo.ts'
import { pageThrough } from './paging.ts'
import { presentCover } from './present-catalogue.ts'

/** Presents a track; `mediaBase` is the absolute URL that media keys are appended to. */
export function presentTrack(row: TrackRow, mediaBase: string): Track {
  const { album, coverVersion } = row
  return {
    id: row.id,
    title: row.title,
    artists: row.artists,
    album: album && { id: album.id, title: album.title },
    genres: row.genres,
    durationS: row.durationS,
    coverUrls: presentCover(
      coverVersion === null ? null : { trackId: row.id, version: coverVersion },
      mediaBase,
    ),
    coverColours: row.coverColours,
    loudnessLufs: row.loudnessLufs,
    trackGainDb: row.gainDb,
    albumGainDb: album && albumGain(album),
    tempoBpm: row.tempoBpm,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    year: row.year,
    discNumber: row.discNumber,
    trackNumber: row.trackNumber,
    albumArtists: row.albumArtists,
    key: row.key,
    playCount: Number(row.playCount),
    hasLyrics: row.hasLyrics,
    attribution: row.attribution,
  }
}

const noTrack = () => new Problem('not-found', 'There is no such track.')

/** The catalogue. */
export function makeTrackService({ tracks, clock }: { tracks: TrackRepo; clock: Clock }) {
  return {
    /** A page of published tracks. */
    list(query: TracksQuery, mediaBase: string): Promise<Page<Track>> {
      return pageThrough(
        query,
        (limit, after) => tracks.list(query, query.sort, limit, after),
        (row) => ({ at: row.cursorAt, id: row.id }),
        (row) => presentTrack(row, mediaBase),
        query.sort === 'title' ? 'name' : 'instant',
      )
    },

    /** A page of the tracks that ask for a credit, the newest first. */
    credits(query: PageQuery): Promise<Page<Credit>> {
      return pageThrough(
        query,
        (limit, after) => tracks.credits(limit, after),
        (row) => ({ at: row.cursorAt, id: row.id }),
        ({ id, title, artists, attribution }) => ({ id, title, artists, attribution }),
      )
    },

    async find(trackId: TrackId, mediaBase: string): Promise<Track> {
      const row = await tracks.find(trackId)
      if (!row) throw noTrack()
      return presentTrack(row, mediaBase)
    },

    /** Tracks that sound alike, by cosine similarity of their embeddings (same version only). */
    async similar(trackId: TrackId, limit: number, mediaBase: string): Promise<SimilarTrack[]> {
      const rows = await tracks.similar(trackId, limit)
      if (!rows) throw noTrack()
      return rows.map((row) => ({
        track: presentTrack(row, mediaBase),
        // Floating-point error can put it a hair beyond.
        similarity: Math.min(1, Math.max(-1, row.similarity)),
      }))
    },

    async analysis(trackId: TrackId): Promise<TrackAnalysis> {
      const row = await tracks.analysis(trackId)
      if (!row) throw noTrack()
      return {
        waveform: Array.from(row.waveform ?? []),
        features: row.features,
      }
    },

    /** Corrects what a track is called and who made it. */
    async patch(
      trackId: TrackId,
      patch: TrackPatch,
      by: AdminActor,
      mediaBase: string,
    ): Promise<Track> {
      if (!(await tracks.patch(trackId, patch, by))) throw noTrack()
      const row = await tracks.find(trackId)
      if (!row) throw new Problem('track-not-ready', 'The track is changed, but not published yet.')
      return presentTrack(row, mediaBase)
    },

    /** Deletes a track: listeners lose it at once, its objects follow. */
    async remove(trackId: TrackId, by: AdminActor): Promise<void> {
      if (!(await tracks.remove(trackId, by, clock()))) throw noTrack()
    },
  }
}
