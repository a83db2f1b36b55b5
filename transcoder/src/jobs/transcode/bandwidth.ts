import { SEGMENT_S } from '@mist/db/contract'

/**
 * Makes a meter of what a rendition really takes, container and padding included.
 *
 * The peak is that of RFC 8216 §4.3.4.2: the largest bit rate of any run of neighbouring segments
 * that lasts 0.5 to 1.5 target durations. So a short last segment, all header, does not count alone.
 */
export function makeBandwidth(sampleRate: number) {
  const shortest = 0.5 * SEGMENT_S
  const longest = 1.5 * SEGMENT_S
  let bits = 0
  let seconds = 0
  let peak = 0
  let before = { bits: 0, seconds: Infinity }

  return {
    add(bytes: number, samples: number): void {
      const now = { bits: bytes * 8, seconds: samples / sampleRate }
      for (const run of [
        now,
        { bits: before.bits + now.bits, seconds: before.seconds + now.seconds },
      ]) {
        if (run.seconds >= shortest && run.seconds <= longest) {
          peak = Math.max(peak, run.bits / run.seconds)
        }
      }
      bits += now.bits
      seconds += now.seconds
      before = now
    },
    /** Whole bits per second. */
    finish(): { peakBandwidth: number; averageBandwidth: number } {
      const average = seconds === 0 ? 0 : bits / seconds
      return {
        peakBandwidth: Math.ceil(Math.max(peak, average)),
        averageBandwidth: Math.ceil(average),
      }
    },
  }
}
