/**
 * Fewest characters of a new password. With the commonest refused, ten stand against guessing at the
 * door; `docs/decisions/0012-passwords.md` says why not eight or twelve.
 */
export const PASSWORD_MIN_CHARS = 10

/** Most characters of a password: more than anybody types, and little work to hash. */
export const PASSWORD_MAX_CHARS = 200

/** A password as it is counted and hashed: the same characters from any keyboard are the same (NFKC). */
export function normalisedPassword(password: string): string {
  return password.normalize('NFKC')
}

/** Unicode code points, as NIST counts. */
const pointsOf = (text: string) => Array.from(text)

/** Length in characters: Unicode code points after normalisation. */
export function passwordChars(password: string): number {
  return pointsOf(normalisedPassword(password)).length
}

/** Rows of keys, the alphabet and the digits, along which fingers run. */
const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '12345678901',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
]

const NEIGHBOURS = new Set(
  ROWS.flatMap((row) =>
    pointsOf(row)
      .slice(1)
      .flatMap((key, index) => [`${row[index]}${key}`, `${key}${row[index]}`]),
  ),
)

/** A password whose steps are to this part to the same or the next key is a run along the keys. */
const RUN_PART = 0.6

/** The shortest piece of which a text is a repetition: "abab" → "ab"; itself where it is none. */
function repeatedPiece(text: string): string {
  // A text is a repetition exactly where it is found in its own double, shifted.
  const at = `${text}${text}`.indexOf(text, 1)
  return text.slice(0, at)
}

/** Fewest different characters that make more than a tapping of keys. */
const FEWEST_DIFFERENT = 5

/**
 * Tells whether a password is long and yet nothing: one character or piece again and again, or a run
 * along the keys such as "1234567890" and "qwertyuiop".
 */
export function isTrivialPassword(password: string): boolean {
  const text = normalisedPassword(password).toLowerCase()
  const chars = pointsOf(text)
  if (new Set(chars).size < FEWEST_DIFFERENT) return true
  if (
    text !== '' &&
    passwordChars(repeatedPiece(text)) < Math.min(PASSWORD_MIN_CHARS, chars.length)
  )
    return true
  const steps = chars.slice(1).filter((char, index) => {
    const before = chars[index] ?? ''
    return char === before || NEIGHBOURS.has(before + char)
  })
  return steps.length >= RUN_PART * (chars.length - 1)
}

/** Letters and digits in lower case, which is what of a name may come back in a password. */
const bare = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '')

/** Words that anybody would try first here. */
const OUR_NAMES = ['mistmusic', 'mist', 'music', 'password', 'admin', 'listener']

/** With so few letters beside a name and digits, a password is that name. */
const FEWEST_OTHER_LETTERS = 4

/**
 * Tells whether a password is only the person's name, the address or the service's name, with digits
 * and other trimmings, or those of them one after another.
 */
export function isOnlyNames(
  password: string,
  { email, username }: { email: string; username: string },
): boolean {
  const [local = '', domain = ''] = email.split('@')
  // "ada.lovelace" is two names, too.
  const parts = [username, local].flatMap((name) => name.split(/[^\p{L}\p{N}]+/u))
  const names = [email, username, local, domain, ...domain.split('.'), ...parts, ...OUR_NAMES]
    .map(bare)
    .filter((name) => pointsOf(name).length >= 3)
    .sort((one, other) => other.length - one.length)
  let rest = bare(password)
  const isNamed = names.some((name) => rest.includes(name))
  for (const name of names) rest = rest.replaceAll(name, '')
  return isNamed && pointsOf(rest.replaceAll(/\p{N}/gu, '')).length < FEWEST_OTHER_LETTERS
}
