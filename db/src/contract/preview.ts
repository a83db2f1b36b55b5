import { SEGMENT_S } from './key-periods.ts'

/** Longest preview of a track that anyone may hear, seconds. */
export const MAX_PREVIEW_S = 30

/** Whole segments of a preview: 28 s. */
export const PREVIEW_SEGMENTS = Math.floor(MAX_PREVIEW_S / SEGMENT_S)
