import { AUDIO_TYPES, MAX_UPLOAD_BYTES } from '@mist/worker/client'
import { formatBytes } from '../lib/format.ts'

const EXTENSIONS = Object.keys(AUDIO_TYPES)

/** For the file picker: `.mp3,.flac,…`. */
export const ACCEPTED = EXTENSIONS.map((extension) => `.${extension}`).join(',')

/** For display: `MP3, FLAC, …`. */
export const ACCEPTED_NAMES = ['MP3', 'FLAC', 'WAV', 'M4A', 'OGG', 'Opus', 'AAC', 'AIFF'].join(', ')

/** Says why a file cannot be uploaded; null if it can. */
export function checkFile({ name, size }: { name: string; size: number }): string | null {
  const dot = name.lastIndexOf('.')
  const extension = dot < 0 ? '' : name.slice(dot + 1).toLowerCase()
  if (!EXTENSIONS.includes(extension)) {
    return `This kind of file is not supported. Choose ${ACCEPTED_NAMES}.`
  }
  if (size === 0) return 'The file is empty.'
  if (size > MAX_UPLOAD_BYTES) {
    return `The file has ${formatBytes(size)}; the limit is ${formatBytes(MAX_UPLOAD_BYTES)}.`
  }
  return null
}
