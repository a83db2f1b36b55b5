import type { Context } from 'hono'
import type { AppEnv } from '../app-env.ts'
import type { Network } from '../platform/networks.ts'
import type { Asker } from '../services/account-service.ts'

/**
 * Where a request comes from. Only Cloudflare's own header says so: the edge overwrites what a visitor
 * sends under that name, while X-Forwarded-For and its like are anybody's word. The web app hands it on
 * when it asks in a visitor's name.
 */
export function networkOfRequest(c: Context<AppEnv>): Network {
  return c.var.deps.networkOf(c.req.header('cf-connecting-ip') ?? null)
}

/** Who asks to be signed in, as far as the request tells. */
export function askerOf(c: Context<AppEnv>): Asker {
  return { userAgent: c.req.header('user-agent') ?? null, network: networkOfRequest(c) }
}
