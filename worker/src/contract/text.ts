import { z } from 'zod'

/** Text that may stand in an HTTP header: visible ASCII and spaces (RFC 9110 §5.5). */
export const HeaderText = z
  .string()
  .regex(/^[\x20-\x7e]*$/, 'Only ASCII letters, digits, signs and spaces can be sent in a header.')

/** A media type with its parameters (RFC 9110 §8.3.1), or nothing where it is not known. */
export const MediaType = HeaderText.trim().regex(
  /^(?:[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;.*)?)?$/,
  'This is not a media type, such as audio/flac.',
)
