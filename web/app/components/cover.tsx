import type { CoverUrls } from '../lib/api-types.ts'

/** FNV-1a, 32 bits: the same track always gets the same drawing. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}

/** A drawing for a track without a cover: hills in fog under a night sky, with a moon. */
function DrawnCover({ id }: { id: string }) {
  const seed = seedOf(id)
  const hue = 185 + (seed % 130)
  const warm = 22 + ((seed >>> 8) % 30)
  const x = 22 + ((seed >>> 12) % 56)
  const y = 22 + ((seed >>> 18) % 22)
  const radius = 7 + ((seed >>> 4) % 9)
  const bands = [0, 1, 2, 3].map((band) => {
    const tilt = (((seed >>> (band * 5 + 3)) % 16) - 8) * 0.9
    const top = 46 + band * 13
    return `M0 ${top + tilt} C 25 ${top - 9 - tilt}, 40 ${top + 8}, 62 ${top - tilt} S 90 ${top - 6}, 100 ${top + tilt / 2} V100 H0 Z`
  })
  return (
    <svg
      viewBox="0 0 100 100"
      preserveAspectRatio="xMidYMid slice"
      className="size-full"
      aria-hidden="true"
    >
      <rect width="100" height="100" fill={`hsl(${hue} 32% 17%)`} />
      <circle cx={x} cy={y} r={radius * 2.1} fill={`hsl(${warm} 85% 66%)`} opacity=".14" />
      <circle cx={x} cy={y} r={radius} fill={`hsl(${warm} 85% 68%)`} />
      {bands.map((path, band) => (
        <path
          key={path}
          d={path}
          fill={`hsl(${hue + band * 6} 26% ${40 - band * 8}%)`}
          opacity=".8"
        />
      ))}
    </svg>
  )
}

/**
 * The square cover of a track. It is decorative (empty `alt`): the title is always next to it.
 *
 * @param sizes the HTML attribute: the width of the cover on the page
 */
export function Cover({
  id,
  urls,
  sizes,
  isEager = false,
  className = '',
}: {
  id: string
  urls: CoverUrls | null
  sizes: string
  isEager?: boolean
  className?: string
}) {
  return (
    <span className={`relative block aspect-square overflow-hidden bg-slate ${className}`}>
      {urls === null ? (
        <DrawnCover id={id} />
      ) : (
        <img
          src={urls['320']}
          srcSet={`${urls['96']} 96w, ${urls['320']} 320w, ${urls['800']} 800w`}
          sizes={sizes}
          alt=""
          width={320}
          height={320}
          loading={isEager ? 'eager' : 'lazy'}
          decoding="async"
          className="size-full object-cover"
        />
      )}
    </span>
  )
}
