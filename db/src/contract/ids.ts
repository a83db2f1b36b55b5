import { z } from 'zod'

/**
 * An identifier as it is written everywhere: in lower case. Clients may send capitals (Swift writes
 * UUIDs so), and RFC 9562 §4 has them mean the same; but tokens, keys of objects and the derivation
 * of keys compare text, so capitals end here.
 */
const Uuid = z.uuid().toLowerCase()

/**
 * Identifiers are UUIDv7 (RFC 9562 §5.7): they sort by creation time, which keeps B-tree inserts at
 * the right edge, and they cannot be guessed from one another. Each is branded, so that a user where
 * a track belongs does not compile.
 */
export const UserId = Uuid.brand<'UserId'>()
export type UserId = z.infer<typeof UserId>

export const FamilyId = Uuid.brand<'FamilyId'>()
/** An auth session, one login on one device: the family of refresh tokens that descend from it. */
export type FamilyId = z.infer<typeof FamilyId>

export const ArtistId = Uuid.brand<'ArtistId'>()
export type ArtistId = z.infer<typeof ArtistId>

export const AlbumId = Uuid.brand<'AlbumId'>()
export type AlbumId = z.infer<typeof AlbumId>

export const TrackId = Uuid.brand<'TrackId'>()
export type TrackId = z.infer<typeof TrackId>

export const UploadId = Uuid.brand<'UploadId'>()
export type UploadId = z.infer<typeof UploadId>

export const JobId = Uuid.brand<'JobId'>()
export type JobId = z.infer<typeof JobId>

export const SessionId = Uuid.brand<'SessionId'>()
/** A listening session: one listener, one track, one auth session, from play to completion. */
export type SessionId = z.infer<typeof SessionId>

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Makes a UUIDv7: 48 bits of Unix milliseconds, 74 random bits.
 *
 * @param nowMs Unix time in milliseconds; injected so that tests own the clock
 */
export function uuidv7(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  let rest = Math.floor(nowMs)
  for (let index = 5; index >= 0; index--) {
    bytes[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => HEX[byte]).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Makes a new identifier of the brand of `schema`: `newId(TrackId)`. */
export function newId<S extends z.ZodType>(schema: S, nowMs?: number): z.infer<S> {
  return schema.parse(uuidv7(nowMs))
}
