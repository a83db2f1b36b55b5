import { makeAnalyser, type Analysis } from '../audio/analyser.ts'
import { decodePcm } from './decode-pcm.ts'

/** Decodes and analyses a local audio file. */
export async function analyseFile(file: string): Promise<Analysis> {
  const analyser = makeAnalyser()
  await decodePcm(file, (samples) => analyser.push(samples))
  return analyser.finish()
}
