import { expect, test } from 'vitest'
import { makeAnalyser } from './analyser.ts'
import { GROOVE_STYLES, makeGroove } from './testing/grooves.ts'

function tempoOf(samples: Float32Array): number | null {
  const analyser = makeAnalyser()
  analyser.push(samples)
  return analyser.finish().features.tempoBpm
}

test('grooves of every style, none of them fitted on, are timed within four per cent', () => {
  // Beyond 20 × the number of styles lie grooves that neither the fit nor the benchmark uses.
  const verdicts = Array.from({ length: GROOVE_STYLES }, (_, i) => {
    const { bpm, samples } = makeGroove(20 * GROOVE_STYLES + i, 20)
    const found = tempoOf(samples) ?? 0
    const within = (factor: number) => Math.abs(found / (factor * bpm) - 1) <= 0.04
    return { right: within(1), octave: within(1) || within(2) || within(0.5) }
  })
  const share = (of: 'right' | 'octave') =>
    verdicts.filter((verdict) => verdict[of]).length / verdicts.length
  expect(share('right')).toBeGreaterThanOrEqual(0.85)
  expect(share('octave')).toBeGreaterThanOrEqual(0.93)
}, 60_000)

test('a metronome is timed to a fifth of a beat per minute', () => {
  const samples = new Float32Array(30 * 22_050)
  for (let beat = 0; beat < 60; beat++) {
    const from = Math.round((beat * 60 * 22_050) / 123.4)
    for (let n = 0; n < 400 && from + n < samples.length; n++) {
      samples[from + n] = Math.sin(n * 0.3) * Math.exp(-n / 80)
    }
  }
  expect(Math.abs((tempoOf(samples) ?? 0) - 123.4)).toBeLessThan(0.2)
})

test('silence has no tempo', () => {
  expect(tempoOf(new Float32Array(10 * 22_050))).toBeNull()
})
