import type { Context } from 'hono'
import type { AppEnv } from '../app-env.ts'
import type { Network } from '../platform/networks.ts'
import type { Visitor } from '../services/auth-tokens.ts'

/**
 * Where a request comes from. Only Cloudflare's own header says so: the edge overwrites what a visitor
 * sends under that name, while anybody can write X-Forwarded-For and its like. The web app passes it on
 * when it asks for a visitor.
 */
export function networkOfRequest(c: Context<AppEnv>): Network {
  return c.var.deps.networkOf(c.req.header('cf-connecting-ip') ?? null)
}

/** The visitor who wants to sign in, as far as the request tells. */
export function visitorOf(c: Context<AppEnv>): Visitor {
  return { userAgent: c.req.header('user-agent') ?? null, network: networkOfRequest(c) }
}
