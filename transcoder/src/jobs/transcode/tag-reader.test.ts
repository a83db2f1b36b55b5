import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COVER_SIZES } from '@mist/db/contract'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfinedNodeFailed, makeConfinedNode } from '../../platform/confined-node.ts'
import { id3v2, latin1Text, picture, utf8Text } from '../../testing/id3v2.ts'
import { blackPng } from '../../testing/png.ts'
import type { SourceFormat } from './source-format.ts'
import { makeTagReader } from './tag-reader.ts'
import { readTags } from './tags.ts'

const reader = makeTagReader()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mist-tags-'))
})
afterAll(async () => {
  reader.close()
  await rm(folder, { recursive: true, force: true })
})

const calm = new AbortController().signal

async function read(bytes: Uint8Array, demuxer: SourceFormat['demuxer']) {
  await writeFile(join(folder, 'original'), bytes)
  const skipped: string[] = []
  const startedAt = performance.now()
  const described = await reader.read({
    folder,
    file: 'original',
    format: { demuxer, name: demuxer },
    coverSizes: COVER_SIZES,
    signal: calm,
    onSkipped: (reason) => skipped.push(reason),
  })
  const { title } = readTags(described.fields ?? [])
  return { ...described, title, skipped, seconds: (performance.now() - startedAt) / 1000 }
}

const uint32le = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const uint32be = (value: number) => Buffer.from(uint32le(value).toReversed())

/** A FLAC's start with a block of comments; `count` is what it claims to hold. */
function flac(comments: readonly string[], count = comments.length): Buffer {
  const texts = comments.map((each) => Buffer.from(each))
  const body = Buffer.concat([
    uint32le(0),
    uint32le(count),
    ...texts.flatMap((text) => [uint32le(text.length), text]),
  ])
  const streamInfo = Buffer.alloc(34)
  streamInfo.set([16, 0, 16, 0], 0)
  streamInfo.set([0x0a, 0xc4, 0x42, 0xf0], 10)
  const last = uint32be(body.length)
  last[0] = 0x84
  return Buffer.concat([Buffer.from('fLaC\0\0\0\x22', 'latin1'), streamInfo, last, body])
}

const atom = (name: string, ...content: Buffer[]) => {
  const body = Buffer.concat(content)
  return Buffer.concat([uint32be(8 + body.length), Buffer.from(name, 'latin1'), body])
}
const ftyp = atom('ftyp', Buffer.from('M4A \0\0\0\0M4A isom'))
const item = (name: string, text: string) =>
  atom(name, atom('data', uint32be(1), uint32be(0), Buffer.from(text)))

/** An APEv2 tag that claims any number of items. */
function ape(items: readonly [key: string, value: string][], count = items.length): Buffer {
  const body = Buffer.concat(
    items.map(([key, value]) =>
      Buffer.concat([
        uint32le(Buffer.byteLength(value)),
        uint32le(0),
        Buffer.from(`${key}\0${value}`),
      ]),
    ),
  )
  const footer = [uint32le(2000), uint32le(body.length + 32), uint32le(count), uint32le(0)]
  return Buffer.concat([
    Buffer.alloc(400),
    body,
    Buffer.from('APETAGEX'),
    ...footer,
    Buffer.alloc(8),
  ])
}

const kept = ['TIT2', utf8Text('kept')] as const

