import { expect, test } from 'vitest'
import { checkFile } from './check-file.ts'

test.each(['a.mp3', 'A.FLAC', 'b.c.wav', 'x.m4a', 'x.ogg', 'x.opus', 'x.aac', 'x.aiff'])(
  '%s may be sent',
  (name) => {
    expect(checkFile({ name, size: 1 })).toBeNull()
  },
)

test.each([
  ['notes.txt', 5, /kind of file/],
  ['noextension', 5, /kind of file/],
  ['a.mp3', 0, /empty/],
  ['a.mp3', 3 * 1024 ** 3, /3\.2 GB; the limit is 2\.1 GB/],
])('%s of %d bytes is refused in a sentence', (name, size, sentence) => {
  expect(checkFile({ name, size })).toMatch(sentence)
})
