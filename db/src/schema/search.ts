import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  customType,
  index,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { SearchEntryType } from '../contract/states.ts'
import { isOneOf, oneOf } from './columns.ts'

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })

/** What can be found; triggers keep it in step with the catalogue (`db/sql/catalogue/search.sql`). */
export const searchEntries = pgTable(
  'search_entries',
  {
    type: oneOf('type', SearchEntryType).notNull(),
    /** Of the track, artist or album, which has a row here while listeners may see it. */
    id: uuid('id').notNull(),
    /** Title or name, folded, with one space for what is no letter and no digit. */
    name: text('name').notNull(),
    /** The same in one piece. */
    squeezed: text('squeezed').notNull(),
    /** What else it is looked for by: artists and album, or an artist's other names; folded. */
    context: text('context').notNull(),
    /** All words of both, without places. */
    words: tsvector('words').notNull(),
    /** As of the last time that somebody counted: of two that match alike, the better known comes first. */
    plays: bigint('plays', { mode: 'number' }).notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.type, t.id] }),
    check('search_entries_type_check', isOneOf(t.type, SearchEntryType)),
    ...SearchEntryType.options.map((type) =>
      index(`search_entries_${type}_words_idx`)
        .using('gin', t.words)
        .where(sql.raw(`type = '${type}'`)),
    ),
    index('search_entries_squeezed_idx').on(t.type, sql`${t.squeezed} collate "C"`),
    index('search_entries_plays_idx').on(t.type, t.plays.desc()),
  ],
)

/** Every word of every entry, and what is left of it without any one of its letters, by which typos are found. */
export const searchWords = pgTable(
  'search_words',
  {
    word: text('word').primaryKey(),
    deletions: text('deletions').array().notNull(),
  },
  (t) => [
    index('search_words_deletions_idx').using('gin', t.deletions),
    index('search_words_trigrams_idx').using('gin', sql`${t.word} gin_trgm_ops`),
  ],
)
