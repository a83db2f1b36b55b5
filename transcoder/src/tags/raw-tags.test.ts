import { expect, test } from 'vitest'
import type { Field } from './fields.ts'
import { boundTags } from './raw-tags.ts'

const field = (name: string, ...values: string[]): Field => ({ tag: 'vorbis', name, values })

test('usual tags are kept as they are, white space and capitals too', () => {
  const fields = [field('TITLE', ' A  title '), field('artist', 'A', 'B'), field('TITLE', 'again')]
  expect(boundTags(fields)).toEqual({ fields, cut: [] })
})

test('a long value is cut, and said to be; the fields after it are kept', () => {
  const { fields, cut } = boundTags([field('LYRICS', 'x'.repeat(5000)), field('TITLE', 'a')])
  expect(fields.map(({ values }) => values[0]!.length)).toEqual([4000, 1])
  expect(cut).toEqual(['LYRICS'])
})

test('very many fields and values are left out once there is no room, the last ones first', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => field(`A${i}`, 'b'))
  const { fields, cut } = boundTags([field('TITLE', 'kept'), ...many])
  expect(fields[0]!.values).toEqual(['kept'])
  expect(JSON.stringify(fields).length).toBeLessThan(130_000)
  expect(cut).toHaveLength(50)
  expect(boundTags([field('A', ...Array<string>(100_000).fill('b')), field('B', 'c')])).toEqual({
    fields: [field('B', 'c')],
    cut: ['A'],
  })
})

test('what Postgres can not hold in JSON is marked, also where a cut makes it', () => {
  const { fields } = boundTags([field('A\0', 'a\0b', '\ud83d', `${'x'.repeat(3999)}\u{1f600}`)])
  const text = JSON.stringify(fields)
  expect(text).not.toMatch(/\\u0000|\\ud[89ab]/i)
  expect(fields[0]!.values[2]).toHaveLength(4000)
})
