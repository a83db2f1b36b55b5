import { z } from 'zod'

/** Text that Postgres can keep: no NUL, and no half of a surrogate pair. */
export const Text = z
  .string()
  .trim()
  .refine((text) => !text.includes('\0') && text.isWellFormed(), 'This is not proper text.')
