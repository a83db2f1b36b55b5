import { Link } from '@remix-run/react'
import type { CoverUrls } from '../lib/api-types.ts'
import { Cover } from './cover.tsx'
import { GRID } from './track-grid.tsx'

/** An artist or album, as a card that leads to its page. */
export type LinkCard = {
  id: string
  to: string
  title: string
  subtitle: string
  coverUrls: CoverUrls | null
}

/** Artists or albums as cards. */
export function LinkGrid({ cards, isRound = false }: { cards: LinkCard[]; isRound?: boolean }) {
  return (
    <ul className={`mt-5 ${GRID}`}>
      {cards.map(({ id, to, title, subtitle, coverUrls }) => (
        <li key={id} className="relative min-w-0">
          <Cover
            id={id}
            urls={coverUrls}
            sizes="(min-width: 64rem) 13rem, (min-width: 40rem) 30vw, 45vw"
            className={`shadow-lg ring-1 shadow-black/30 ring-white/5 ${isRound ? 'rounded-full' : 'rounded-xl'}`}
          />
          <h3 className="mt-3 truncate font-serif text-[1.05rem] leading-snug">
            <Link
              to={to}
              title={title}
              className="after:absolute after:inset-0 after:content-[''] hover:text-white"
            >
              {title}
            </Link>
          </h3>
          <p className="truncate text-sm text-haze">{subtitle}</p>
        </li>
      ))}
    </ul>
  )
}
