import type { Problem } from '../lib/problem.ts'
import { whenOf } from '../lib/time.ts'
import type { Refusal } from './machine.ts'

/** Sorts a refusal of the API by what the listener can do about it. */
export function refusalOf(problem: Problem): Refusal {
  switch (problem.code) {
    case 'quota-exhausted':
      return { kind: 'exhausted', resetsAt: problem.resetsAt }
    case 'superseded':
      return { kind: 'superseded' }
    case 'signed-out':
    case 'session-token-invalid':
    case 'refresh-invalid':
    case 'refresh-reused':
      return { kind: 'signed-out' }
    case 'track-not-ready':
      return {
        kind: 'failed',
        sentence: 'This track is still being prepared. Try it again in a minute.',
      }
    case 'not-found':
      return { kind: 'failed', sentence: 'This track is no longer here.' }
    case 'account-blocked':
      return { kind: 'failed', sentence: problem.detail }
    case 'too-early':
      return {
        kind: 'failed',
        sentence: 'That was a lot of music in a short time. Wait a few seconds, then press play.',
      }
    default:
      return { kind: 'failed', sentence: problem.detail }
  }
}

/** The next midnight UTC, when every budget returns. */
function nextReset(now: Date): string {
  return new Date(
    Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1),
  ).toISOString()
}

/** Tells a refusal in sentences: what happened, and what the listener can do. */
export function sentencesOf(refusal: Refusal, now = new Date()): { title: string; body: string } {
  switch (refusal.kind) {
    case 'exhausted':
      return {
        title: 'That was today’s listening time.',
        body: `It returns ${whenOf(refusal.resetsAt ?? nextReset(now), now)}. With premium you can listen as long as you like, on three devices.`,
      }
    case 'superseded':
      return {
        title: 'Playing on another device.',
        body: 'Your plan plays on one device at a time. You can take over and go on here.',
      }
    case 'signed-out':
      return {
        title: 'Sign in to listen.',
        body: 'An account is free and comes with listening time every day.',
      }
    case 'failed':
      return { title: 'This could not be played.', body: refusal.sentence }
  }
}
