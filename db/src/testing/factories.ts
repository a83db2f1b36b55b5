import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { SEGMENTS_PER_PERIOD_NEW } from '../contract/key-periods.ts'
import { parseKeyRing, wrapMasterKey } from '../contract/content-keys.ts'
import { FamilyId, JobId, newId, TrackId, UserId } from '../contract/ids.ts'
import * as schema from '../schema/index.ts'

export type AnyDatabase = PgDatabase<PgQueryResultHKT, typeof schema>

/** A key ring for tests; every byte is 7. */
export const TEST_KEY_RING = parseKeyRing(`test:${btoa('\x07'.repeat(32))}`)

/** A listener with one auth session. */
export async function makeUser(
  db: AnyDatabase,
  overrides: Partial<typeof schema.users.$inferInsert> = {},
): Promise<{ userId: UserId; familyId: FamilyId }> {
  const userId = newId(UserId)
  await db.insert(schema.users).values({
    id: userId,
    email: `${userId}@example.test`,
    username: userId,
    passwordHash: '$scrypt$ln=1,r=1,p=1$c2FsdA$aGFzaA',
    ...overrides,
  })
  return { userId, familyId: await makeFamily(db, userId) }
}

/** Another auth session of a listener. */
export async function makeFamily(db: AnyDatabase, userId: UserId): Promise<FamilyId> {
  const familyId = newId(FamilyId)
  await db
    .insert(schema.refreshFamilies)
    .values({ id: familyId, userId, expiresAt: new Date('2100-01-01T00:00:00Z') })
  return familyId
}

/** A published track of `durationS` seconds at 44.1 kHz with three renditions and a wrapped key. */
export async function makeTrack(
  db: AnyDatabase,
  {
    durationS = 180,
    title = 'A track',
    segmentsPerPeriod = SEGMENTS_PER_PERIOD_NEW,
  }: { durationS?: number; title?: string; segmentsPerPeriod?: number } = {},
): Promise<{ trackId: TrackId; version: number; masterKey: Uint8Array<ArrayBuffer> }> {
  const trackId = newId(TrackId)
  const version = 1
  const now = new Date()
  await db
    .insert(schema.tracks)
    .values({ id: trackId, title, version, durationS, publishedAt: now })
  await db.insert(schema.trackVersions).values({
    trackId,
    version,
    jobId: newId(JobId),
    status: 'published',
    publishedAt: now,
    sampleRate: 44_100,
    sampleCount: Math.round(durationS * 44_100),
    primingSamples: 1024,
    paddingSamples: 0,
    gainDb: 0,
    segmentsPerPeriod,
  })
  const masterKey = crypto.getRandomValues(new Uint8Array(16))
  const { kid, wrapped } = await wrapMasterKey(TEST_KEY_RING, masterKey, trackId, version)
  await db.insert(schema.trackKeys).values({ trackId, version, kid, wrapped })
  await db.insert(schema.renditions).values(
    [64_000, 128_000, 192_000].map((bitrate) => ({
      trackId,
      version,
      name: `${bitrate / 1000}k`,
      bitrate,
      peakBandwidth: Math.round(bitrate * 1.1),
      averageBandwidth: bitrate,
      codecs: 'mp4a.40.2',
      init: new Uint8Array([0, 1, 2, 3]),
      ivSeed: crypto.getRandomValues(new Uint8Array(16)),
    })),
  )
  return { trackId, version, masterKey }
}
