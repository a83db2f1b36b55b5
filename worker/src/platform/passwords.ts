import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/**
 * Passwords as PHC strings, `$scrypt$ln=14,r=8,p=5$SALT$HASH`. N = 2¹⁴, r = 8, p = 5 is one of
 * OWASP's equivalent choices; it takes 16 MiB and some 130 ms in workerd, where 128 MB is all there
 * is for an isolate.
 */
const CURRENT = { ln: 14, r: 8, p: 5 }
const SALT_BYTES = 16
const HASH_BYTES = 32

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

function derive(
  password: string,
  salt: Uint8Array,
  { ln, r, p }: typeof CURRENT,
  length: number,
): Promise<Buffer> {
  const N = 2 ** ln
  return new Promise((resolve, reject) => {
    // NFKC, so that the same characters typed on another keyboard are the same password.
    scrypt(
      password.normalize('NFKC'),
      salt,
      length,
      { N, r, p, maxmem: 128 * r * (N + p) + 1024 ** 2 },
      (error, key) => (error ? reject(error) : resolve(key)),
    )
  })
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

/** Hashes a password with the current parameters and a fresh salt. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, CURRENT, HASH_BYTES)
  return `$scrypt$ln=${CURRENT.ln},r=${CURRENT.r},p=${CURRENT.p}$${base64(salt)}$${base64(hash)}`
}

/** Stands in for the hash of an account that does not exist, so that time tells nothing. */
const NOBODY = `$scrypt$ln=${CURRENT.ln},r=${CURRENT.r},p=${CURRENT.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`

/**
 * Checks a password against a PHC string, in a time that does not depend on the answer.
 *
 * @param phc null where there is no such account: takes as long, and never matches
 * @returns `outdated` when the hash was made with other parameters than today's
 */
export async function verifyPassword(
  password: string,
  phc: string | null,
): Promise<{ matches: boolean; outdated: boolean }> {
  const parts = PHC.exec(phc ?? NOBODY)
  if (!parts) throw new Error('the stored password hash is not a scrypt PHC string')
  const [, ln, r, p, salt, hash] = parts
  const params = { ln: Number(ln), r: Number(r), p: Number(p) }
  const wanted = Buffer.from(hash ?? '', 'base64')
  const got = await derive(password, Buffer.from(salt ?? '', 'base64'), params, wanted.length)
  return {
    matches: timingSafeEqual(got, wanted) && phc !== null,
    outdated:
      params.ln !== CURRENT.ln ||
      params.r !== CURRENT.r ||
      params.p !== CURRENT.p ||
      wanted.length !== HASH_BYTES,
  }
}

export type Passwords = {
  hashPassword: typeof hashPassword
  verifyPassword: typeof verifyPassword
}
