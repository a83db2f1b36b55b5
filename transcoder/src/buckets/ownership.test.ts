import { OWNER_MARK_KEY } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { readAudit } from '@mist/db/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { isOutage } from '../jobs/transcode/failures.ts'
import type { Database } from '../platform/database.ts'
import { keysIn, publishTrack, startInstallations } from '../testing/installations.ts'
import { BucketsRefused } from './ownership.ts'

/** Who says so. */
const PERSON = { command: 'a test' }
const ONE = '019a0000-0000-7000-8000-000000000001'
const TWO = '019a0000-0000-7000-8000-000000000002'

let world: Awaited<ReturnType<typeof startInstallations>>
beforeAll(async () => {
  world = await startInstallations()
})
afterEach(() => world?.release())
afterAll(() => world?.stop())

/** An installation in use: its buckets are claimed and hold one track. */
async function inUse(setting: string | null = ONE) {
  const { db, dump } = await world.database()
  const pair = world.pair()
  const objects = world.store(pair)
  const stack = world.installation({ db, objects, setting })
  await stack.ownership.open()
  const track = await publishTrack({ db, objects })
  return { ...stack, db, dump, pair, objects, track }
}

/** An installation as it was before there were marks: rows and objects, and nothing else. */
async function older(setting: string | null) {
  const { db, dump } = await world.database()
  const objects = world.store(world.pair())
  const track = await publishTrack({ db, objects })
  return { ...world.installation({ db, objects, setting }), db, dump, objects, track }
}

const idOf = async (db: Database) => (await db.select().from(schema.installation))[0]!.id

const allKeys = async (objects: ReturnType<typeof world.store>) => [
  ...(await keysIn(objects, 'media')),
  ...(await keysIn(objects, 'originals')),
]

test('a new installation claims its empty buckets under the name that its setting gives it', async () => {
  const { db } = await world.database()
  const objects = world.store(world.pair())
  const { ownership } = world.installation({ db, objects, setting: ONE })
  expect(await ownership.open()).toBeNull()
  expect(await idOf(db)).toBe(ONE)
  expect(await allKeys(objects)).toEqual([OWNER_MARK_KEY, OWNER_MARK_KEY])
  expect(await ownership.permit()).toMatchObject({ installation: ONE })
  expect(await ownership.permit()).toMatchObject({ installation: ONE })
})

test('a check without leave to claim writes nothing, neither into the buckets nor the database', async () => {
  const { db } = await world.database()
  const objects = world.store(world.pair())
  const { ownership } = world.installation({ db, objects, setting: ONE })
  const before = await db.select().from(schema.installation)
  expect(await ownership.open({ mayClaim: false })).toBeNull()
  expect(await allKeys(objects)).toEqual([])
  expect(await db.select().from(schema.installation)).toEqual(before)
})

test('of two installations that race for the same empty buckets one gets both, the other none', async () => {
  const pair = world.pair()
  const objects = world.store(pair)
  const stacks = await Promise.all(
    [ONE, TWO].map(async (setting) => {
      const { db } = await world.database()
      return world.installation({ db, objects: world.store(pair), setting })
    }),
  )
  const opened = await Promise.allSettled(stacks.map(({ ownership }) => ownership.open()))
  expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const winner = opened[0]!.status === 'fulfilled' ? ONE : TWO
  for (const bucket of ['media', 'originals'] as const)
    expect((await objects.readText(bucket, OWNER_MARK_KEY))?.text).toContain(winner)
})

test('two transcoders of one installation that start at once are both let in, and both may sweep', async () => {
  const { db } = await world.database()
  const objects = world.store(world.pair())
  const make = () => world.installation({ db, objects, setting: ONE })
  const [one, other] = [make(), make()]
  expect(await Promise.all([one.ownership.open(), other.ownership.open()])).toEqual([null, null])
  for (let turn = 0; turn < 4; turn++)
    await Promise.all([one.ownership.permit(), other.ownership.permit()])
  expect(await one.ownership.permit()).toMatchObject({ installation: ONE })
  expect(await other.ownership.permit()).toMatchObject({ installation: ONE })
})

test('a second stack on buckets in use is refused with the name of their owner, and deletes nothing', async () => {
  const { pair, objects } = await inUse()
  const before = await allKeys(objects)
  const { db } = await world.database()
  const second = world.installation({ db, objects: world.store(pair), setting: TWO })
  await expect(second.ownership.open()).rejects.toThrow(BucketsRefused)
  await expect(second.ownership.open()).rejects.toThrow(
    new RegExp(`media-${pair} belongs to ${ONE}.*SHARE_BUCKETS=true`),
  )
  expect(await second.sweep()).toMatchObject({ objects: 0, held: expect.stringContaining(ONE) })
  expect(await allKeys(objects)).toEqual(before)
})

