import type { Context } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { API_BASE } from '../api-base.ts'
import type { Origins } from '../services/listening-service.ts'

/** Where media is, absolute: a CDN, or this Worker. */
export function absoluteMediaBase(c: Context<AppEnv>): string {
  return c.var.deps.mediaBaseUrl ?? `${new URL(c.req.url).origin}${API_BASE}/media`
}

/** Where media is, as HLS playlists name it: a CDN, or a path on the origin that served the playlist. */
export function playlistMediaBase(c: Context<AppEnv>): string {
  return c.var.deps.mediaBaseUrl ?? `${API_BASE}/media`
}

/**
 * Where absolute URLs start: the request's own origin, not X-Forwarded-Host, which anybody
 * can send.
 */
export function originsOf(c: Context<AppEnv>): Origins {
  return { origin: new URL(c.req.url).origin, mediaBase: playlistMediaBase(c) }
}
