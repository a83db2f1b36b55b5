import { SEGMENT_S } from '@mist/db/contract'
import { makeChroma } from './chroma.ts'
import { CONTRAST_BANDS } from './contrast.ts'
import { embed } from './embedding.ts'
import { EMBEDDING_CONSTANTS, EMBEDDING_VERSION } from './embedding-constants.generated.ts'
import { FEATURES_VERSION, type Features } from './features.ts'
import { hannWindow, makeRealFft } from './fft.ts'
import { makeFramer } from './framer.ts'
import { makeSlotLoudness } from './k-weighting.ts'
import { findKey } from './key.ts'
import { choosePreviewStart } from './preview.ts'
import { makeLevels, powerDecibels } from './levels.ts'
import { makeOnsets } from './onset.ts'
import { makeGatedStatistics } from './statistics.ts'
import { summarise, type TrackMeasurements } from './summary.ts'
import { findTempo, makeRhythm, type Rhythm } from './tempo.ts'
import { FRAME, FRAME_SIZE, makeTimbre, MEL_BANDS, MFCC_COUNT } from './timbre.ts'
import { makeWaveform } from './waveform.ts'

export { EMBEDDING_VERSION }

/** Sample rate of the mono signal that the analysis expects, in Hz. */
export const ANALYSIS_RATE_HZ = 22_050

const FFT_SIZE = 2048
const HOP = 512
/** Four times as long, so that semitones separate from A1 on. */
const PITCH_FFT_SIZE = 8192
const PITCH_HOP = 4096
/** Frames this far under the loudest one are silence. */
const GATE_DB = 60

/** Everything that one decode of a track yields for people and for similarity. */
export type Analysis = {
  features: Features
  /** 40 numbers of Euclidean length 1, compared by cosine. */
  embedding: Float32Array
  /** Version of the constants behind `embedding`; vectors of different versions don't compare. */
  embeddingVersion: number
  /** 1000 absolute peaks over the track's length, 255 for full scale. */
  waveform: Uint8Array
  /** Where a preview begins: the loudest typical part, seconds, on the grid of segments. */
  previewStartS: number
  /** What embedding and tempo are derived from: the input for fitting new constants. */
  fitting: { summary: Float64Array; rhythm: Rhythm | null }
}

/**
 * Makes an analyser of one track. Feed it the whole signal in chunks of any size, then finish.
 *
 * Input is mono float PCM at {@link ANALYSIS_RATE_HZ}, full scale ±1. Memory is about 2 MB whatever
 * the length. Samples that are not finite count as silence.
 */
