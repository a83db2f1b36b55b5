import { TEST_KEY_RING, makeTrack } from '@mist/db/testing/factories'
import { type TrackId, wrapMasterKey } from '@mist/db/contract'
import { expect, test, vi } from 'vitest'
import { makeTestApi, problemCode } from '../testing/api.ts'

const api = makeTestApi()
type Api = typeof api
type Listener = Awaited<ReturnType<Api['signIn']>>

const start = ({ token }: Listener, trackId: string, by: Api = api, more: object = {}) =>
  by.call('POST', 'listening-sessions', { body: { trackId, ...more }, bearer: token })

async function usedS({ token }: Listener): Promise<number> {
  const quota = await api.call('GET', 'quota', { bearer: token })
  return (await quota.json<{ usedS: number }>()).usedS
}

const damage = (trackId: string, version = 1) =>
  api.db.$client`update track_keys set wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20))
                 where track_id = ${trackId} and version = ${version}`

test.each<[string, (trackId: string) => Promise<unknown>, (trackId: string) => Promise<unknown>]>([
  ['is damaged', (id) => damage(id), (id) => damage(id)],
  [
    'was wrapped under a key that the Worker does not have',
    (id) => api.db.$client`update track_keys set kid = 'lost' where track_id = ${id}`,
    (id) => api.db.$client`update track_keys set kid = 'test' where track_id = ${id}`,
  ],
])('a start on a track whose master key %s fails and charges nothing', async (_, harm, mend) => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  await harm(trackId)
  for (const more of [{}, { positionS: 60 }, { hls: false }]) {
    const failed = await start(listener, trackId, api, more)
    expect([failed.status, await problemCode(failed)]).toEqual([500, 'internal'])
  }
  expect(await usedS(listener)).toBe(0)
  const [rows] = await api.db.$client`
    select count(*)::int as sessions from listening_sessions where user_id = ${listener.userId}`
  expect(rows).toEqual({ sessions: 0 })
  await mend(trackId)
  expect((await start(listener, trackId)).status).toBe(201)
  expect(await usedS(listener)).toBe(4)
})

test('a lease of a track whose master key cannot be opened charges nothing', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { token } = await (await start(listener, trackId)).json<{ token: string }>()
  await damage(trackId)
  // Another isolate, which has not opened the key.
  const elsewhere = makeTestApi()
  const lease = (by: Api) => by.call('GET', `keys/${trackId}/1/1`, { bearer: token })
  const failed = await lease(elsewhere)
  expect([failed.status, await problemCode(failed)]).toEqual([500, 'internal'])
  expect(await usedS(listener)).toBe(4)
  expect((await lease(api)).status).toBe(200)
  expect(await usedS(listener)).toBe(8)
})

/** Publishes a second version of a track, with a master key of its own and three segments to a key. */
async function publishAnother(trackId: TrackId): Promise<void> {
  const { kid, wrapped } = await wrapMasterKey(
    TEST_KEY_RING,
    crypto.getRandomValues(new Uint8Array(16)),
    trackId,
    2,
  )
  const hex = Array.from(wrapped, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const { $client: sql } = api.db
  await sql`insert into track_versions
              (track_id, version, job_id, status, published_at, sample_rate, sample_count,
               priming_samples, padding_samples, gain_db)
            select track_id, 2, gen_random_uuid(), status, published_at, sample_rate, sample_count,
                   priming_samples, padding_samples, gain_db
            from track_versions where track_id = ${trackId}`
  await sql`insert into track_keys (track_id, version, kid, wrapped)
            values (${trackId}, 2, ${kid}, decode(${hex}, 'hex'))`
  await sql`insert into renditions
            select (jsonb_populate_record(r, '{"version": 2}')).* from renditions r
            where track_id = ${trackId}`
  await sql`update tracks set version = 2 where id = ${trackId}`
}

test('a track that was replaced meanwhile is charged for when its new key is open', async () => {
  const [first, second] = [await api.signIn(), await api.signIn()]
  const { trackId } = await makeTrack(api.db)
  await start(first, trackId)
  await publishAnother(trackId)
  await damage(trackId, 2)
  expect((await start(second, trackId)).status).toBe(500)
  expect(await usedS(second)).toBe(0)
  // The first goes on with what it has.
  expect((await start(first, trackId)).status).toBe(200)
  await damage(trackId, 2)
  const started = await start(second, trackId)
  const { firstKey } = await started.json<{ firstKey: { url: string } }>()
  expect([started.status, firstKey.url]).toEqual([201, expect.stringContaining(`${trackId}/2/0`)])
  expect(await usedS(second)).toBe(12)
})

test('play and keys are one statement each once a track is listened to, one more before', async () => {
  const [first, second] = [await api.signIn(), await api.signIn()]
  const { trackId } = await makeTrack(api.db)
  const asked = vi.spyOn(globalThis, 'fetch')
  const statements = async (request: () => Promise<Response>) => {
    asked.mockClear()
    const response = await request()
    expect(response.ok).toBe(true)
    return [asked.mock.calls.length, response] as const
  }
  const [cold] = await statements(() => start(first, trackId))
  const [warm, started] = await statements(() => start(second, trackId))
  const { id, token } = await started.json<{ id: string; token: string }>()
  const [run] = await statements(() =>
    api.call('POST', `listening-sessions/${id}/leases`, {
      body: { from: 2, count: 3 },
      bearer: token,
    }),
  )
  const [key] = await statements(() => api.call('GET', `keys/${trackId}/1/1`, { bearer: token }))
  expect([cold, warm, run, key]).toEqual([2, 1, 1, 1])
  asked.mockRestore()
})