test('with SHARE_BUCKETS, a second stack reads and writes, and deletes nothing even of what it has tombstones for', async () => {
  const { pair, objects } = await inUse()
  const { db } = await world.database()
  const shared = world.store(pair)
  const second = world.installation({ db, objects: shared, setting: TWO, mayShare: true })
  expect(await second.ownership.open()).toContain(ONE)
  const { trackId } = await publishTrack({ db, objects: shared })
  await second.deleteTrack(trackId)
  await db.update(schema.tombstones).set({ notBefore: new Date(0) })
  const before = await allKeys(objects)
  expect(await second.sweep()).toMatchObject({ tombstones: 0, held: expect.any(String) })
  expect(await allKeys(objects)).toEqual(before)
})

test('a new stack on buckets with objects that nobody marked is refused', async () => {
  const { objects } = await older(ONE)
  const { db } = await world.database()
  const stranger = world.installation({ db, objects, setting: TWO })
  await expect(stranger.ownership.open()).rejects.toThrow(/holds nothing that this database knows/)
  expect(await allKeys(objects)).not.toContain(OWNER_MARK_KEY)
})

test('an installation older than marks works on after the upgrade, deletes nothing, and says how to claim', async () => {
  const { db, objects, ownership, sweep, deleteTrack, track } = await older(null)
  expect(await ownership.open()).toMatch(/no owner mark yet.*npm run bucket -- claim/)
  await deleteTrack(track.trackId)
  await db.update(schema.tombstones).set({ notBefore: new Date(0) })
  const before = await allKeys(objects)
  expect(await sweep()).toMatchObject({ objects: 0, held: expect.stringContaining('claim') })
  expect(await allKeys(objects)).toEqual(before)

  await ownership.claim(null, PERSON)
  const id = await idOf(db)
  expect(await readAudit(db)).toEqual([
    { ...PERSON, action: 'buckets.claim', target: 'installation', targetId: id, details: {} },
  ])
  expect(await ownership.open()).toContain(`Set INSTALLATION_ID=${id}`)
  expect(await sweep()).toMatchObject({ objects: 0 })
  const configured = world.installation({ db, objects, setting: id })
  expect(await configured.ownership.open()).toBeNull()
  expect(await configured.sweep()).toMatchObject({ objects: 5, held: null })
})

test('buckets in a local stack’s own folder are claimed though they are in use, but never from another', async () => {
  const { objects, ownership } = await older(ONE)
  expect(await ownership.open({ areOwn: true })).toBeNull()
  const other = world.installation({ db: (await inUse(TWO)).db, objects, setting: TWO })
  await expect(other.ownership.open({ areOwn: true })).rejects.toThrow(ONE)
})

test('a restored backup deletes nothing until somebody says that it is the one that counts', async () => {
  const { db, dump, objects, sweep, ownership } = await inUse()
  await sweep()
  const backup = await dump()
  // What the original did after the backup: a sweep, and an upload that was complete.
  await sweep()
  const late = await publishTrack({ db, objects })
  const restored = await world.database(backup)
  // The backup knew that upload as one that was announced, and its time is over.
  await restored.db.insert(schema.uploads).values({
    id: late.uploadId,
    filename: 'late.flac',
    sizeBytes: 1,
    contentType: 'audio/flac',
    objectKey: `originals/${late.uploadId}`,
    expiresAt: new Date(0),
  })
  const again = world.installation({ db: restored.db, objects, setting: ONE })
  const before = await allKeys(objects)
  expect(await again.ownership.open()).toMatch(/restored from a backup.*npm run bucket -- claim/)
  expect(await again.sweep()).toMatchObject({ objects: 0, held: expect.any(String) })
  expect(await allKeys(objects)).toEqual(before)

  await again.ownership.claim(null, PERSON)
  expect(await again.ownership.open()).toBeNull()
  // From now on the other one is the copy.
  expect(await sweep()).toMatchObject({ objects: 0, held: expect.stringContaining('copy') })
  expect(await ownership.open()).toContain('copy')
})

test("a branch of the database with a setting of its own is refused on its origin's buckets", async () => {
  const { dump, objects } = await inUse()
  const branch = await world.database(await dump())
  const stack = world.installation({ db: branch.db, objects, setting: TWO })
  await expect(stack.ownership.open()).rejects.toThrow(
    new RegExp(
      `belongs to ${ONE}; the database belongs to installation ${ONE}; INSTALLATION_ID says ${TWO}`,
    ),
  )
  expect(await stack.sweep()).toMatchObject({ objects: 0 })
})

