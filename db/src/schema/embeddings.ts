import { index, integer, pgTable, uuid, vector } from 'drizzle-orm/pg-core'
import type { TrackId } from '../contract/ids.ts'
import { EMBEDDING_DIMENSIONS } from '../contract/limits.ts'
import { tracks } from './catalogue.ts'

/** One audio embedding per track: 40 dimensions, L2-normalised, compared by cosine. */
export const trackEmbeddings = pgTable(
  'track_embeddings',
  {
    trackId: uuid('track_id')
      .primaryKey()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    /** Version of the constants that made it; vectors of different versions do not compare. */
    embeddingVersion: integer('embedding_version').notNull(),
    embedding: vector('embedding', { dimensions: EMBEDDING_DIMENSIONS }).notNull(),
  },
  (t) => [index('track_embeddings_cosine_idx').using('hnsw', t.embedding.op('vector_cosine_ops'))],
)
