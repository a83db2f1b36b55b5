import { nextReset, type ProblemCode } from '@mist/db/contract'
import { Problem, wholeWait } from '../problem.ts'

/** For each outcome of the meter that is a refusal: its problem code, and what to do about it. */
const REFUSALS = {
  'no-session': ['not-found', 'There is no such listening session.'],
  'not-found': ['not-found', 'There is no such track.'],
  'not-ready': ['track-not-ready', 'The track is still being prepared. Try again soon.'],
  'signed-out': ['signed-out', 'You were signed out. Sign in again.'],
  blocked: ['account-blocked', 'This account is blocked. Ask the people who run this service.'],
  superseded: ['superseded', 'Another device plays with this account. Start here to take over.'],
  ended: ['session-ended', 'Start a new listening session to go on.'],
  'wrong-track': ['wrong-track', 'This session opens the keys of another track.'],
  'no-period': ['not-found', 'The track has no such key period.'],
  exhausted: ['quota-exhausted', 'It returns at midnight UTC. Premium has no daily limit.'],
  'too-early': ['too-early', 'Keys are given at the pace of listening. Wait a moment.'],
  'beyond-track': ['invalid-position', 'The position lies beyond the end of the track.'],
  'not-leased': ['invalid-position', 'The position lies beyond what this session has opened.'],
} as const satisfies Record<string, readonly [ProblemCode, string]>

export function refusal(outcome: keyof typeof REFUSALS, now: Date, retryAfterS = 0): Problem {
  const [code, detail] = REFUSALS[outcome]
  if (code === 'too-early')
    return new Problem(code, detail, { retryAfterS: wholeWait(retryAfterS) })
  if (code === 'quota-exhausted') {
    const resetsAt = nextReset(now)
    return new Problem(code, detail, {
      retryAfterS: wholeWait((resetsAt.getTime() - now.getTime()) / 1000),
      resetsAt: resetsAt.toISOString(),
    })
  }
  return new Problem(code, detail)
}
