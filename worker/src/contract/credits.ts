import { TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { ArtistName } from './catalogue.ts'
import { PageQuery } from './pages.ts'

/** A track whose licence, or maker, asks to be named. */
export const Credit = z
  .object({
    id: TrackId,
    title: z.string(),
    artists: z.array(ArtistName),
    attribution: z.string(),
  })
  .meta({ id: 'Credit' })
export type Credit = z.infer<typeof Credit>

/** Credits are short and wanted all at once, so their pages may be longer than others. */
export const CreditsQuery = PageQuery.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
