import { expect, test } from 'vitest'
import { COMMON_PASSWORDS } from './common-passwords.ts'
import { whyTooEasy } from './password-rules.ts'

const ada = { email: 'ada.lovelace@engine.example', username: 'Countess_Ada' }

test.each([
  // Among the commonest, in any case and with the usual trimmings.
  'password123',
  'Password123',
  'PASSWORD2024!',
  '!!dragon!!2024',
  'iloveyou1234',
  'basketball',
  'Manchester',
  '1qaz2wsx3edc',
  'christopher',
  'monkey 12345',
  'ｐａｓｓｗｏｒｄ１２３',
  // Rows of keys and repetitions.
  'aaaaaaaaaa',
  '          ',
  '\u00a0'.repeat(12),
  '1234567890',
  '0987654321',
  '12345678910',
  'abcdefghij',
  'zyxwvutsrq',
  'qwertyuiop',
  'QWERTYUIOP[]',
  'qwertzuiop',
  'qwerty123456',
  '123qwe123qwe',
  'asdfghjkl;',
  'abababababab',
  'abcabcabcabc',
  'passwordpassword',
  '🎵🎵🎵🎵🎵🎵🎵🎵🎵🎵',
  // Names.
  'countess_ada',
  'CountessAda1',
  'countess.ada.1815',
  'adalovelace',
  'Ada-Lovelace-1815',
  'lovelace1815!',
  'ada.lovelace@engine.example',
  'engine.example',
  'ada ada ada ada',
  'mistmistmist',
  'Mist Music 2026',
  'mist-admin-1',
  'music listener',
])('%j is too easily guessed', (password) => {
  expect(whyTooEasy(password, ada)).toMatch(/better\.$/)
})

test.each([
  'correct horse battery',
  'a long enough secret',
  'another good one',
  'countess of nothing much',
  'my engine hums at night',
  'music makes me happy',
  'zdRk3pQx7vLm',
  '839201746255',
  'пароль из трёх слов',
  '月光の下で踊る猫たち',
  'tarte aux pommes',
  'Xk9#mQ2$vL',
])('%j is not', (password) => {
  expect(whyTooEasy(password, ada)).toBeNull()
})

test('all of the commonest that are long enough are refused', () => {
  const list = COMMON_PASSWORDS.trim().split(/\s+/)
  expect(list.length).toBeGreaterThan(11_000)
  expect(new Set(list).size).toBe(list.length)
  const long = list.filter((text) => text.length >= 10)
  expect(long.filter((password) => whyTooEasy(password, ada) === null)).toEqual([])
  expect(long.filter((password) => whyTooEasy(password.toUpperCase(), ada) === null)).toEqual([])
})

test('one-letter names do not make every password a name', () => {
  const person = { email: 'a@b.example', username: 'x_y' }
  expect(whyTooEasy('a bee in a bottle', person)).toBeNull()
})
