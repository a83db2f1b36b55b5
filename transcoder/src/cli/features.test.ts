import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'features-'))
afterAll(() => rmSync(folder, { recursive: true }))

function runFeatures(...files: string[]) {
  const script = new URL('features.ts', import.meta.url).pathname
  return spawnSync('node', [script, ...files], { encoding: 'utf8' })
}

test('a stereo file at 48 kHz is decoded, measured and printed as JSON', () => {
  // An odd name, too: it must reach ffmpeg as one argument, and not as a protocol or an option.
  const file = join(folder, "-concat:a 'b'.wav")
  const ffmpeg = process.env['FFMPEG_PATH'] ?? 'ffmpeg'
  const source = 'sine=frequency=1000:sample_rate=48000:duration=3'
  spawnSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', source, '-ac', '2', file])
  const { stdout, status } = runFeatures(file)
  expect(status).toBe(0)
  const { features, embedding, embeddingVersion } = JSON.parse(stdout)
  expect(features.durationS).toBeCloseTo(3, 2)
  expect(Math.abs(features.centroidHz - 1000)).toBeLessThan(20)
  expect(embedding.length).toBe(40)
  expect(embeddingVersion).toBeGreaterThan(0)
})

test('what is not audio is named on stderr and fails', () => {
  const file = join(folder, 'letter.mp3')
  writeFileSync(file, 'Dear sir or madam')
  const { stdout, stderr, status } = runFeatures(file)
  expect(status).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('letter.mp3')
})

test('no arguments print how to use it', () => {
  const { stderr, status } = runFeatures()
  expect(status).toBe(2)
  expect(stderr).toContain('usage')
})
