import Meyda from 'meyda'
import { expect, test } from 'vitest'
import { ANALYSIS_RATE_HZ, makeAnalyser } from './analyser.ts'
import { makeRandom } from './testing/random.ts'

test('centroid, bandwidth and crossings agree with meyda, whose units differ', () => {
  const random = makeRandom(9)
  let state = 0
  const frame = Float32Array.from({ length: 2048 }, () => (state = 0.9 * state + random() - 0.5))
  Object.assign(Meyda, {
    sampleRate: ANALYSIS_RATE_HZ,
    bufferSize: 2048,
    windowingFunction: 'hanning',
  })
  const theirs = Meyda.extract(['spectralCentroid', 'spectralSpread', 'zcr'], frame)
  const analyser = makeAnalyser()
  analyser.push(frame)
  const { features } = analyser.finish()
  // meyda counts in bins; its Hann window is the symmetric one, ours the periodic one.
  const hzPerBin = ANALYSIS_RATE_HZ / 2048
  expect(features.centroidHz / ((theirs?.spectralCentroid ?? 0) * hzPerBin)).toBeCloseTo(1, 2)
  expect(features.bandwidthHz / ((theirs?.spectralSpread ?? 0) * hzPerBin)).toBeCloseTo(1, 2)
  // meyda answers a count and leaves out the frame's last pair of samples.
  expect(Math.abs(features.zeroCrossingRate * 2048 - (theirs?.zcr ?? 0))).toBeLessThanOrEqual(1)
})
