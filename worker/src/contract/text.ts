import { cleanText } from '@mist/db/contract'
import { z } from 'zod'

/** One line of text, cleaned by the rule that all doors share; it may be empty. */
export const Text = z.string().overwrite((text) => cleanText(text, Number.MAX_SAFE_INTEGER))
