import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { SearchAnswer, SearchQuery, Suggestion, SuggestionsQuery } from '../contract/search.ts'
import { rateLimit } from '../middleware/rate-limit.ts'
import { absoluteMediaBase } from './media-base.ts'
import { answers, makeRouter, refusals } from './router.ts'

/** Finding anything; open to all. */
export const searchRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/',
      tags: ['catalogue'],
      summary: 'Tracks, artists and albums by what somebody typed, the best of each first',
      description:
        'Forgives a typo in each word, words that are missing, and a last word that is only begun. ' +
        'Filters may stand among the words: `genre:jazz year:1990-1999 bpm:100-130`.',
      middleware: [rateLimit('search')],
      request: { query: SearchQuery },
      responses: {
        200: answers('What was found, and how the text was read.', SearchAnswer),
        ...refusals('validation-failed', 'rate-limited', 'unavailable'),
      },
    }),
    async (c) =>
      c.json(await c.var.deps.search.search(c.req.valid('query'), absoluteMediaBase(c)), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/suggestions',
      tags: ['catalogue'],
      summary: 'What is likely meant by what is typed so far, the best first',
      middleware: [rateLimit('search')],
      request: { query: SuggestionsQuery },
      responses: {
        200: answers('Tracks, artists and albums.', z.object({ items: z.array(Suggestion) })),
        ...refusals('validation-failed', 'rate-limited', 'unavailable'),
      },
    }),
    async (c) => {
      const items = await c.var.deps.search.suggest(c.req.valid('query'), absoluteMediaBase(c))
      return c.json({ items }, 200)
    },
  )
