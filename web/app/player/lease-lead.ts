/**
 * How long before it is heard a key is leased. Too late is a gap in the music; too early is a charge for
 * music that may never be heard.
 */

/**
 * For one who may still leave, with a fast network: a lease of half a second, then decryption and
 * appending (together about 60 ms in Chromium). Seconds.
 */
const LEAST_S = 0.8
/** More than this would be as good as leasing everything ahead. Seconds. */
const MOST_S = 3

/**
 * For one who stays: a lost request is noticed, repeated after half a second and answered in time; and
 * a refusal leaves room for the fade. Seconds.
 */
const STAYING_LEAST_S = 3
/** Two tries that take long, as before there were runs. Seconds. */
const STAYING_MOST_S = 6

/** So late a lease is due at the latest; the music may then pause for as long as it takes. Seconds. */
const LATEST_S = 0.1

export type LeaseLead = {
  /** Notes how long a lease took. */
  measure(tookMs: number): void
  /**
   * Notes that the listener has left with `unheardS` seconds paid ahead. A move may leave up to one
   * period unheard; if it leaves more, the next leads are shorter, so that the total stays within
   * one period for each move, and one lead.
   */
  leave(unheardS: number, periodS: number): void
  /** For one who may still leave, seconds. */
  leadS(): number
  /** For one who stays, seconds. */
  stayingLeadS(): number
}

function clamp(seconds: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, seconds))
}

/** Makes the lead of all tracks that one page plays. */
export function makeLeaseLead(): LeaseLead {
  let latencyS = 0
  /** Below zero where more was left unheard than one period for each move. */
  let creditS = 0

  const wantedS = () => clamp(0.4 + 1.5 * latencyS, LEAST_S, MOST_S)

  return {
    measure(tookMs) {
      const tookS = tookMs / 1000
      // A slow answer counts at once; it takes several fast ones to forget it.
      latencyS = Math.max(tookS, 0.7 * latencyS + 0.3 * tookS)
    },
    leave(unheardS, periodS) {
      creditS = Math.max(-wantedS(), creditS + periodS - unheardS)
    },
    leadS: () => Math.max(LATEST_S, wantedS() + Math.min(0, creditS)),
    stayingLeadS: () => clamp(2 + 2 * latencyS, STAYING_LEAST_S, STAYING_MOST_S),
  }
}
