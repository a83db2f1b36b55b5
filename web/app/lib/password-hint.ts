import {
  isOnlyNames,
  isTrivialPassword,
  PASSWORD_MIN_CHARS,
  passwordChars,
} from '@mist/worker/client'

/** How strong a new password is: `level` 0 is refused, 3 is the strongest. */
export type PasswordHint = { level: 0 | 1 | 2 | 3; sentence: string }

/** The rule, shown with and without JavaScript. */
export const PASSWORD_RULE = `At least ${PASSWORD_MIN_CHARS} characters of any kind. A few words in a row are strong and easy to remember.`

/**
 * Rates a password while it is typed, by those of the API's rules that need no word list. The sentence
 * changes seldom, because screen readers read it aloud when it does.
 *
 * @returns null before anything is typed
 */
export function passwordHint(
  password: string,
  person: { email: string; username: string },
): PasswordHint | null {
  if (password === '') return null
  const chars = passwordChars(password)
  if (chars < PASSWORD_MIN_CHARS) return { level: 0, sentence: 'Not long enough yet.' }
  if (isTrivialPassword(password))
    return { level: 0, sentence: 'A row of keys or a repetition is easy to guess.' }
  if (isOnlyNames(password, person))
    return { level: 0, sentence: 'Names that others know are easy to guess.' }
  if (chars < 12) return { level: 1, sentence: 'Fair. Another word makes it much stronger.' }
  if (chars < 16) return { level: 2, sentence: 'Good.' }
  return { level: 3, sentence: 'Strong.' }
}
