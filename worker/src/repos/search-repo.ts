import { SearchType } from '@mist/db/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import { Big, parseRow } from './rows.ts'

/** What is looked for; null asks for nothing. */
export type SearchFor = {
  text: string
  /** In one piece and folded, as genres are found by. */
  genre: string | null
  yearFrom: number | null
  yearTo: number | null
  bpmFrom: number | null
  bpmTo: number | null
}

const Hit = z.object({ type: SearchType, id: z.uuid(), score: z.coerce.number() })
export type Hit = z.infer<typeof Hit>

export function makeSearchRepo({ db }: { db: Database }) {
  return {
    /** At most `limit` of each type, the best of each first; higher scores are better. */
    async find(wanted: SearchFor, types: readonly SearchType[], limit: number): Promise<Hit[]> {
      const { text, genre, yearFrom, yearTo, bpmFrom, bpmTo } = wanted
      const { rows } = await db.execute(sql`
        select type, id, score from search_catalogue(
          ${text}, array(select jsonb_array_elements_text(${JSON.stringify(types)}::jsonb)),
          ${limit}::integer,
          (select replace(genre_slug_v1(${genre}::text), '-', '')),
          ${yearFrom}::integer, ${yearTo}::integer, ${bpmFrom}::real, ${bpmTo}::real
        )`)
      return rows.map((row) => parseRow(Hit, row))
    },

    /** Counts anew how often what can be found was played; answers how many entries that changed. */
    async refreshPlays(): Promise<number> {
      const { rows } = await db.execute(sql`select refresh_search_plays() as written`)
      return parseRow(z.object({ written: Big }), rows[0]).written
    },
  }
}

export type SearchRepo = ReturnType<typeof makeSearchRepo>
