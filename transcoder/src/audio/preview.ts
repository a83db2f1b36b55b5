import { PREVIEW_SEGMENTS, SEGMENT_S } from '@mist/db/contract'

/** Loudness that only so many slots exceed is not typical: a crash does not make a preview. */
const TYPICAL_SHARE = 0.9

/** What is quieter than the loudest by less than this is as good, and the first of it is taken. */
const AS_GOOD_DB = 0.5

/** Quieter than this is silence. */
const SILENCE_LUFS = -70

/**
 * Chooses where a preview begins: the first of the loudest runs of segments, where single loud ones
 * count no more than what is typical of the track.
 *
 * @param slots loudness of each segment, LUFS
 * @returns seconds, on the segments' grid
 */
export function choosePreviewStart(slots: readonly number[]): number {
  const count = slots.length - PREVIEW_SEGMENTS
  if (count <= 0) return 0
  const sorted = [...slots].sort((a, b) => a - b)
  const typical = sorted[Math.floor((sorted.length - 1) * TYPICAL_SHARE)]!
  const levels = slots.map((level) => Math.max(SILENCE_LUFS, Math.min(level, typical)))
  const runs = Array.from({ length: count + 1 }, (_, start) => {
    const run = levels.slice(start, start + PREVIEW_SEGMENTS)
    return run.reduce((sum, level) => sum + level, 0) / PREVIEW_SEGMENTS
  })
  const best = Math.max(...runs)
  return runs.findIndex((level) => level >= best - AS_GOOD_DB) * SEGMENT_S
}
