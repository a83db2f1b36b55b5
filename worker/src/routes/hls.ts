import { createRoute } from '@hono/zod-openapi'
import { TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { Problem } from '../problem.ts'
import { playlistMediaBase } from './media-base.ts'
import { makeRouter, refusals } from './router.ts'
import { sessionToken } from '../middleware/session-token.ts'

const tags = ['media']
const MIME = 'application/vnd.apple.mpegurl'

const query = z.object({
  /** Version of the media; without it the session's, else the current one. */
  v: z.coerce.number().int().positive().max(2_147_483_647).optional(),
  /** Session token; playlists and keys then carry it in their URLs. */
  token: z.string().max(4000).optional(),
})

const responses = {
  200: { description: 'An HLS playlist.', content: { [MIME]: { schema: z.string() } } },
  ...refusals(
    'session-token-invalid',
    'wrong-track',
    'not-found',
    'validation-failed',
    'unavailable',
  ),
}

export const hlsRoutes = makeRouter().openapi(
  createRoute({
    method: 'get',
    path: '/{id}/hls/{playlist}',
    tags,
    summary: 'master.m3u8, or the playlist of one rendition, such as 128k.m3u8',
    request: {
      params: z.object({ id: TrackId, playlist: z.string().regex(/^[a-z0-9]{1,16}\.m3u8$/) }),
      query,
    },
    responses,
  }),
  async (c) => {
    const { id, playlist } = c.req.valid('param')
    const version = c.req.valid('query').v ?? null
    const found = await sessionToken(c)
    if (found && found.claims.trackId !== id)
      throw new Problem('wrong-track', 'This token is of a session on another track.')
    // A token that came in a header comes in a header next time, too.
    const session = found?.isInUrl === true ? found : null
    const { hls } = c.var.deps
    const name = playlist.slice(0, -'.m3u8'.length)
    const mediaBase = playlistMediaBase(c)
    const text =
      name === 'master'
        ? await hls.masterPlaylist(id, version, session, mediaBase)
        : await hls.mediaPlaylist(id, version, name, session, mediaBase)
    return c.body(text, 200, {
      'content-type': MIME,
      'cache-control': session || version === null ? 'no-store' : 'public, max-age=60',
    })
  },
)
