import { expect, test } from 'vitest'
import type { Field, TagKind } from '../../tags/fields.ts'
import { readLyrics } from './lyrics.ts'

const field = (tag: TagKind, name: string, ...values: string[]): Field => ({ tag, name, values })

test.each<Field>([
  field('id3v2', 'USLT:eng', 'one\ntwo'),
  field('id3v2', 'TXXX:UNSYNCEDLYRICS', 'one\ntwo'),
  field('vorbis', 'LYRICS', 'one\ntwo'),
  field('vorbis', 'unsyncedlyrics', 'one\ntwo'),
  field('ape', 'Unsynced Lyrics', 'one\ntwo'),
  field('itunes', '©lyr', 'one\r\ntwo'),
  field('itunes', '----:com.apple.iTunes:LYRICS', 'one\ntwo'),
])('lyrics are read, whatever the format calls them: %o', (lyrics) => {
  expect(readLyrics([lyrics])).toMatchObject({
    synced: false,
    lines: [
      { startS: null, text: 'one' },
      { startS: null, text: 'two' },
    ],
  })
})

test('lyrics with times come before those without, wherever they are', () => {
  const lyrics = readLyrics([
    field('id3v2', 'USLT:eng', 'plain'),
    field('id3v2', 'SYLT:deu', '[00:01.000]timed'),
  ])
  expect(lyrics).toEqual({ language: 'de', synced: true, lines: [{ startS: 1, text: 'timed' }] })
  expect(readLyrics([field('vorbis', 'LYRICS', '[00:02.00]LRC')])).toMatchObject({ synced: true })
})

test('the language is that of the lyrics, else what the file says beside', () => {
  const language = field('id3v2', 'TLAN', 'fra')
  expect(readLyrics([language, field('id3v2', 'USLT:eng', 'a')])?.language).toBe('en')
  expect(readLyrics([language, field('id3v2', 'USLT:XXX', 'a')])?.language).toBe('fr')
  expect(
    readLyrics([field('vorbis', 'LANGUAGE', '?'), field('vorbis', 'LYRICS', 'a')]),
  ).toMatchObject({
    language: null,
  })
})

test('what is empty, or no lyrics, is none', () => {
  expect(
    readLyrics([field('id3v2', 'USLT:eng', ' '), field('vorbis', 'LYRICIST', 'Somebody')]),
  ).toBeNull()
})
