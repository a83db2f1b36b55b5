import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { placeDevVars, writeDevVars } from './dev-vars.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mist-dev-vars-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const stack = (name: string) => join(root, name)
const placed = () => readFileSync(join(root, '.dev.vars'), 'utf8')

test('the Worker of wrangler dev gets the values of the stack that came up last, for nobody else to read', () => {
  const values = { JWT_SECRET: `#'"${'a/b+c='.repeat(8)}`, DATABASE_URL: 'postgres://u:p$w@h/db' }
  writeDevVars(stack('one'), { JWT_SECRET: 'another' })
  writeDevVars(stack('two'), { ...values, WEB_ORIGINS: 'http://localhost:8787' })
  for (const name of ['one', 'two']) expect(placeDevVars({ root, dir: stack(name) })).toBe(true)
  expect(parseEnv(placed())).toMatchObject(values)
  expect(statSync(join(root, '.dev.vars')).mode & 0o777).toBe(0o600)
  expect(statSync(join(stack('two'), 'dev.vars')).mode & 0o777).toBe(0o600)
})

test('pages of the dev server may call the API with cookies', () => {
  writeDevVars(stack('one'), { WEB_ORIGINS: 'http://localhost:8787' })
  placeDevVars({ root, dir: stack('one') })
  expect(parseEnv(placed())['WEB_ORIGINS']?.split(',')).toEqual([
    'http://localhost:8787',
    'http://localhost:5173',
    'http://127.0.0.1:5173',
  ])
})

test("a person's own .dev.vars stays as it is", () => {
  writeFileSync(join(root, '.dev.vars'), 'JWT_SECRET=mine\n')
  writeDevVars(stack('one'), { JWT_SECRET: 'of the stack' })
  expect(placeDevVars({ root, dir: stack('one') })).toBe(false)
  expect(placed()).toBe('JWT_SECRET=mine\n')
})

test('a value that cannot be written down is refused by name', () => {
  expect(() => writeDevVars(stack('one'), { JWT_SECRET: 'two\nlines' })).toThrow(/JWT_SECRET/)
})
