import {
  isOnlyNames,
  isTrivialPassword,
  PASSWORD_MIN_CHARS,
  passwordChars,
} from '@mist/worker/client'

/** What a new password comes to so far: `level` 0 is refused, 3 is as strong as a hint can tell. */
export type PasswordHint = { level: 0 | 1 | 2 | 3; sentence: string }

/** The rule, as it stands on the page with and without JavaScript. */
export const PASSWORD_RULE = `At least ${PASSWORD_MIN_CHARS} characters of any kind. A few words in a row are strong and easy to remember.`

/**
 * Judges a password while it is typed, with those of the service's rules that need no list. Its
 * sentence changes seldom, since it is read aloud when it does.
 *
 * @returns null where nothing is typed yet
 */
export function passwordHint(
  password: string,
  person: { email: string; username: string },
): PasswordHint | null {
  if (password === '') return null
  const chars = passwordChars(password)
  if (chars < PASSWORD_MIN_CHARS) return { level: 0, sentence: 'Not long enough yet.' }
  if (isTrivialPassword(password))
    return { level: 0, sentence: 'A row of keys or a repetition is guessed at once.' }
  if (isOnlyNames(password, person))
    return { level: 0, sentence: 'Names that others know are guessed at once.' }
  if (chars < 12) return { level: 1, sentence: 'Fair. Another word makes it much stronger.' }
  if (chars < 16) return { level: 2, sentence: 'Good.' }
  return { level: 3, sentence: 'Strong.' }
}
