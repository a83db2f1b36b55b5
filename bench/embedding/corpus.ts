import { readdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { analyseFile } from '../../transcoder/src/cli/analyse-file.ts'

/** One labelled sound: its folder's name is the label, the digits before the first '-' the fold. */
export type CorpusFile = { file: string; label: string; fold: string }

/** A labelled sound with its vectors. */
export type Item = CorpusFile & { summary: Float64Array; embedding: Float32Array }

const AUDIO = new Set(['.ogg', '.wav', '.mp3', '.flac', '.m4a', '.opus', '.aac', '.au', '.aiff'])

/**
 * Lists the labelled sounds of a folder tree in a stable order. Files whose name starts with no
 * fold number are dealt over five folds.
 */
export async function listCorpus(root: string): Promise<CorpusFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && AUDIO.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file, i) => {
      const fold = /^(\d+)-/.exec(basename(file))?.[1] ?? String((i % 5) + 1)
      return { file, label: basename(dirname(file)), fold }
    })
}

/** Analyses all files, two at a time: one is decoded by ffmpeg while the other is measured. */
export async function analyseCorpus(files: readonly CorpusFile[]): Promise<Item[]> {
  const items: Item[] = []
  let next = 0
  async function work(): Promise<void> {
    for (let i = next++; i < files.length; i = next++) {
      const file = files[i]!
      const { fitting, embedding } = await analyseFile(file.file)
      items[i] = { ...file, summary: fitting.summary, embedding }
    }
  }
  await Promise.all([work(), work()])
  return items
}