export function makeAnalyser() {
  const shortFft = makeRealFft(FFT_SIZE)
  const longFft = makeRealFft(PITCH_FFT_SIZE)
  const shortWindow = hannWindow(FFT_SIZE)
  const longWindow = hannWindow(PITCH_FFT_SIZE)
  const power = new Float64Array(PITCH_FFT_SIZE / 2 + 1)
  const vector = new Float64Array(FRAME_SIZE)
  const melDecibels = new Float64Array(MEL_BANDS)

  const timbre = makeTimbre({ fftSize: FFT_SIZE, sampleRate: ANALYSIS_RATE_HZ })
  const statistics = makeGatedStatistics({ dimensions: FRAME_SIZE, gateDb: GATE_DB })
  const levels = makeLevels()
  const onsets = makeOnsets({ bands: MEL_BANDS, frameRate: ANALYSIS_RATE_HZ / HOP })
  const rhythm = makeRhythm({ frameRate: ANALYSIS_RATE_HZ / HOP })
  const chroma = makeChroma({ fftSize: PITCH_FFT_SIZE, sampleRate: ANALYSIS_RATE_HZ })
  const waveform = makeWaveform()
  const loudness = makeSlotLoudness({ sampleRate: ANALYSIS_RATE_HZ, slotS: SEGMENT_S })
  let samplesHeard = 0

  const frames = makeFramer({
    size: FFT_SIZE,
    hop: HOP,
    onFrame(buffer, from) {
      shortFft.powerSpectrum(buffer, from, shortWindow, power)
      const { meanPower, crossings } = measureSamples(buffer, from)
      timbre.measure({ power, crossings, meanPower }, vector, melDecibels)
      statistics.push(vector, powerDecibels(meanPower))
      levels.push(meanPower)
      const flux = onsets.push(melDecibels)
      rhythm.push(flux.all, flux.low)
    },
  })
  const pitchFrames = makeFramer({
    size: PITCH_FFT_SIZE,
    hop: PITCH_HOP,
    onFrame(buffer, from) {
      longFft.powerSpectrum(buffer, from, longWindow, power)
      chroma.push(power)
    },
  })

  return {
    /** Hears more of the track; keeps nothing of `samples`. */
    push(samples: Float32Array): void {
      const clean = finite(samples)
      samplesHeard += clean.length
      waveform.push(clean)
      loudness.push(clean)
      frames.push(clean)
      pitchFrames.push(clean)
    },

    /** Answers what was heard; call it once. Every number in it is finite, even after silence. */
    finish(): Analysis {
      frames.flush()
      pitchFrames.flush()
      const pitch = chroma.finish()
      const beats = rhythm.finish()
      const track: TrackMeasurements = {
        frames: statistics.finish(),
        chroma: pitch,
        key: findKey(pitch.chroma),
        tempo: findTempo(beats),
        onsetRateHz: onsets.finish(),
        dynamicRangeDb: levels.percentileDb(0.95) - levels.percentileDb(0.1),
      }
      const summary = summarise(track)
      return {
        features: describe(track, samplesHeard / ANALYSIS_RATE_HZ, levels.rms()),
        embedding: embed(summary, EMBEDDING_CONSTANTS),
        embeddingVersion: EMBEDDING_VERSION,
        waveform: waveform.finish(),
        previewStartS: choosePreviewStart(loudness.finish()),
        fitting: { summary, rhythm: beats },
      }
    },
  }
}

/** Answers the samples themselves, or a copy with 0 in place of NaN and infinities. */
function finite(samples: Float32Array): Float32Array {
  for (let i = 0; i < samples.length; i++) {
    if (!Number.isFinite(samples[i])) return samples.map((x) => (Number.isFinite(x) ? x : 0))
  }
  return samples
}

/** Mean square and sign changes per sample of one frame. */
function measureSamples(buffer: Float32Array, from: number) {
  let squares = 0
  let changes = 0
  let negative = buffer[from]! < 0
  for (let i = from; i < from + FFT_SIZE; i++) {
    const x = buffer[i]!
    squares += x * x
    if (x < 0 !== negative) {
      changes++
      negative = !negative
    }
  }
  return { meanPower: squares / FFT_SIZE, crossings: changes / FFT_SIZE }
}

function describe(track: TrackMeasurements, durationS: number, rms: number): Features {
  const { mean, deviation } = track.frames
  return {
    version: FEATURES_VERSION,
    durationS,
    tempoBpm: track.tempo.bpm,
    tempoStrength: track.tempo.strength,
    key: track.key,
    tuningCents: track.chroma.tuningCents,
    dynamicRangeDb: track.dynamicRangeDb,
    rms,
    centroidHz: mean[FRAME.centroidHz]!,
    rolloffHz: mean[FRAME.rolloffHz]!,
    bandwidthHz: mean[FRAME.bandwidthHz]!,
    flatness: mean[FRAME.flatness]!,
    contrastDb: Array.from(mean.subarray(FRAME.contrast, FRAME.contrast + CONTRAST_BANDS)),
    zeroCrossingRate: mean[FRAME.crossings]!,
    mfccMean: Array.from(mean.subarray(FRAME.mfcc, FRAME.mfcc + MFCC_COUNT)),
    mfccDeviation: Array.from(deviation.subarray(FRAME.mfcc, FRAME.mfcc + MFCC_COUNT)),
    chroma: track.chroma.chroma,
    onsetRateHz: track.onsetRateHz,
  }
}