test.each<[string, SourceFormat['demuxer'], () => Buffer]>([
  ['4 MB of text', 'mp3', () => id3v2([kept, ['TXXX', latin1Text(`x\0${'x'.repeat(4e6)}`)]])],
  [
    'a picture of 20 MB',
    'mp3',
    () => id3v2([kept, ['APIC', picture(3, Buffer.alloc(20e6, 0xff))]]),
  ],
  [
    '20 000 frames',
    'mp3',
    () =>
      id3v2([kept, ...Array.from({ length: 20_000 }, () => ['TPE1', latin1Text('a')] as const)]),
  ],
  ['a size beyond the file', 'mp3', () => id3v2([kept], { claims: 2 ** 28 - 1 })],
  [
    'frames that inflate beyond measure',
    'mp3',
    () =>
      Buffer.concat([
        id3v2([kept]),
        id3v2(
          Array.from({ length: 5 }, () => ['TXXX', latin1Text('\0'.repeat(12e6))] as const),
          { compressed: true },
        ),
      ]),
  ],
  [
    'ten thousand values in one frame',
    'mp3',
    () => id3v2([kept, ['TPE1', latin1Text('a\0'.repeat(500_000))]]),
  ],
  ['all bytes 0xFF', 'mp3', () => Buffer.concat([id3v2([kept]), Buffer.alloc(3e6, 0xff)])],
  [
    'an APE tag with 2^32 items',
    'mp3',
    () => Buffer.concat([id3v2([kept]), ape([['Album', 'a']], 2 ** 32 - 1)]),
  ],
  [
    'an item of 2^32 bytes',
    'mp3',
    () => {
      const tag = ape([['Album', 'a']])
      tag.writeUInt32LE(2 ** 32 - 1, 400)
      return Buffer.concat([id3v2([kept]), tag])
    },
  ],
  [
    'twenty thousand comments',
    'flac',
    () => flac(['TITLE=kept', ...Array.from({ length: 20_000 }, (_, i) => `A${i}=b`)]),
  ],
  [
    'an AIFF whose chunk claims 4 GB',
    'aiff',
    () =>
      Buffer.concat([
        Buffer.from('FORM\0\0\0\0AIFFNAME\0\0\0\x04kept'),
        Buffer.from('ID3 \xff\xff\xff\xff', 'latin1'),
      ]),
  ],
  [
    'a WAV of a million empty chunks',
    'wav',
    () =>
      Buffer.concat([
        Buffer.from('RIFF\0\0\0\0WAVELIST\x10\0\0\0INFOINAM\x04\0\0\0kept', 'latin1'),
        Buffer.from('junk\0\0\0\0'.repeat(1e6)),
      ]),
  ],
  [
    'an MP4 with items of odd kinds',
    'mov',
    () =>
      Buffer.concat([
        ftyp,
        atom(
          'moov',
          atom(
            'udta',
            atom(
              'meta',
              uint32be(0),
              atom(
                'ilst',
                item('\xa9nam', 'kept'),
                atom('\xa9ART', atom('data', uint32be(0xffffffff), uint32be(0))),
              ),
            ),
          ),
        ),
      ]),
  ],
])('%s does not hide the title, nor take long', async (_, demuxer, make) => {
  const { title, seconds } = await read(make(), demuxer)
  expect(title).toBe('kept')
  expect(seconds).toBeLessThan(30)
})

test.each<[string, SourceFormat['demuxer'], () => Buffer]>([
  ['a FLAC that claims 2^32 comments', 'flac', () => flac(['TITLE=kept'], 2 ** 32 - 1)],
  [
    'an MP4 of atoms in atoms in atoms',
    'mov',
    () => {
      let nested = Buffer.alloc(0)
      for (let depth = 0; depth < 4000; depth++) nested = atom(depth % 2 ? 'udta' : 'moov', nested)
      return Buffer.concat([ftyp, nested])
    },
  ],
  [
    'an MP4 whose item claims 4 GB',
    'mov',
    () =>
      Buffer.concat([
        ftyp,
        uint32be(0xffffffff),
        Buffer.from('moov'),
        uint32be(0xfffffff0),
        Buffer.from('udta'),
      ]),
  ],
  [
    'an Ogg that is nothing but page headers',
    'ogg',
    () => {
      const page = Buffer.concat([Buffer.from('OggS\0\x02'), Buffer.alloc(20), Buffer.from([0])])
      return Buffer.concat(Array<Buffer>(100_000).fill(page))
    },
  ],
  ['an empty file', 'mp3', () => Buffer.alloc(0)],
])('%s ends without tags, soon', async (_, demuxer, make) => {
  const { title, covers, seconds } = await read(make(), demuxer)
  expect([title, covers]).toEqual([null, null])
  expect(seconds).toBeLessThan(60)
})

test('an interlaced 16-bit PNG of 9900 by 9900 is skipped for the next picture, undecoded', async () => {
  const [bomb, red] = await Promise.all([
    blackPng({ width: 9900, height: 9900, isInterlaced: true }),
    sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer(),
  ])
  const tag = id3v2([
    ['APIC', picture(3, bomb)],
    ['APIC', picture(0, red)],
  ])
  const { covers, skipped } = await read(tag, 'mp3')
  expect(skipped).toEqual([expect.stringMatching(/decoding it takes \d+ MB of memory/)])
  expect(covers?.map(({ size }) => size)).toEqual([96, 320, 800])
})

const LIMITS = {
  cpuS: 20,
  wallS: 60,
  heapBytes: 64 * 1024 ** 2,
  memoryBytes: 300 * 1024 ** 2,
  restingBytes: 150 * 1024 ** 2,
  fileBytes: 1024 ** 2,
  outputBytes: 1024 ** 2,
}

const LOOP = new URL('../../platform/confined-loop.ts', import.meta.url).href

/** A program that answers each request with what `answer`, the body of a function of it, returns. */
const serving = (answer: string) =>
  `import { serveRequests } from '${LOOP}'\nawait serveRequests(async (request) => { ${answer} })`

let programs = 0
async function makeNode(program: string, limits: Partial<typeof LIMITS> = {}) {
  const module = join(folder, `program-${programs++}.mjs`)
  await writeFile(module, program)
  return makeConfinedNode({ module, limits: { ...LIMITS, ...limits } })
}

