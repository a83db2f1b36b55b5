import { isOnlyNames, isTrivialPassword, normalisedPassword } from '@mist/db/contract'
import { COMMON_PASSWORDS } from './common-passwords.ts'

/** Made of the list when it is first asked for: most isolates never see a new password. */
let common: Set<string> | undefined

function isCommon(text: string): boolean {
  common ??= new Set(COMMON_PASSWORDS.trim().split(/\s+/))
  return common.has(text)
}

/**
 * Tells in a sentence why a new password is too easily guessed, or null. Its length is checked where
 * it is parsed. See `docs/decisions/0012-passwords.md`.
 *
 * @param person whose password it shall be
 */
export function whyTooEasy(
  password: string,
  person: { email: string; username: string },
): string | null {
  if (isTrivialPassword(password))
    return 'This is a row of keys or a repetition. A few words that do not belong together are better.'
  if (isOnlyNames(password, person))
    return 'This is little more than a name that others know. A few words of your own are better.'
  const text = normalisedPassword(password).toLowerCase().trim()
  // "password2024!" is "password": what people put around a word is what guessers put around it.
  const word = text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const packed = text.replaceAll(/\s+/g, '')
  if ([text, word, packed].some(isCommon))
    return 'This is among the passwords that are tried first everywhere. A few words in a row are better.'
  return null
}
