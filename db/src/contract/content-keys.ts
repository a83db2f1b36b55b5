import { z } from 'zod'
import type { TrackId } from './ids.ts'

/**
 * Wrapping of track master keys under `CONTENT_KEY_SECRET`: AES-256-GCM with a random 96-bit nonce;
 * the track and version are authenticated, so a wrapped key moved to another row does not open.
 * Wire form: nonce (12) ‖ ciphertext (16) ‖ tag (16) = 44 bytes.
 */
export type KeyRing = { currentKid: string; keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>> }

const RingEntry = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}=$/, 'want kid:BASE64, 32 bytes of key')

/**
 * Parses `kid:base64[,kid:base64…]`; the first entry wraps, all entries unwrap. To rotate, put a
 * new entry first, run the rewrap command, then drop the old one.
 *
 * @throws Error naming what is wrong; never the key
 */
export function parseKeyRing(text: string): KeyRing {
  const entries = text.split(',').map((entry) => RingEntry.parse(entry.trim()))
  const keys = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const entry of entries) {
    const colon = entry.indexOf(':')
    const kid = entry.slice(0, colon)
    if (keys.has(kid)) throw new Error(`CONTENT_KEY_SECRET names the key id ${kid} twice`)
    keys.set(
      kid,
      Uint8Array.from(atob(entry.slice(colon + 1)), (char) => char.charCodeAt(0)),
    )
  }
  return { currentKid: entries[0]!.slice(0, entries[0]!.indexOf(':')), keys }
}

function additionalData(trackId: TrackId, version: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`mist/key/v1/${trackId}/${version}`)
}

/** The type by way of the function, for Node and workerd name it differently. */
type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** Imported once per ring: importing costs more than the decryption that follows. */
const imported = new WeakMap<KeyRing, Map<string, ImportedKey>>()

async function importKek(ring: KeyRing, kid: string): Promise<ImportedKey> {
  const known = imported.get(ring)?.get(kid)
  if (known) return known
  const raw = ring.keys.get(kid)
  if (!raw) throw new Error(`CONTENT_KEY_SECRET has no key with the id ${kid}`)
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
  imported.set(ring, (imported.get(ring) ?? new Map<string, ImportedKey>()).set(kid, key))
  return key
}

/** Wraps a 16-byte master key under the ring's current key. */
export async function wrapMasterKey(
  ring: KeyRing,
  masterKey: Uint8Array<ArrayBuffer>,
  trackId: TrackId,
  version: number,
): Promise<{ kid: string; wrapped: Uint8Array<ArrayBuffer> }> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: additionalData(trackId, version) },
    await importKek(ring, ring.currentKid),
    masterKey,
  )
  const wrapped = new Uint8Array(12 + sealed.byteLength)
  wrapped.set(iv)
  wrapped.set(new Uint8Array(sealed), 12)
  return { kid: ring.currentKid, wrapped }
}

/**
 * Opens a wrapped master key; 16 bytes.
 *
 * @throws Error when the key id is unknown; OperationError when the bytes were tampered with
 */
export async function unwrapMasterKey(
  ring: KeyRing,
  kid: string,
  wrapped: Uint8Array<ArrayBuffer>,
  trackId: TrackId,
  version: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const opened = await crypto.subtle.decrypt(
    {
      name: 'AES-GCM',
      iv: wrapped.subarray(0, 12),
      additionalData: additionalData(trackId, version),
    },
    await importKek(ring, kid),
    wrapped.subarray(12),
  )
  return new Uint8Array(opened)
}
