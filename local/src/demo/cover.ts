import { createHash } from 'node:crypto'
import sharp from 'sharp'

/** Edge of a drawn cover, in pixels: the largest size the transcoder keeps, with some to spare. */
const SIZE = 1000

/**
 * Draws a cover for a recording that has none: soft circles in three related colours, the same for
 * the same title on every machine.
 */
export function coverSvg(title: string): string {
  const bytes = createHash('sha256').update(title).digest()
  const at = (index: number, span: number) => ((bytes[index % bytes.length] ?? 0) / 255) * span
  const hue = at(0, 360)
  const colour = (turn: number, saturation: number, lightness: number) =>
    `hsl(${((hue + turn) % 360).toFixed(0)} ${saturation}% ${lightness}%)`
  const circles = Array.from({ length: 7 }, (_, index) => {
    const [x, y, radius] = [
      at(3 * index + 1, SIZE),
      at(3 * index + 2, SIZE),
      at(3 * index + 3, 260),
    ]
    const fill = colour([0, 28, 190][index % 3] ?? 0, 70, 45 + ((index * 7) % 30))
    const centre = `cx="${x.toFixed(0)}" cy="${y.toFixed(0)}"`
    return `<circle ${centre} r="${(radius + 90).toFixed(0)}" fill="${fill}" opacity="0.55"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">
    <defs><linearGradient id="sky" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="${colour(0, 55, 22)}"/>
      <stop offset="1" stop-color="${colour(40, 60, 38)}"/>
    </linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#sky)"/>
    ${circles.join('\n    ')}
  </svg>`
}

/** The cover of a title as a JPEG file's bytes. */
export async function drawCover(title: string): Promise<Buffer> {
  return sharp(Buffer.from(coverSvg(title)))
    .jpeg({ quality: 85 })
    .toBuffer()
}
