import {
  ACCESS_TOKEN_S,
  FamilyId,
  PlanId,
  Role,
  SessionId,
  TrackId,
  UserId,
} from '@mist/db/contract'
import { base64url, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Clock } from './clock.ts'
import { makeTtlCache } from './ttl-cache.ts'

const ISSUER = 'mist'

/** Tokens of one kind never pass for the other: type and audience differ (RFC 8725 §3.11, §3.12). */
const ACCESS = { typ: 'at+jwt', audience: 'mist/api' }
const SESSION = { typ: 'mist-session+jwt', audience: 'mist/keys' }

/** What an access token says: its account, auth session, role and plan. */
export const AccessClaims = z.object({
  userId: UserId,
  familyId: FamilyId,
  role: Role,
  plan: PlanId,
})
export type AccessClaims = z.infer<typeof AccessClaims>

/** What a session token opens: the keys of one version of one track, inside one session. */
export const SessionClaims = z.object({
  sessionId: SessionId,
  userId: UserId,
  trackId: TrackId,
  version: z.int().positive(),
  /** Highest rendition offered, bits per second; null is all. */
  maxBitrate: z.int().positive().nullable(),
})
export type SessionClaims = z.infer<typeof SessionClaims>

/**
 * Verified tokens kept in one isolate. A player sends the same session token with every key it asks
 * for; what was verified stays true until it expires, for it is remembered by its every character.
 */
const VERIFIED_KEPT = 2000

export type IssuedToken = { token: string; expiresAt: Date }

/** Signs and reads the two kinds of tokens: HS256 and nothing else. */
export function makeTokens({ secret, clock }: { secret: string; clock: Clock }) {
  // The key, not the promise of it: workerd refuses to wait for another request's promise.
  let imported: CryptoKey | undefined
  async function key(): Promise<CryptoKey> {
    imported ??= await crypto.subtle.importKey(
      'raw',
      new TextEncoder().encode(secret),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign', 'verify'],
    )
    return imported
  }

  async function issue(
    { typ, audience }: typeof ACCESS,
    claims: Record<string, unknown>,
    lifetimeS: number,
  ): Promise<IssuedToken> {
    const nowS = Math.floor(clock().getTime() / 1000)
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + lifetimeS)
      .sign(await key())
    return { token, expiresAt: new Date((nowS + lifetimeS) * 1000) }
  }

  function makeReader<S extends z.ZodType>(kind: typeof ACCESS, schema: S) {
    const verified = makeTtlCache<z.infer<S>>({
      kept: VERIFIED_KEPT,
      now: () => clock().getTime(),
    })

    return async function read(token: string): Promise<z.infer<S> | null> {
      const known = verified.get(token)
      if (known !== undefined) return known
      const payload = await verify(kind, token)
      if (payload?.exp === undefined) return null
      const claims = schema.safeParse(payload['mist']).data
      if (claims === undefined) return null
      verified.set(token, claims, payload.exp * 1000)
      return claims
    }
  }

  async function verify(
    { typ, audience }: typeof ACCESS,
    token: string,
  ): Promise<JWTPayload | null> {
    try {
      const { payload } = await jwtVerify(token, await key(), {
        algorithms: ['HS256'],
        typ,
        audience,
        issuer: ISSUER,
        requiredClaims: ['exp', 'iat'],
        currentDate: clock(),
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  return {
    issueAccess: (claims: AccessClaims) =>
      issue(ACCESS, { sub: claims.userId, mist: claims }, ACCESS_TOKEN_S),
    /** Reads an access token; null when it is not one of ours, or expired. */
    readAccess: makeReader(ACCESS, AccessClaims),
    /** @param lifetimeS seconds */
    issueSession: (claims: SessionClaims, lifetimeS: number) =>
      issue(SESSION, { sub: claims.userId, mist: claims }, lifetimeS),
    /** Reads a session token; null when it is not one of ours, or expired. */
    readSession: makeReader(SESSION, SessionClaims),
    makeRefresh: makeRefreshToken,
    nextRefresh: async (token: string) => nextRefreshToken(await key(), token),
    hashRefresh: hashRefreshToken,
  }
}

export type Tokens = ReturnType<typeof makeTokens>

/** Makes an opaque refresh token, 256 random bits, and the SHA-256 under which it is stored. */
async function makeRefreshToken(): Promise<{ token: string; hash: Uint8Array }> {
  const token = base64url.encode(crypto.getRandomValues(new Uint8Array(32)))
  return { token, hash: await hashRefreshToken(token) }
}

/**
 * Derives the refresh token that follows another one, HMAC-SHA256 with the signing secret, so that the
 * same token exchanged twice gives the same successor, which nobody else can predict. The
 * prefix keeps it apart from what the same key signs: no JWT begins with it.
 */
async function nextRefreshToken(
  key: CryptoKey,
  token: string,
): Promise<{ token: string; hash: Uint8Array }> {
  const text = new TextEncoder().encode(`mist refresh token after:${token}`)
  const next = base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, text)))
  return { token: next, hash: await hashRefreshToken(next) }
}

/** The form in which a refresh token is stored: SHA-256; 256 random bits need no slow hash. */
async function hashRefreshToken(token: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)))
}
