import { ANALYSIS_RATE_HZ } from '../../audio/analyser.ts'
import type { Plan } from './plan.ts'
import type { SourceFormat } from './source-format.ts'

/** Decoders that an upload may use: audio, with no way out of the file. */
const DECODERS = [
  'mp3float',
  'mp3',
  'mp2float',
  'mp2',
  'mp1float',
  'mp1',
  'flac',
  'aac',
  'vorbis',
  'opus',
  'alac',
  'adpcm_ima_wav',
  'adpcm_ima_qt',
  'adpcm_ms',
  'pcm_u8',
  'pcm_s8',
  'pcm_s16le',
  'pcm_s16be',
  'pcm_s24le',
  'pcm_s24be',
  'pcm_s32le',
  'pcm_s32be',
  'pcm_f32le',
  'pcm_f32be',
  'pcm_f64le',
  'pcm_f64be',
  'pcm_alaw',
  'pcm_mulaw',
] as const

/** Codecs that ffprobe may name for the sound of a track; the decoders of MPEG audio have other names. */
export const DECODED_CODECS: ReadonlySet<string> = new Set(DECODERS)

/** Decoders of pictures, without which ffmpeg can't tell a cover's dimensions, and then copies none. */
const PROBED_DECODERS = [
  'mjpeg',
  'png',
  'bmp',
  'gif',
  'webp',
  'tiff',
  'h264',
  'hevc',
  'mpeg4',
  'vp8',
  'vp9',
  'av1',
  'libdav1d',
  'theora',
] as const

/**
 * Any layout to two channels. The matrix is held to a sum of 1 whatever the sample format: ffmpeg
 * does so for integers, but adds 3 dB and more to floats.
 */
const STEREO = 'aresample=rematrix_maxval=1,aformat=channel_layouts=stereo'

/**
 * By default ffmpeg flushes after each packet, and PCM arrives 2 kB at a time: 2157 reads of 64 kB
 * of buffer each for a track of 87 s, and as much garbage. With this it's 184.
 */
const IN_LARGE_PIECES = ['-flush_packets', '0']

/**
 * ffmpeg ends with code 69 when it could not decode two thirds of the packets. We look at how much was
 * heard instead.
 */
const HOWEVER_DAMAGED = ['-max_error_rate', '1']

/**
 * Options in front of every `-i`: exactly one demuxer, our decoders, no protocol but local files.
 * The protocol list alone does not do it: with it, ffmpeg 5.1 still decodes another local file
 * through a playlist.
 */
export function inputOptions(format: SourceFormat): string[] {
  return confined(format, DECODERS)
}

/** The same where pictures are looked for. */
export function probeOptions(format: SourceFormat): string[] {
  return confined(format, [...DECODERS, ...PROBED_DECODERS])
}

function confined(format: SourceFormat, decoders: readonly string[]): string[] {
  return [
    '-protocol_whitelist',
    'file,pipe',
    '-format_whitelist',
    format.demuxer,
    '-codec_whitelist',
    decoders.join(','),
    '-f',
    format.demuxer,
    ...(format.skipBytes === undefined ? [] : ['-skip_initial_bytes', String(format.skipBytes)]),
  ]
}

/**
 * What both decodes of a source start from: its stream of sound by itself, or, where channels or rate
 * change in the middle, what `steadyDecoding` makes of it.
 */
function inputPad({ audioStream, isSteady }: Decoded): string {
  return isSteady ? `[0:${audioStream}]` : '[0:0]'
}

/** How the sound of a source is decoded. */
type Decoded = {
  /** Index of its stream, or of its stream of sound. */
  audioStream: number | `a:${number}`
  /** Whether rate and layout are the same from start to end. */
  isSteady: boolean
}

/**
 * A first ffmpeg for sound that changes its rate or its channels: the filters of the second, which it
 * feeds, would be built anew at each change, and whatever they had measured or counted be lost. Here
 * they only convert, and raw PCM has no clock that could start again.
 */
