import { expect, test } from 'vitest'
import { decodeLegacy, redecodeLatin1 } from './legacy-text.ts'

test.each([
  ['UTF-8', Buffer.from('Beyoncé'), 'Beyoncé'],
  ['UTF-8 Cyrillic', Buffer.from('Земля'), 'Земля'],
  ['Windows-1251', Buffer.from('\xc7\xe5\xec\xeb\xff', 'latin1'), 'Земля'],
  ['Latin-1', Buffer.from('Mot\xf6rhead', 'latin1'), 'Motörhead'],
  ['Latin-1 words', Buffer.from('Sigur Rós, Ágætis byrjun', 'latin1'), 'Sigur Rós, Ágætis byrjun'],
  ['Windows-1252', Buffer.from('Don\x92t \x96 \x80uro \x8akoda', 'latin1'), 'Don’t – €uro Škoda'],
  ['Nordic capitals alone', Buffer.from('ÆØÅ', 'latin1'), 'ÆØÅ'],
  ['ASCII', Buffer.from('Vibe Ace'), 'Vibe Ace'],
])('%s is recognised', (_, bytes, text) => {
  expect(decodeLegacy(bytes)).toBe(text)
})

test('text that was taken for Latin-1 is decoded anew', () => {
  expect(redecodeLatin1('Çåìëÿ')).toBe('Земля')
  expect(redecodeLatin1('Don\x92t')).toBe('Don’t')
})
