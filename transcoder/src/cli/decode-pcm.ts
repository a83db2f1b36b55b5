import { spawn } from 'node:child_process'
import { ANALYSIS_RATE_HZ } from '../audio/analyser.ts'

/** No file takes longer to decode than this. */
const DEADLINE_MS = 30 * 60 * 1000

/**
 * Decodes the first audio stream of a local file to mono float PCM at the analysis rate and hands
 * it on in chunks. Honours `FFMPEG_PATH`.
 *
 * @throws when ffmpeg does not end well; the message is the last line it printed
 */
export async function decodePcm(
  file: string,
  onSamples: (samples: Float32Array) => void,
): Promise<void> {
  const input = ['-protocol_whitelist', 'file,pipe', '-i', `file:${file}`, '-map', '0:a:0', '-vn']
  // The downmix of the transcoder's own analysis: without `rematrix_maxval` ffmpeg adds 3 dB to
  // float sources (MP3, Ogg, AAC), but not to integers.
  const mono = `aresample=${ANALYSIS_RATE_HZ}:rematrix_maxval=1,aformat=sample_fmts=flt:channel_layouts=mono`
  const output = ['-af', mono, '-f', 'f32le', 'pipe:1']
  const ffmpeg = spawn(
    process.env['FFMPEG_PATH'] ?? 'ffmpeg',
    ['-hide_banner', '-nostdin', '-v', 'error', ...input, ...output],
    { stdio: ['ignore', 'pipe', 'pipe'], signal: AbortSignal.timeout(DEADLINE_MS) },
  )
  let complaint = ''
  ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  let rest: Buffer = Buffer.alloc(0)
  ffmpeg.stdout.on('data', (chunk: Buffer) => {
    // A pipe cuts anywhere; samples are four bytes, and a Float32Array wants them aligned: a copy.
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = bytes.length - (bytes.length % 4)
    onSamples(new Float32Array(new Uint8Array(bytes.subarray(0, whole)).buffer))
    rest = bytes.subarray(whole)
  })
  await new Promise<void>((resolve, reject) => {
    ffmpeg.on('error', reject)
    ffmpeg.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${file}: ${complaint.trim().split('\n').at(-1) || 'ffmpeg failed'}`))
    })
  })
}
