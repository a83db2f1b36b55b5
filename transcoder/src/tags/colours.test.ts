import { expect, test } from 'vitest'
import { findColours } from './colours.ts'

const EDGE = 48

/** A square picture; `colourAt` says what is at a place. */
function paint(colourAt: (x: number, y: number) => readonly [number, number, number]): Uint8Array {
  return Uint8Array.from(
    Array.from({ length: EDGE * EDGE }, (_, i) => colourAt(i % EDGE, Math.floor(i / EDGE))).flat(),
  )
}

const RED = [220, 30, 40] as const
const BLUE = [20, 40, 160] as const
const GOLD = [240, 200, 60] as const
const hex = (colour: readonly number[]) =>
  `#${colour.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`

const bytes = (text: string) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16))

/** How far two colours are apart, as bytes. */
const far = (one: string, other: string) => {
  const [a, b] = [bytes(one), bytes(other)]
  return Math.hypot(...a.map((byte, i) => byte - b[i]!))
}

test('three areas are three colours, the largest first', () => {
  const picture = paint((_, y) => (y < 28 ? BLUE : y < 40 ? RED : GOLD))
  const [first, ...rest] = findColours(picture)
  expect(first).toBe(hex(BLUE))
  expect(rest.sort()).toEqual([hex(RED), hex(GOLD)].sort())
})

test('of two colours the third is a shade that differs from both', () => {
  const [first, second, third] = findColours(paint((x) => (x < 30 ? RED : BLUE)))
  expect([first, second]).toEqual([hex(RED), hex(BLUE)])
  expect(far(third!, first!)).toBeGreaterThan(40)
  expect(far(third!, second!)).toBeGreaterThan(40)
})

test.each([
  ['black', [0, 0, 0]],
  ['white', [255, 255, 255]],
  ['grey', [128, 128, 128]],
  ['pure blue', [0, 0, 255]],
  ['pure green', [0, 255, 0]],
  ['yellow', [255, 255, 0]],
] as const)('%s alone is three colours that can be told apart, itself the first', (_, colour) => {
  const colours = findColours(paint(() => colour))
  expect(colours).toHaveLength(3)
  expect(colours[0]).toBe(hex(colour))
  for (const [i, one] of colours.entries())
    for (const other of colours.slice(i + 1)) expect(far(one, other)).toBeGreaterThan(25)
})

test('a detail is no colour of a cover, and noise on an area is that area', () => {
  const noisy = paint((x, y) => {
    const noise = ((x * 7 + y * 13) % 11) - 5
    return x < 2 && y < 2
      ? GOLD
      : ([BLUE[0] + 8 + noise, BLUE[1] + noise, BLUE[2] + noise] as const)
  })
  const colours = findColours(noisy)
  expect(far(colours[0]!, hex(BLUE))).toBeLessThan(25)
  for (const colour of colours) expect(far(colour, hex(GOLD))).toBeGreaterThan(60)
})

test('a small bright area comes before another shade of the background', () => {
  const picture = paint((x, y) =>
    x > 38 && y > 36 ? RED : y < 24 ? ([30, 30, 32] as const) : ([52, 52, 54] as const),
  )
  expect(findColours(picture)).toContain(hex(RED))
})

test('the same picture gives the same colours, in whatever order its pixels are turned', () => {
  const picture = paint((x, y) => [x * 5, y * 5, (x * y) % 256])
  const turned = paint((x, y) => [(EDGE - 1 - x) * 5, y * 5, ((EDGE - 1 - x) * y) % 256])
  expect(findColours(picture)).toEqual(findColours(picture))
  expect(findColours(turned)).toHaveLength(3)
  for (const [i, colour] of findColours(turned).entries())
    expect(far(colour, findColours(picture)[i]!)).toBeLessThan(60)
})

test('no picture has no colours', () => {
  expect(findColours(new Uint8Array())).toEqual([])
})
