import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSettings } from './settings.ts'
import { openState } from './state.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-state-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const { state } = openState(dir)

test('with nothing in the environment everything is embedded', () => {
  const settings = readSettings({ DATABASE_URL: '', REDIS_URL: ' ' }, state)
  expect(settings.database).toEqual({ kind: 'embedded' })
  expect(settings.redis).toEqual({ kind: 'embedded' })
  expect(settings.s3).toMatchObject({ kind: 'embedded', bucket: 'mist-media', endpoint: null })
})

test('a stack keeps its installation id, unless it is told to be part of another', () => {
  const own = readSettings({}, state).installationId
  expect(readSettings({}, openState(dir).state).installationId).toBe(own)
  expect(readSettings({ INSTALLATION_ID: 'another' }, state).installationId).toBe('another')
})

test.for([
  ['postgres://u:p@ep-one-1.eu-central-1.aws.neon.tech/db?sslmode=require', 'neon'],
  ['postgresql://u:p@db.example/neon.tech', 'postgres'],
  ['postgres://u:p@neon.tech.example/db', 'postgres'],
])('%s is a database of the kind %s', ([url, kind]) => {
  expect(readSettings({ DATABASE_URL: url }, state).database).toEqual({ kind, url })
})

test('an endpoint without its keys, or a strange database, is refused by name', () => {
  expect(() => readSettings({ S3_ENDPOINT: 'https://s3.example' }, state)).toThrow(
    /S3_ACCESS_KEY_ID/,
  )
  expect(() => readSettings({ DATABASE_URL: 'mysql://x' }, state)).toThrow(/DATABASE_URL/)
})

test('secrets are made once, kept, and for the owner only', () => {
  expect(openState(dir).state).toEqual(state)
  expect(state.admin.password.length).toBeGreaterThanOrEqual(16)
  expect(state.admin.password).not.toBe(state.listener.password)
  expect(statSync(join(dir, 'state.json')).mode & 0o777).toBe(0o600)
})
