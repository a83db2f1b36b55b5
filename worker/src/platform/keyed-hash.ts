/** Hashes with a secret, so that a reader of the database can't find what was hashed by trying. */
export type KeyedHash = (text: string) => Promise<Uint8Array<ArrayBuffer>>

/** Makes HMAC-SHA256 under a secret; no text of this kind can be a token's. */
export function makeKeyedHash(secret: string): KeyedHash {
  const encoder = new TextEncoder()
  // The key, not the promise of it: workerd refuses to wait for another request's promise.
  let imported: CryptoKey | undefined
  return async function keyedHash(text) {
    imported ??= await crypto.subtle.importKey(
      'raw',
      encoder.encode(secret),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const bytes = encoder.encode(`keyed hash\n${text}`)
    return new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytes))
  }
}
