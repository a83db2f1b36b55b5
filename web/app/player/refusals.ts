import type { Problem } from '../lib/problem.ts'
import { formatWhen } from '../lib/format.ts'
import type { Refusal } from './machine.ts'

/** Classifies an API problem by what the listener can do about it. */
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
        sentence: 'You are going through the music very fast. Wait a few seconds, then press play.',
      }
    default:
      return { kind: 'failed', sentence: problem.detail }
  }
}

/** The next midnight UTC, when every budget resets. */
function nextReset(now: Date): string {
  return new Date(
    Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1),
  ).toISOString()
}

/** The message for a refusal: what happened, and what the listener can do. */
export function messageOf(refusal: Refusal, now = new Date()): { title: string; body: string } {
  switch (refusal.kind) {
    case 'exhausted':
      return {
        title: 'That was today’s listening time.',
        body: `It returns ${formatWhen(refusal.resetsAt ?? nextReset(now), now)}. With premium you can listen as long as you like, on three devices.`,
      }
    case 'superseded':
      return {
        title: 'Playing on another device.',
        body: 'Your plan plays on one device at a time. You can continue here instead.',
      }
    case 'signed-out':
      return {
        title: 'Sign in to listen.',
        body: 'An account is free and comes with listening time every day.',
      }
    case 'failed':
      return { title: 'This track cannot be played.', body: refusal.sentence }
  }
}
