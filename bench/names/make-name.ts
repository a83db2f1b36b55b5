import type { Random } from '../lib/random.ts'
import { coinWord } from './coin-word.ts'
import { cjk } from './tongues/cjk.ts'
import { cyrillicAndGreek } from './tongues/cyrillic-and-greek.ts'
import { english } from './tongues/english.ts'
import { latin } from './tongues/latin.ts'
import { rtl } from './tongues/rtl.ts'
import type { Tongue } from './tongues/tongue.ts'

const TONGUES: readonly Tongue[] = [english, ...latin, ...cyrillicAndGreek, ...cjk, ...rtl]

const totalWeight = TONGUES.reduce((sum, { weight }) => sum + weight, 0)

/** Draws a language by its share of the catalogue. */
export function pickTongue(random: Random): Tongue {
  let left = random.next() * totalWeight
  for (const tongue of TONGUES) {
    left -= tongue.weight
    if (left < 0) return tongue
  }
  return english
}

/** Words that a title in English writes small, unless it begins with them. */
const SMALL = /^(?:of|the|in|for|a|that|and|no)$/

/** Slots that a made-up word may fill, and how often one does. */
const NAMING = new Set(['noun', 'compound', 'surname', 'part', 'family'])
const COINED = 0.15

/** Fills the slots of one of `patterns`, and writes what comes out as a title. */
export function makeName(random: Random, tongue: Tongue, patterns: readonly string[]): string {
  const filled = random.pickEarly(patterns).replace(/\{(\w+)\}/g, (_, slot: string) => {
    const list = tongue.words[slot]
    if (list === undefined) throw new Error(`${tongue.language} has no words for {${slot}}`)
    return random.chance(COINED) && NAMING.has(slot)
      ? coinWord(random, tongue)
      : random.pickEarly(list)
  })
  // French and German keep small letters inside; English does not.
  const wordStart =
    tongue.language === 'English' ? /(?<![\p{L}\p{M}'’])\p{L}+/gu : /^\P{L}*\p{L}+/gu
  return filled.replace(wordStart, (word, offset: number) => {
    if (offset > 0 && SMALL.test(word)) return word
    const start = word.search(/\p{L}/u)
    return word.slice(0, start) + capital(tongue, word.slice(start))
  })
}

function capital({ language }: Tongue, word: string): string {
  const [first = '', ...rest] = word
  // Of ß it would be two letters.
  const upper = language === 'Turkish' ? first.toLocaleUpperCase('tr') : first.toUpperCase()
  return (upper.length === first.length ? upper : first) + rest.join('')
}
