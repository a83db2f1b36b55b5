/** How a name is written; results are told apart by it. */
export type Script = 'latin' | 'cyrillic' | 'greek' | 'cjk' | 'rtl'

/**
 * What names are made of in one language: words by their slot, the frequent ones first, and patterns
 * with slots in braces. Grammar is only as good as a list of search results needs it.
 */
export type Tongue = {
  language: string
  script: Script
  /** Share of the catalogue, relative to the others'. */
  weight: number
  words: Record<string, readonly string[]>
  titles: readonly string[]
  artists: readonly string[]
  /** How a title tells that it is another recording of the same piece. */
  variants: readonly string[]
}

/** Splits a list of words at white space; `_` is a space within one of them. */
export const words = (text: string): string[] =>
  text
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll('_', ' '))

/** Every first part with every second one: how a language makes many words out of few. */
export const compounds = (firsts: string, seconds: string): string[] =>
  words(seconds).flatMap((second) => words(firsts).map((first) => first + second))
