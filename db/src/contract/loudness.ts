/** Loudness that every track is brought to, LUFS: what large services play at. */
export const TARGET_LUFS = -14

/** Nothing is raised more than this, dB: beyond it one would hear the recorder, not the music. */
export const MAX_GAIN_DB = 30

/** Where the samples of an album's tracks end at most, dBFS: what the encoder adds stays below 0. */
const ALBUM_CEILING_DBFS = -1.5

/**
 * The one gain of an album's tracks, dB: it brings the album as a whole to {@link TARGET_LUFS}, and no
 * sample of it above −1.5 dBFS. Tracks keep their distances when each is played with it.
 *
 * @param album loudness of the whole and its highest sample; null where they are not known
 */
export function albumGain(album: {
  loudnessLufs: number | null
  samplePeakDbfs: number | null
}): number | null {
  const { loudnessLufs, samplePeakDbfs } = album
  if (loudnessLufs === null) return null
  const room = samplePeakDbfs === null ? Infinity : ALBUM_CEILING_DBFS - samplePeakDbfs
  return Math.round(Math.min(MAX_GAIN_DB, TARGET_LUFS - loudnessLufs, room) * 100) / 100
}