export function steadyDecoding(
  audioStream: number,
  sampleRate: number,
): { outputOptions: string[]; inputOptions: string[] } {
  const filters = `aresample=${sampleRate}:rematrix_maxval=1,aformat=sample_fmts=flt:channel_layouts=stereo`
  const pcm = ['-f', 'f32le', '-ar', String(sampleRate), '-ac', '2']
  return {
    outputOptions: [
      '-v',
      'error',
      ...HOWEVER_DAMAGED,
      '-map',
      `0:${audioStream}`,
      '-af',
      filters,
      ...pcm,
    ],
    inputOptions: ['-protocol_whitelist', 'pipe', '-format_whitelist', 'f32le', ...pcm],
  }
}

/**
 * One decode for everything that is measured: EBU R128 on the whole signal (its summary goes to the
 * log) and mono float PCM for the analyser. The two must part before the downmix, because the
 * format that the PCM asks for would travel up a plain chain and ebur128 would measure mono.
 */
export function analyseOptions(source: Decoded & { channels: number }): string[] {
  const graph = [
    // More than two channels are measured as what listeners get to hear.
    `${inputPad(source)}${source.isSteady && source.channels > 2 ? `${STEREO},` : ''}asplit=2[whole][part]`,
    '[whole]ebur128=peak=sample:framelog=verbose,anullsink',
    `[part]aresample=${ANALYSIS_RATE_HZ}:rematrix_maxval=1,aformat=sample_fmts=flt:channel_layouts=mono[pcm]`,
  ]
  return [
    '-v',
    'info',
    ...HOWEVER_DAMAGED,
    '-filter_complex',
    graph.join(';'),
    '-map',
    '[pcm]',
    '-f',
    'f32le',
    ...IN_LARGE_PIECES,
  ]
}

/**
 * One decode, one gain, all renditions: fragmented MP4 on standard output with a track for each
 * rendition, in the ladder's order, every fragment one track's.
 */
export function encodeOptions(plan: Plan, source: Decoded): string[] {
  // Renditions with one ceiling share a limiter.
  const ceilings = [...new Set(plan.renditions.map(({ ceilingDb }) => ceilingDb))]
  const chain = [
    `${inputPad(source)}aresample=${plan.sampleRate}`,
    STEREO,
    ...(plan.gainDb === 0 ? [] : [`volume=${plan.gainDb.toFixed(2)}dB:precision=float`]),
    split(ceilings.map((_, group) => `[g${group}]`)),
  ].join(',')
  const groups = ceilings.map((ceilingDb, group) => {
    const outputs = plan.renditions.flatMap((rendition, i) =>
      rendition.ceilingDb === ceilingDb ? [`[r${i}]`] : [],
    )
    // Timestamps count samples from here on, so that a gap or a jump in the file's own, or the
    // limiter's look-ahead, can't become one in ours.
    return `[g${group}]${[...limiter(ceilingDb), 'asetpts=N/SR/TB', split(outputs)].join(',')}`
  })
  return [
    '-v',
    'error',
    ...HOWEVER_DAMAGED,
    '-filter_complex',
    [chain, ...groups].join(';'),
    ...plan.renditions.flatMap((_, i) => ['-map', `[r${i}]`]),
    '-c:a',
    'aac',
    '-flags:a',
    '+bitexact',
    ...plan.renditions.flatMap(({ bitrate, coder }, i) => [
      `-b:a:${i}`,
      String(bitrate),
      `-aac_coder:a:${i}`,
      coder.search,
      `-aac_is:a:${i}`,
      coder.intensityStereo ? '1' : '0',
      `-aac_tns:a:${i}`,
      coder.temporalNoiseShaping ? '1' : '0',
    ]),
    '-f',
    'mp4',
    '-movflags',
    'empty_moov+default_base_moof+separate_moof+skip_trailer',
    // A segment's worth: shorter fragments are more writes for them and more reads for us.
    '-frag_duration',
    '4000000',
    ...IN_LARGE_PIECES,
  ]
}

function split(outputs: readonly string[]): string {
  return `asplit=${outputs.length}${outputs.join('')}`
}

function limiter(ceilingDb: number | null): string[] {
  if (ceilingDb === null) return []
  const limit = 10 ** (ceilingDb / 20)
  // `latency` gives back the look-ahead, so that not a sample is added or lost.
  return [`alimiter=limit=${limit.toFixed(4)}:attack=5:release=50:level=disabled:latency=1`]
}
