/** A colour in OKLab (Ottosson 2020): lightness 0…1, and two axes of colour around 0. */
type Lab = readonly [l: number, a: number, b: number]

/** More would part what the eye takes for one. */
const CLUSTERS = 6
const ROUNDS = 12

/** Colours nearer to one another than this can't be told apart in a gradient. */
const LEAST_DISTANCE = 0.12

/** A group of fewer pixels is a detail, not a colour of the cover. */
const LEAST_SHARE = 0.02

/** How many colours a cover is told by. */
const COLOURS = 3

/**
 * Finds three colours of a picture, the one of the largest areas first: those of groups of pixels that
 * are alike, large and apart from one another. Where a picture has fewer, the first one's darker and
 * lighter shades stand in, so that any two differ. The same picture always gives the same.
 *
 * @param rgb sRGB, three bytes a pixel; a few thousand pixels are plenty
 * @returns `#rrggbb`
 */
export function findColours(rgb: Uint8Array): string[] {
  const pixels = Array.from({ length: Math.floor(rgb.length / 3) }, (_, i) =>
    toLab(rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!),
  )
  const groups = cluster(pixels).filter(({ share }) => share >= LEAST_SHARE)
  const [largest, ...others] = groups.sort((one, other) => other.share - one.share)
  if (largest === undefined) return []
  const chosen: Lab[] = [largest.centre]
  while (chosen.length < COLOURS) {
    const ranked = others
      .map(({ centre, share }) => ({ centre, share, apart: apartFrom(chosen, centre) }))
      .filter(({ apart }) => apart >= LEAST_DISTANCE)
      .sort((one, other) => worth(other) - worth(one))
    chosen.push(ranked[0]?.centre ?? shadeOf(chosen))
  }
  return chosen.map(toHex)
}

/** What is both large and different comes first; colour counts more than another grey. */
function worth({ centre: [, a, b], share, apart }: { centre: Lab; share: number; apart: number }) {
  return Math.sqrt(share) * apart * (1 + 2 * Math.hypot(a, b))
}

function distance([l, a, b]: Lab, [m, c, d]: Lab): number {
  return Math.hypot(l - m, a - c, b - d)
}

function apartFrom(chosen: readonly Lab[], colour: Lab): number {
  return Math.min(...chosen.map((each) => distance(each, colour)))
}

/** A shade of the first colour that differs from all: the nearest, darker or lighter. */
function shadeOf(chosen: readonly Lab[]): Lab {
  const [l, a, b] = chosen[0]!
  for (let step = 0.2; step <= 1; step += 0.04) {
    for (const lightness of [l - step, l + step]) {
      if (lightness < 0 || lightness > 1) continue
      // Shades lose colour towards black and white, where there is none to be had.
      const fade = 1 - step / 2
      const shade = toLabHex([lightness, a * fade, b * fade])
      if (apartFrom(chosen, shade) >= LEAST_DISTANCE) return shade
    }
  }
  throw new Error('three colours leave room for a fourth')
}

/** As a screen shows it: what is out of its range comes back changed. */
function toLabHex(colour: Lab): Lab {
  const [red, green, blue] = toRgb(colour)
  return toLab(red, green, blue)
}

/** Groups pixels that are alike: k-means in OKLab, begun at colours far from one another. */
function cluster(pixels: readonly Lab[]): { centre: Lab; share: number }[] {
  if (pixels.length === 0) return []
  let centres = spread(pixels)
  let counts: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const sums = centres.map(() => [0, 0, 0, 0])
    for (const pixel of pixels) {
      const sum = sums[nearest(centres, pixel)]!
      for (let axis = 0; axis < 3; axis++) sum[axis]! += pixel[axis]!
      sum[3]!++
    }
    centres = sums.map(([l, a, b, count], i) =>
      count! > 0 ? [l! / count!, a! / count!, b! / count!] : centres[i]!,
    )
    counts = sums.map((sum) => sum[3]!)
  }
  return centres.map((centre, i) => ({ centre, share: counts[i]! / pixels.length }))
}

/** The mean's nearest pixel, then always the one that is farthest from those before. */
function spread(pixels: readonly Lab[]): Lab[] {
  const mean = [0, 1, 2].map(
    (axis) => pixels.reduce((sum, pixel) => sum + pixel[axis]!, 0) / pixels.length,
  )
  const centres = [pixels[nearest(pixels, [mean[0]!, mean[1]!, mean[2]!])]!]
  const away = pixels.map((pixel) => distance(pixel, centres[0]!))
  while (centres.length < CLUSTERS) {
    const farthest = away.indexOf(Math.max(...away))
    if (away[farthest]! < LEAST_DISTANCE / 4) break
    const centre = pixels[farthest]!
    centres.push(centre)
    for (const [i, pixel] of pixels.entries()) away[i] = Math.min(away[i]!, distance(pixel, centre))
  }
  return centres
}

function nearest(centres: readonly Lab[], pixel: Lab): number {
  let best = 0
  let least = Infinity
  for (const [i, centre] of centres.entries()) {
    const far = distance(centre, pixel)
    if (far < least) {
      least = far
      best = i
    }
  }
  return best
}

const linear = (byte: number) => {
  const value = byte / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

const gamma = (value: number) => {
  const clipped = Math.min(1, Math.max(0, value))
  const bent = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055
  return Math.round(bent * 255)
}

/** sRGB bytes to OKLab (bottosson.github.io/posts/oklab). */
function toLab(red: number, green: number, blue: number): Lab {
  const [r, g, b] = [linear(red), linear(green), linear(blue)]
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

function toRgb([lightness, a, b]: Lab): [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

function toHex(colour: Lab): string {
  return `#${toRgb(colour)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')}`
}
