import { AlbumId, lineOfText, MAX_ATTRIBUTION_CHARS, TrackId, TrackText } from '@mist/db/contract'
import { z } from 'zod'
import { ArtistName, CoverUrls } from './catalogue.ts'

/** A published track. Durations are seconds, loudness is LUFS. */
export const Track = z
  .object({
    id: TrackId,
    title: z.string(),
    artists: z.array(ArtistName),
    album: z.object({ id: AlbumId, title: z.string() }).nullable(),
    genres: z.array(z.string()),
    durationS: z.number(),
    coverUrls: CoverUrls.nullable(),
    /** Three of the cover's colours, `#rrggbb`, the one of the largest areas first. */
    coverColours: z.array(z.string()).nullable(),
    loudnessLufs: z.number().nullable(),
    /** The gain that its media has been given already, dB: it brings the track alone to −14 LUFS. */
    trackGainDb: z.number().nullable(),
    /**
     * The one gain of its album's tracks, dB; null without an album. Whoever plays an album plays each track
     * by `albumGainDb − trackGainDb` louder, so that the tracks keep their distances.
     */
    albumGainDb: z.number().nullable(),
    tempoBpm: z.number().nullable(),
    version: z.int(),
    createdAt: z.iso.datetime(),
    year: z.int().nullable(),
    /** Null is the first, or the only one. */
    discNumber: z.int().nullable(),
    trackNumber: z.int().nullable(),
    /** Whose its album is. */
    albumArtists: z.array(ArtistName),
    /** The key that fits best, such as `F# minor`. */
    key: z.string().nullable(),
    playCount: z.int(),
    hasLyrics: z.boolean(),
    /** Who made the recording and under which licence. */
    attribution: z.string().nullable(),
  })
  .meta({ id: 'Track' })
export type Track = z.infer<typeof Track>

export const SimilarTrack = z
  .object({ track: Track, similarity: z.number().min(-1).max(1) })
  .meta({ id: 'SimilarTrack' })
export type SimilarTrack = z.infer<typeof SimilarTrack>

/** What the transcoder heard: peaks for drawing (0…255) and named features. */
export const TrackAnalysis = z
  .object({ waveform: z.array(z.int()), features: z.record(z.string(), z.unknown()).nullable() })
  .meta({ id: 'TrackAnalysis' })
export type TrackAnalysis = z.infer<typeof TrackAnalysis>

/** What an admin may set on a track; what is not given stays. */
export const TrackPatch = z
  .strictObject({
    title: TrackText.title.optional(),
    artists: TrackText.artists.optional(),
    album: TrackText.album.nullable().optional(),
    genres: TrackText.genres.optional(),
    year: TrackText.year.nullable().optional(),
    trackNumber: TrackText.trackNumber.nullable().optional(),
    attribution: lineOfText(0, MAX_ATTRIBUTION_CHARS).nullable().optional(),
  })
  .meta({ id: 'TrackPatch' })
export type TrackPatch = z.infer<typeof TrackPatch>
