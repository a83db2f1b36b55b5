import { expect, test } from 'vitest'
import { makeWaveform, WAVEFORM_BINS } from './waveform.ts'

test.for([1, 999, 1000, 8000, 8001, 123_457, 3_000_000])(
  '%i samples make one peak per bin',
  (length) => {
    const waveform = makeWaveform()
    const samples = Float32Array.from({ length }, (_, n) => (n / length) * (n % 2 === 0 ? 1 : -1))
    for (let at = 0; at < length; at += 4097) waveform.push(samples.subarray(at, at + 4097))
    const peaks = waveform.finish()
    expect(peaks.length).toBe(WAVEFORM_BINS)
    peaks.forEach((peak, bin) => {
      const expected = 255 * Math.min(1, (bin + 1) / WAVEFORM_BINS)
      expect(Math.abs(peak - expected)).toBeLessThan(length < 1000 ? 256 : 2)
    })
  },
)

test('one click is in its bin and in no other', () => {
  const waveform = makeWaveform()
  const samples = new Float32Array(1_000_000)
  samples[500_500] = -1
  waveform.push(samples)
  const peaks = waveform.finish()
  expect(peaks[500]).toBe(255)
  expect(peaks.reduce((sum, peak) => sum + peak, 0)).toBe(255)
})

test('clipped samples stay in range and no samples give a flat line', () => {
  const waveform = makeWaveform()
  waveform.push(Float32Array.of(3))
  expect(Math.max(...waveform.finish())).toBe(255)
  expect(Math.max(...makeWaveform().finish())).toBe(0)
})
