import { once } from 'node:events'
import { crc32, createDeflate } from 'node:zlib'

/** Adam7: where each pass starts and how far its pixels are apart (PNG §8.1). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/** Draws a black 16-bit PNG that deflates to little, whatever its size. */
export async function blackPng(options: {
  width: number
  height: number
  isInterlaced: boolean
}): Promise<Buffer> {
  const { width, height, isInterlaced } = options
  const deflate = createDeflate({ level: 1 })
  const packed: Buffer[] = []
  deflate.on('data', (bytes: Buffer) => packed.push(bytes))
  for (const [x, y, dx, dy] of isInterlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    // Each row: a filter's number, then six bytes a pixel.
    const row = Buffer.alloc(1 + Math.ceil((width - x) / dx) * 6)
    for (let at = y; at < height; at += dy) {
      if (!deflate.write(row)) await once(deflate, 'drain')
    }
  }
  deflate.end()
  await once(deflate, 'end')
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([16, 2, 0, 0, isInterlaced ? 1 : 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', Buffer.concat(packed)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
