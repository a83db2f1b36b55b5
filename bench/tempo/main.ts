/**
 * `npm run bench:tempo [-- --fit]`: tempo accuracy on synthesised grooves that the weights were not
 * fitted on. With `--fit` it fits the weights anew, prints them, and scores each style with weights
 * fitted on the other styles.
 */
import { makeAnalyser } from '../../transcoder/src/audio/analyser.ts'
import { findTempo } from '../../transcoder/src/audio/tempo.ts'
import { GROOVE_STYLES, makeGroove } from '../../transcoder/src/audio/testing/grooves.ts'
import { fitWeights, type Piece } from './fit-weights.ts'

const FITTED_ON = 12 * GROOVE_STYLES
const LENGTH_S = 30

if (process.argv.includes('--fit')) {
  const pieces = play(0, FITTED_ON)
  console.log(
    'weights',
    fitWeights(pieces).map((weight) => Number(weight.toPrecision(2))),
  )
  const names = [...new Set(pieces.map(({ name }) => name))]
  report(
    'each style with weights fitted on the others',
    names.flatMap((name) => {
      const weights = fitWeights(pieces.filter((piece) => piece.name !== name))
      return judge(
        pieces.filter((piece) => piece.name === name),
        weights,
      )
    }),
  )
}
report('as shipped, new grooves', judge(play(FITTED_ON, FITTED_ON + 8 * GROOVE_STYLES)))

function play(from: number, to: number): Piece[] {
  return Array.from({ length: to - from }, (_, i) => {
    const { name, bpm, samples } = makeGroove(from + i, LENGTH_S)
    const analyser = makeAnalyser()
    analyser.push(samples)
    const { rhythm } = analyser.finish().fitting
    if (!rhythm) throw new Error('A groove is long enough to have a rhythm')
    return { name, bpm, rhythm }
  })
}

function judge(pieces: readonly Piece[], weights?: readonly number[]) {
  return pieces.map(({ name, bpm, rhythm }) => {
    const found = findTempo(rhythm, weights).bpm ?? 0
    const within = (factor: number) => Math.abs(found / (factor * bpm) - 1) <= 0.04
    return { name, right: within(1), octave: within(1) || within(2) || within(0.5) }
  })
}

function report(title: string, verdicts: ReturnType<typeof judge>): void {
  const share = (part: typeof verdicts) => {
    const percent = (count: number) => `${((100 * count) / part.length).toFixed(1).padStart(5)} %`
    const right = part.filter((verdict) => verdict.right).length
    const octave = part.filter((verdict) => verdict.octave).length
    return `within 4 % ${percent(right)}, or its half or double ${percent(octave)}`
  }
  console.log(`${title}: ${verdicts.length} grooves, ${share(verdicts)}`)
  for (const name of new Set(verdicts.map((verdict) => verdict.name))) {
    const part = verdicts.filter((verdict) => verdict.name === name)
    console.log(`  ${name.padEnd(18)}${share(part)}`)
  }
}
