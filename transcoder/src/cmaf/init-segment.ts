import { box, fullBox, uint, zeros } from './boxes.ts'

/** What an init segment says about the AAC stream that follows. */
export type AacTrack = {
  /** Hz; also the timescale, so that times are counted in samples. */
  sampleRate: number
  channels: number
  /** Nominal bits per second. */
  bitrate: number
  /** Encoder delay in samples, skipped by the edit list. */
  primingSamples: number
  /** Samples after the sound that fill the last AAC frame. */
  paddingSamples: number
  /** Samples of sound, priming and padding not counted. */
  sampleCount: number
}

/** Sampling frequencies of MPEG-4 audio by index (ISO/IEC 14496-3, table 1.18). */
const FREQUENCIES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
]

const MATRIX = Buffer.concat(
  [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].map((value) => uint(4, value)),
)

/** `und`, three letters of five bits each. */
const UNDETERMINED = uint(2, 0x55c4)

/**
 * Writes the clear CMAF init segment of one AAC-LC rendition, some 600 bytes.
 *
 * The encoder's delay and padding are said twice. Browsers read the edit list. ffmpeg and what is
 * built on it (mpv) ignore the edit list of fragmented files, but skip what `iTunSMPB` says:
 * measured with ffmpeg 5.1, a track decodes from its first sample on.
 */
export function writeInitSegment(track: AacTrack): Buffer {
  const { sampleRate, sampleCount, primingSamples } = track
  return Buffer.concat([
    box('ftyp', latin('iso6'), uint(4, 0), latin('iso6'), latin('cmfc'), latin('mp41')),
    box(
      'moov',
      fullBox(
        'mvhd',
        0,
        0,
        zeros(8),
        uint(4, sampleRate),
        uint(4, 0),
        uint(4, 0x1_0000),
        uint(2, 0x100),
        zeros(10),
        MATRIX,
        zeros(24),
        uint(4, 2),
      ),
      box(
        'trak',
        // Flags 3: enabled, in the movie.
        fullBox(
          'tkhd',
          0,
          3,
          zeros(8),
          uint(4, 1),
          zeros(16),
          uint(2, 0),
          uint(2, 0),
          uint(2, 0x100),
          zeros(2),
          MATRIX,
          zeros(8),
        ),
        box(
          'edts',
          fullBox(
            'elst',
            1,
            0,
            uint(4, 1),
            uint(8, sampleCount),
            uint(8, primingSamples),
            uint(2, 1),
            zeros(2),
          ),
        ),
        box(
          'mdia',
          fullBox('mdhd', 0, 0, zeros(8), uint(4, sampleRate), zeros(4), UNDETERMINED, zeros(2)),
          fullBox('hdlr', 0, 0, zeros(4), latin('soun'), zeros(12), latin('SoundHandler\0')),
          box(
            'minf',
            fullBox('smhd', 0, 0, zeros(4)),
            box('dinf', fullBox('dref', 0, 0, uint(4, 1), fullBox('url ', 0, 1))),
            box(
              'stbl',
              fullBox('stsd', 0, 0, uint(4, 1), sampleEntry(track)),
              fullBox('stts', 0, 0, zeros(4)),
              fullBox('stsc', 0, 0, zeros(4)),
              fullBox('stsz', 0, 0, zeros(8)),
              fullBox('stco', 0, 0, zeros(4)),
            ),
          ),
        ),
      ),
      box(
        'mvex',
        // Every AAC frame is a sync sample that depends on no other (flags 0x02000000).
        fullBox('trex', 0, 0, uint(4, 1), uint(4, 1), uint(4, 1024), zeros(4), uint(4, 0x200_0000)),
      ),
      gaplessTag(track),
    ),
  ])
}

/** The metadata tag by which iTunes says delay, padding and length, in hexadecimal samples. */
function gaplessTag({ primingSamples, paddingSamples, sampleCount }: AacTrack): Buffer {
  const fields = [0, primingSamples, paddingSamples].map((value) => hex(value, 8))
  const text = [...fields, hex(sampleCount, 16), ...Array<string>(8).fill(hex(0, 8))].join(' ')
  const tag = box(
    '----',
    fullBox('mean', 0, 0, latin('com.apple.iTunes')),
    fullBox('name', 0, 0, latin('iTunSMPB')),
    box('data', uint(4, 1), zeros(4), latin(` ${text}`)),
  )
  const handler = fullBox('hdlr', 0, 0, zeros(4), latin('mdirappl'), zeros(9))
  return box('udta', fullBox('meta', 0, 0, handler, box('ilst', tag)))
}

const hex = (value: number, digits: number) =>
  value.toString(16).toUpperCase().padStart(digits, '0')

const latin = (text: string) => Buffer.from(text, 'latin1')

function sampleEntry({ sampleRate, channels, bitrate }: AacTrack): Buffer {
  const frequency = FREQUENCIES.indexOf(sampleRate)
  if (frequency < 0) throw new RangeError(`AAC has no sample rate of ${sampleRate} Hz`)
  // AudioSpecificConfig: object type 2 (LC) in 5 bits, frequency in 4, channels in 4, 3 bits of 0.
  const config = uint(2, (2 << 11) | (frequency << 7) | (channels << 3))
  return box(
    'mp4a',
    zeros(6),
    uint(2, 1),
    zeros(8),
    uint(2, channels),
    uint(2, 16),
    zeros(4),
    uint(2, sampleRate),
    zeros(2),
    fullBox(
      'esds',
      0,
      0,
      descriptor(
        3,
        uint(2, 1),
        uint(1, 0),
        descriptor(
          4,
          uint(1, 0x40),
          uint(1, 0x15),
          uint(3, 0),
          uint(4, bitrate),
          uint(4, bitrate),
          descriptor(5, config),
        ),
        descriptor(6, uint(1, 2)),
      ),
    ),
  )
}

/** An MPEG-4 descriptor (ISO/IEC 14496-1); ours are all shorter than 128 bytes. */
function descriptor(tag: number, ...contents: Uint8Array[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([uint(1, tag), uint(1, length), ...contents])
}
