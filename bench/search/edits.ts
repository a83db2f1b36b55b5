import type { Random } from '../lib/random.ts'

/** Words shorter than this are left as they are: with one letter wrong they are another word. */
export const TYPO_MIN_LETTERS = 5

/** Keys that are beside one another, of the keyboards that people type these scripts on. */
const KEYBOARDS = [
  ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'],
  ['йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю'],
  ['ςερτυθιοπ', 'ασδφγηξκλ', 'ζχψωβνμ'],
  ['ضصثقفغعهخحجد', 'شسيبلاتنمكط', 'ئءؤرىةوزظ'],
  ['קראטוןםפ', 'שדגכעיחלך', 'זסבהנמצתץ'],
]

/** What a slip of the finger makes of a letter. */
function wrongLetter(random: Random, letter: string, word: readonly string[]): string {
  for (const rows of KEYBOARDS)
    for (const row of rows) {
      const at = row.indexOf(letter.toLowerCase())
      const beside = at < 0 ? undefined : (row[random.chance(0.5) ? at + 1 : at - 1] ?? row[at - 1])
      if (beside !== undefined) return beside
    }
  const code = letter.codePointAt(0)!
  // A Hangul syllable with another vowel (28 finals to each vowel, UAX #15 §16).
  if (code >= 0xac00 && code <= 0xd7a3) {
    const syllable = code - 0xac00
    const start = syllable - (syllable % 588)
    return String.fromCodePoint(0xac00 + start + ((syllable - start + 28) % 588))
  }
  // Kana and ideographs are chosen from a list: another word's letter, or the next one.
  const other = random.pick(word)
  return other === letter ? String.fromCodePoint(code + 1) : other
}

/** One letter wrong, missing or too many, at a place that chance chooses. */
export function withTypo(random: Random, word: string): string {
  const letters = Array.from(word)
  const at = random.below(letters.length)
  const letter = letters[at]!
  const typed = random.pick([
    () => letters.with(at, wrongLetter(random, letter, letters)),
    () => letters.toSpliced(at, 1),
    () =>
      letters.toSpliced(at, 0, random.chance(0.5) ? letter : wrongLetter(random, letter, letters)),
  ])()
  return typed.join('')
}

/** Two letters in each other's place; null where all are the same. */
export function withTransposition(random: Random, word: string): string | null {
  const letters = Array.from(word)
  const places = letters.flatMap((letter, at) => (at > 0 && letters[at - 1] !== letter ? [at] : []))
  if (places.length === 0) return null
  const at = random.pick(places)
  return letters
    .with(at, letters[at - 1]!)
    .with(at - 1, letters[at]!)
    .join('')
}

/** Whether one letter wrong, missing, too many, or two in each other's place lie between two words. */
export function isWithinOneEdit(one: string, other: string): boolean {
  if (one === other) return true
  const a = Array.from(one)
  const b = Array.from(other)
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  const isSame = (startA: number, startB: number) =>
    a.slice(startA).join('') === b.slice(startB).join('')
  if (a.length > b.length) return isSame(start + 1, start)
  if (a.length < b.length) return isSame(start, start + 1)
  const isTransposed = a[start] === b[start + 1] && a[start + 1] === b[start]
  return isSame(start + 1, start + 1) || (isTransposed && isSame(start + 2, start + 2))
}

/** The word, and the word with any one letter left out: two words within one edit share one of these. */
export function deletionsOf(word: string): string[] {
  const letters = Array.from(word)
  return [...new Set([word, ...letters.map((_, at) => letters.toSpliced(at, 1).join(''))])]
}
