import { expect, test } from 'vitest'
import { makeAnalyser } from './analyser.ts'
import { note } from './testing/instruments.ts'

const NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B']
/** Triads by scale degree: the cadence I IV V I, and i iv V i with its leading note. */
const CADENCES = {
  major: [
    [0, 4, 7],
    [5, 9, 12],
    [7, 11, 14],
    [0, 4, 7],
  ],
  minor: [
    [0, 3, 7],
    [5, 8, 12],
    [7, 11, 14],
    [0, 3, 7],
  ],
}

function play(tonic: number, mode: 'major' | 'minor', cents: number) {
  const samples = new Float32Array(8 * 22_050)
  CADENCES[mode].forEach((triad, i) => {
    for (const degree of triad) {
      const hz = 220 * 2 ** ((tonic - 9 + degree + cents / 100) / 12)
      note(hz, 2, 0.01, degree)(samples, 2 * i, 0.2)
    }
  })
  const analyser = makeAnalyser()
  analyser.push(samples)
  return analyser.finish().features
}

test.for(
  NAMES.flatMap(
    (name, tonic) =>
      [
        [name, 'major', tonic],
        [name, 'minor', tonic],
      ] as const,
  ),
)('a cadence in %s %s is heard in its key, also 30 cents sharp', ([name, mode, tonic]) => {
  expect(play(tonic, mode, 0).key).toMatchObject({ tonic: name, mode })
  const sharp = play(tonic, mode, 30)
  expect(sharp.key).toMatchObject({ tonic: name, mode })
  expect(Math.abs(sharp.tuningCents - 30)).toBeLessThan(4)
})

test('a single A has its chroma on A', () => {
  const samples = Float32Array.from({ length: 44_100 }, (_, n) =>
    Math.sin((2 * Math.PI * 440 * n) / 22_050),
  )
  const analyser = makeAnalyser()
  analyser.push(samples)
  const { chroma } = analyser.finish().features
  expect(chroma[9]).toBeGreaterThan(0.99)
})
