import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { drawCover } from './cover.ts'
import { hasCover, makeTaggedCopy } from './tagged-copy.ts'

const demoDir = new URL('../../demo', import.meta.url).pathname
const ffmpegPath = process.env['FFMPEG_PATH'] ?? 'ffmpeg'
const ffprobePath = process.env['FFPROBE_PATH'] ?? 'ffprobe'
const workDir = mkdtempSync(join(tmpdir(), 'mist-tagged-'))
afterAll(() => rmSync(workDir, { recursive: true, force: true }))

function soundOf(file: string): string {
  const args = ['-v', 'error', '-i', file, '-map', '0:a', '-f', 'md5', '-']
  return execFileSync(ffmpegPath, args, { encoding: 'utf8' })
}

const recordings = readdirSync(demoDir).filter((name) => /\.(?:mp3|ogg|m4a)$/.test(name))

test.for(recordings)('%s gets tags and a cover, and sounds the same', async (name) => {
  const source = join(demoDir, name)
  if (await hasCover(source, ffprobePath)) return // uploaded as it is
  const cover = await drawCover(name)
  const tags = { title: 'A; = "title"', artists: ['One', 'Two'], genres: ['Jazz'] }
  const copy = await makeTaggedCopy({ source, workDir, tags, cover, ffmpegPath })
  expect(await hasCover(copy, ffprobePath)).toBe(true)
  const entries = ['-v', 'error', '-show_entries', 'format_tags:stream_tags', '-of', 'json', copy]
  expect(execFileSync(ffprobePath, entries, { encoding: 'utf8' })).toContain('A; = \\"title\\"')
  expect(soundOf(copy)).toBe(soundOf(source))
})

test('a cover is the same each time, and another for another title', async () => {
  const first = await drawCover('one')
  expect((await drawCover('one')).equals(first)).toBe(true)
  expect((await drawCover('two')).equals(first)).toBe(false)
})
