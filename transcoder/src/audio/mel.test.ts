import { expect, test } from 'vitest'
import { hzToMel, makeMelBank, melToHz } from './mel.ts'

// Values of the formula in Slaney's Auditory Toolbox (Interval Research TR 1998-010).
test.for([
  [60, 0.9],
  [1000, 15],
  [6400, 42],
  [440, 6.6],
])('%f Hz is %f mel', ([hz, mel]) => {
  expect(hzToMel(hz!)).toBeCloseTo(mel!, 9)
  expect(melToHz(mel!)).toBeCloseTo(hz!, 6)
})

const bank = makeMelBank({ bands: 64, fftSize: 2048, sampleRate: 22_050, minHz: 0, maxHz: 11_025 })

test('a density of one power per hertz gives every band one', () => {
  // Each triangle has unit area over frequency, so a flat density integrates to 1.
  const energies = new Float64Array(64)
  bank.apply(new Float64Array(1025).fill(22_050 / 2048), energies)
  for (const energy of energies) expect(Math.abs(energy - 1)).toBeLessThan(0.12)
  expect(energies.at(-2)).toBeCloseTo(1, 2)
})

test('a single bin reaches no more than the two bands around it', () => {
  const power = new Float64Array(1025)
  power[93] = 1 // 1001 Hz
  const energies = new Float64Array(64)
  bank.apply(power, energies)
  const touched = Array.from(energies.entries()).filter(([, energy]) => energy > 0)
  expect(touched.length).toBeLessThanOrEqual(2)
  // Bands are (15 + 27·ln 11.025 / ln 6.4) / 65 ≈ 0.768 mel apart; 1001 Hz is 15 mel: band 15 / 0.768 - 1.
  expect(touched.map(([band]) => band)).toContain(19)
})
