import { createDecipheriv } from 'node:crypto'
import { derivePeriodKey, newId, segmentIv, TrackId } from '@mist/db/contract'
import { expect, test } from 'vitest'
import { makeSegmentCipher } from './encrypt.ts'

const trackId = newId(TrackId)
const masterKey = crypto.getRandomValues(new Uint8Array(16))
const ivSeed = crypto.getRandomValues(new Uint8Array(16))
const clear = (segment: number) => Buffer.alloc(1000 + segment, segment)

async function open(sealed: Buffer, segment: number, period: number): Promise<Buffer> {
  const key = await derivePeriodKey(masterKey, trackId, 2, period)
  const decipher = createDecipheriv('aes-128-cbc', key, segmentIv(ivSeed, segment))
  return Buffer.concat([decipher.update(sealed), decipher.final()])
}

test.each([
  [1, [0, 1, 2, 3, 4, 5, 6]],
  [3, [0, 0, 0, 1, 1, 1, 2]],
])(
  'with %i segments to a key, each opens with its own period and no other',
  async (segmentsPerPeriod, periods) => {
    const cipher = makeSegmentCipher({ masterKey, trackId, version: 2, segmentsPerPeriod })
    for (const [segment, period] of periods.entries()) {
      const sealed = await cipher.encrypt(ivSeed, segment, clear(segment))
      expect(await open(sealed, segment, period)).toEqual(clear(segment))
      const wrong = await open(sealed, segment, period + 1).catch(() => null)
      expect(wrong).not.toEqual(clear(segment))
    }
  },
)
