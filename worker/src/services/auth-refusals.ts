import { Problem, wholeWait } from '../problem.ts'

export const blocked = () =>
  new Problem('account-blocked', 'This account is blocked. Ask the people who run this service.')

export const signedOut = () =>
  new Problem('signed-out', 'You were signed out, or the access token is out of date.')

/** A wait as a person would say it. */
function inWords(waitS: number): string {
  if (waitS <= 90) return `${Math.ceil(waitS)} seconds`
  const minutes = Math.ceil(waitS / 60)
  return minutes <= 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** Refuses a guess at a password, or a registration, that comes too soon. */
export function tooManyTries(what: string, waitS: number): Problem {
  return new Problem('rate-limited', `${what} Please wait ${inWords(waitS)}.`, {
    retryAfterS: wholeWait(waitS),
  })
}