test('of a database and its branch under one setting, copied by accident, only the first to sweep deletes', async () => {
  const { db, dump, objects, sweep, track, deleteTrack } = await inUse()
  const branch = await world.database(await dump())
  const copy = world.installation({ db: branch.db, objects, setting: ONE })
  expect(await sweep()).toMatchObject({ held: null })
  await copy.deleteTrack(track.trackId)
  await branch.db.update(schema.tombstones).set({ notBefore: new Date(0) })
  const before = await allKeys(objects)
  expect(await copy.sweep()).toMatchObject({ objects: 0, held: expect.stringContaining('copy') })
  expect(await allKeys(objects)).toEqual(before)
  await deleteTrack(track.trackId)
  await db.update(schema.tombstones).set({ notBefore: new Date(0) })
  expect(await sweep()).toMatchObject({ objects: 5, held: null })
})

test('a DATABASE_URL that names another database, in use or new, is refused by that name', async () => {
  const { objects } = await inUse(ONE)
  const other = await inUse(TWO)
  const fresh = await world.database()
  for (const db of [other.db, fresh.db]) {
    const mistyped = world.installation({ db, objects, setting: ONE })
    await expect(mistyped.ownership.open()).rejects.toThrow(/Is DATABASE_URL right\?/)
    expect(await mistyped.sweep()).toMatchObject({ objects: 0 })
    await expect(mistyped.ownership.claim(null, PERSON)).rejects.toThrow(/DATABASE_URL/)
  }
  // The database was lost: its successor takes over by name, and the old one would be refused.
  const successor = world.installation({ db: fresh.db, objects, setting: ONE })
  await successor.ownership.claim(ONE, PERSON)
  expect(await successor.ownership.open()).toBeNull()
})

test('a store that is unavailable, or has no such bucket, is not taken for one without a mark', async () => {
  const { db } = await world.database()
  const away = world.store(world.pair(), { endpoint: 'http://127.0.0.1:9' })
  const { ownership, sweep } = world.installation({ db, objects: away, setting: ONE })
  const error = await ownership.open().catch((thrown: unknown) => thrown)
  expect(error).not.toBeInstanceOf(BucketsRefused)
  expect(isOutage(error)).toBe(true)
  await expect(sweep()).rejects.toThrow(/ECONNREFUSED/)
  const none = world.store(world.pair(), { mediaBucket: 'nowhere' })
  const lost = world.installation({ db, objects: none, setting: ONE })
  await expect(lost.ownership.open()).rejects.toThrow(/bucket does not exist/)
  expect((await db.select().from(schema.installation))[0]).toMatchObject({ claimedAt: null })
}, 60_000)

test.each(['garbage', '{"installation":"nobody"}', ' '])(
  'a mark that reads %j belongs to nobody: refused until it is written anew by hand',
  async (text) => {
    const { db, objects, ownership, sweep } = await inUse()
    const stored = await objects.readText('originals', OWNER_MARK_KEY)
    await objects.writeText('originals', OWNER_MARK_KEY, text, stored!.etag)
    await expect(ownership.open()).rejects.toThrow(/can't be read.*--from=unreadable/)
    expect(await sweep()).toMatchObject({ objects: 0 })
    await expect(ownership.claim(null, PERSON)).rejects.toThrow(BucketsRefused)
    expect(await readAudit(db)).toEqual([])
    await ownership.claim('unreadable', PERSON)
    expect(await ownership.open()).toBeNull()
  },
)

test("where one of the buckets is somebody else's, the other, empty one is not claimed", async () => {
  const { pair } = await inUse()
  const { db } = await world.database()
  const fresh = world.pair()
  const mixed = world.store(fresh, { mediaBucket: `media-${pair}` })
  await expect(
    world.installation({ db, objects: mixed, setting: TWO }).ownership.open(),
  ).rejects.toThrow(ONE)
  expect(await keysIn(mixed, 'originals')).toEqual([])
})

test('buckets change hands by name alone, and then their former owner is refused', async () => {
  const { objects, ownership } = await inUse()
  const { db } = await world.database()
  const heir = world.installation({ db, objects, setting: TWO })
  await expect(heir.ownership.claim(null, PERSON)).rejects.toThrow(ONE)
  await expect(heir.ownership.claim(TWO, PERSON)).rejects.toThrow(ONE)
  await heir.ownership.claim(ONE, PERSON)
  expect(await heir.ownership.open()).toBeNull()
  await expect(ownership.open()).rejects.toThrow(TWO)
})
