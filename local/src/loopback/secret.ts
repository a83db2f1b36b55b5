import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Makes a password that nobody guesses and that needs no escaping in a URL: 144 bits. */
export function makeSecret(): string {
  return randomBytes(18).toString('hex')
}

/** Compares two secrets in a time that does not depend on where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other))
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