async function run(program: string, limits: Partial<typeof LIMITS>, signal = calm) {
  const node = await makeNode(program, limits)
  return node.ask('x', signal).finally(() => node.close())
}

test.each([
  ['never ends', 'for (;;);', { wallS: 1 }, /over 1 s/],
  ['burns CPU', 'for (;;);', { cpuS: 1 }, /SIG(KILL|XCPU)/],
  ['fills the heap', 'const all = []; for (;;) all.push({})', {}, /SIG|code/],
  [
    'takes memory outside the heap',
    'const all = []; setInterval(() => all.push(Buffer.alloc(2e7, 1)), 5)',
    {},
    /of memory/,
  ],
  [
    'prints without end',
    'setInterval(() => process.stdout.write("x".repeat(1e5)), 1)',
    {},
    /printed/,
  ],
  [
    'writes without end',
    'import { appendFileSync } from "node:fs"; for (;;) appendFileSync(new URL("big", import.meta.url), "x".repeat(1e5))',
    {},
    /SIGXFSZ|EFBIG/,
  ],
  ['throws', 'throw new Error("on purpose")', {}, /on purpose/],
])('a program that %s is ended, and said to be', async (_, program, limits, reason) => {
  const failed = run(program, limits)
  await expect(failed).rejects.toBeInstanceOf(ConfinedNodeFailed)
  await expect(failed).rejects.toThrow(reason)
})

test('a program is killed with the signal, and never started after it', async () => {
  const reason = new Error('stop')
  await expect(run('for (;;);', {}, AbortSignal.abort(reason))).rejects.toBe(reason)
  const stop = new AbortController()
  setTimeout(() => stop.abort(reason), 300)
  await expect(run('for (;;);', {}, stop.signal)).rejects.toBe(reason)
})

test('a program has none of our environment, and its output is whole', async () => {
  process.env['MIST_TEST_SECRET'] = 'secret'
  const [env, long] = (await run(serving('return [process.env, request.repeat(900_000)]'), {})) as [
    object,
    string,
  ]
  expect(Object.keys(env)).not.toContain('MIST_TEST_SECRET')
  expect(long).toBe('x'.repeat(900_000))
})

/** The process that answered. */
const PID = 'return process.pid'

test('a process that answered is asked again, and what a request costs it is its own alone', async () => {
  const node = await makeNode(serving(PID))
  expect(await node.ask('', calm)).toBe(await node.ask('', calm))
  const [one, other] = await Promise.all([node.ask('', calm), node.ask('', calm)])
  expect(one).not.toBe(other)
  node.close()
})

test.each<[string, string, Partial<typeof LIMITS>]>([
  ['has used its time', PID, { cpuS: 0.01 }],
  ['has grown', PID, { restingBytes: 1024 ** 2 }],
  ['read what is suspicious', PID, {}],
])('a process that %s gets no other request', async (why, answer, limits) => {
  const node = await makeNode(serving(answer), limits)
  const isSuspicious = () => why === 'read what is suspicious'
  const pids = [await node.ask('', calm, isSuspicious), await node.ask('', calm, isSuspicious)]
  expect(new Set(pids).size).toBe(2)
  node.close()
})

test('a process that died while it rested, or fails, is replaced', async () => {
  const node = await makeNode(
    serving('if (request === "fail") throw new Error("on purpose"); return process.pid'),
  )
  const first = Number(await node.ask('', calm))
  process.kill(first, 'SIGKILL')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const second = await node.ask('', calm)
  expect(second).not.toBe(first)
  await expect(node.ask('fail', calm)).rejects.toThrow('on purpose')
  expect(await node.ask('', calm)).not.toBe(second)
  node.close()
})

test('a file that can be read costs the next one no start of a process', async () => {
  const tag = id3v2([kept])
  await read(tag, 'mp3')
  const { title, seconds } = await read(tag, 'mp3')
  expect(title).toBe('kept')
  // A start takes ten times as long.
  expect(seconds).toBeLessThan(0.1)
})

test('decoding the largest picture that is allowed stays within the limit of memory', async () => {
  const png = await blackPng({ width: 9900, height: 9900, isInterlaced: false })
  const { covers, skipped } = await read(id3v2([['APIC', picture(3, png)]]), 'mp3')
  expect(skipped).toEqual([])
  expect(covers).toHaveLength(3)
}, 120_000)

test('a file with a cover is described as it is', async () => {
  const file = fileURLToPath(new URL('../../../fixtures/field/id3-unsync23.mp3', import.meta.url))
  const { title, covers } = await read(await readFile(file), 'mp3')
  expect(title).toBe('Ünsync 23')
  expect(covers?.map(({ bytes }) => Buffer.from(bytes).toString('latin1', 8, 12))).toEqual([
    'WEBP',
    'WEBP',
    'WEBP',
  ])
})
