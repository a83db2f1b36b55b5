import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseKeyRing, unwrapMasterKey } from './contract/content-keys.ts'
import { rewrapKeys } from './rewrap-keys.ts'
import { makeTestDatabase, makeTrack, readAudit, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => ({ db, close } = await makeTestDatabase()), 60_000)
afterAll(() => close())

const BY = { command: 'a test' }
const old = `test:${btoa('\x07'.repeat(32))}`
const fresh = `next:${btoa('\x08'.repeat(32))}`

test('after a rotation the new key alone opens every master key, and the master keys are the same', async () => {
  const tracks = [await makeTrack(db), await makeTrack(db), await makeTrack(db)]
  expect(await rewrapKeys(db, parseKeyRing(`${fresh},${old}`), BY)).toBe(3)
  expect(await rewrapKeys(db, parseKeyRing(`${fresh},${old}`), BY)).toBe(0)
  expect(await readAudit(db)).toEqual([
    { ...BY, action: 'keys.rewrap', target: 'installation', details: { keys: 3, kid: 'next' } },
  ])
  const rows = await db.query.trackKeys.findMany()
  const ring = parseKeyRing(fresh)
  for (const { trackId, version, masterKey } of tracks) {
    const row = rows.find((candidate) => candidate.trackId === trackId)
    expect(row?.kid).toBe('next')
    const opened = await unwrapMasterKey(
      ring,
      'next',
      new Uint8Array(row!.wrapped),
      trackId,
      version,
    )
    expect(opened).toEqual(masterKey)
  }
})

test('a ring without the old key changes nothing and says which key is missing', async () => {
  await makeTrack(db)
  await expect(rewrapKeys(db, parseKeyRing(fresh), BY)).rejects.toThrow(/no key with the id test/)
  expect(await readAudit(db)).toHaveLength(1)
})
