import { MAX_NAME_CHARS } from '@mist/db/contract'
import { expect, test } from 'vitest'
import { audioType, partSizes, titleFrom } from './upload-service.ts'

test.each([
  ['01 - Night_Train.flac', '01 - Night Train'],
  ['C:\\Music\\..\\Song.mp3', 'Song'],
  ['/etc/passwd', 'passwd'],
  ['a\u202Egnp.mp3', 'agnp'],
  ['line\nbreak\t"quoted".wav', 'line break "quoted"'],
  ['.mp3', 'Untitled'],
  ['Vol. 2.ogg', 'Vol. 2'],
  ['Vol. 2', 'Vol. 2'],
])('the title made of %j is %j', (filename, title) => {
  expect(titleFrom(filename)).toBe(title)
})

test('a title is cut between characters, not inside of one', () => {
  const title = titleFrom(`${'🎵'.repeat(900)}.mp3`)
  expect(title).toBe('🎵'.repeat(MAX_NAME_CHARS))
})

test.each([
  ['a.mp3', 'audio/mpeg', 'audio/mpeg'],
  ['a.mp3', 'text/plain', 'text/plain'],
  ['a.xyz', 'audio/FLAC', 'audio/flac'],
  ['a.xyz', 'text/plain', null],
  ['mp3', '', null],
  ['a.constructor', '', null],
])('%s declared as "%s" is stored as %s', (filename, declared, stored) => {
  expect(audioType(filename, declared)).toBe(stored)
})

test.each([
  [10, 4, [4, 4, 2]],
  [8, 4, [4, 4]],
  [3, 4, [3]],
])('%i bytes in parts of %i are %j', (size, part, sizes) => {
  expect(partSizes(size, part)).toEqual(sizes)
})
