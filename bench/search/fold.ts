/** Letters that Unicode does not take apart, as people type them who don't have them. */
const PLAIN: Record<string, string> = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ħ: 'h',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
  þ: 'th',
  ð: 'd',
  ς: 'σ',
}

/**
 * What the benchmark takes for the same text: without case, accents and width. It is a definition of
 * its own, so that it judges the search's folding, too.
 */
export function fold(text: string): string {
  return (
    text
      .normalize('NFKD')
      .toLowerCase()
      // Not the voicing marks of kana: が and か are two letters.
      .replace(/(?![\u3099\u309a])\p{M}/gu, '')
      .replace(/[łøđħßæœıþðς]/g, (letter) => PLAIN[letter] ?? letter)
      .normalize('NFC')
  )
}

/** The words of a text, folded; what is neither a letter nor a digit parts them. */
export function wordsOf(text: string): string[] {
  return fold(text).match(/[\p{L}\p{N}]+/gu) ?? []
}

/** A text in one piece, as somebody types it who leaves out what is between the letters. */
export function squeeze(text: string): string {
  return wordsOf(text).join('')
}
