import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SEGMENT_S } from './contract/key-periods.ts'
import { PlanId } from './contract/plans.ts'
import { LEAD_S, type Move, playThriftily } from './testing/thrifty-player.ts'
import {
  makeMeterCalls,
  makeTestDatabase,
  makeTrack,
  makeUser,
  type TestDatabase,
} from './testing/index.ts'
import type { TrackId } from './contract/ids.ts'

let db: TestDatabase
let close: () => Promise<void>
const DURATION_S = 183.5
const tracks: TrackId[] = []
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  for (let index = 0; index < 4; index++)
    tracks.push((await makeTrack(db, { durationS: DURATION_S })).trackId)
}, 60_000)
afterAll(() => close())

const NOON_MS = Date.parse('2026-01-01T12:00:00Z')

/** Plays on the real meter; answers with seconds heard and charged, and how many statements it took. */
async function listen(moves: Move[]) {
  const { userId, familyId } = await makeUser(db, { plan: PlanId.parse('premium') })
  const meter = makeMeterCalls(db)
  const sessions = new Map<number, unknown>()
  let chargedMs = 0
  let statements = 0
  const heardS = await playThriftily(moves, DURATION_S, async (track, from, count, atS, isMove) => {
    const now = new Date(NOON_MS + atS * 1000)
    statements++
    const begin = () => meter.start(userId, familyId, tracks[track]!, now, from * SEGMENT_S)
    const session = sessions.get(track)
    let answer =
      isMove && session === undefined
        ? await begin()
        : await meter.lease(session, userId, tracks[track]!, from, now, count)
    // Two tracks on from it a session is over: what comes next is a listen anew.
    if (answer.outcome === 'superseded') answer = await begin()
    expect(['started', 'granted']).toContain(answer.outcome)
    if (answer['session_id']) sessions.set(track, answer['session_id'])
    chargedMs = Number(answer['used_ms'])
  })
  return { heardS, chargedS: chargedMs / 1000, statements }
}

const moves = fc.array(
  fc.record({
    track: fc.nat({ max: 3 }),
    positionS: fc.double({ min: 0, max: DURATION_S - 5, noNaN: true }),
    // Skimming: mostly gone within a dozen seconds, at times at once; now and then something is liked.
    staysS: fc.oneof(
      { weight: 2, arbitrary: fc.double({ min: 0.05, max: 0.6, noNaN: true }) },
      { weight: 6, arbitrary: fc.double({ min: 0.5, max: 12, noNaN: true }) },
      { weight: 1, arbitrary: fc.double({ min: 12, max: 60, noNaN: true }) },
    ),
  }),
  { minLength: 8, maxLength: 25 },
)

test('who skims is charged what is heard, and at most one segment more for each move', async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (all) => {
      const { heardS, chargedS } = await listen(all)
      // The first of them is the start, so these are moves + 1.
      expect(chargedS).toBeLessThanOrEqual(heardS + SEGMENT_S * all.length)
    }),
    // What a move wastes is a segment and the lead at worst, half of that on average.
    { numRuns: 100, seed: 13 },
  )
}, 300_000)

test('a skimmer who always leaves at the worst moment is charged a segment and the lead for each move', async () => {
  const worst = Array.from({ length: 10 }, (_, track) => ({
    track: track % 4,
    positionS: 0,
    staysS: 0.25 + SEGMENT_S - LEAD_S / 2,
  }))
  const { heardS, chargedS } = await listen(worst.slice(0, 4))
  expect(chargedS).toBeLessThanOrEqual(heardS + 4 * (SEGMENT_S + LEAD_S))
})

test('a track heard from start to end is charged its length, in two statements more than with periods of twelve seconds', async () => {
  const { heardS, chargedS, statements } = await listen([
    { track: 0, positionS: 0, staysS: DURATION_S + 1 },
  ])
  expect([heardS, chargedS]).toEqual([DURATION_S, DURATION_S])
  expect(statements).toBeLessThanOrEqual(Math.ceil(DURATION_S / 12) + 2)
})

test.each([
  ['five seeks 1.5 s apart', 5, 1.5, 24],
  ['ten presses of the arrow 0.3 s apart', 10, 0.3, 44],
  ['five skips 2 s apart', 5, 2, 24],
])('%s cost a segment each', async (_, count, apartS, mostS) => {
  const { chargedS } = await listen(
    Array.from({ length: count + 1 }, (__, index) => ({
      track: 0,
      positionS: index * 10,
      staysS: apartS,
    })),
  )
  expect(chargedS).toBeLessThanOrEqual(mostS)
})
