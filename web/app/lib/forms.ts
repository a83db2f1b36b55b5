import { isRefusal } from './problem.ts'

/** What a refused form shows: messages beside the fields, one above them, and the typed values. */
export type FormRefusal = {
  fields: Readonly<Record<string, string>>
  sentence: string | null
  typed: Readonly<Record<string, string>>
}

/**
 * Reads the form in a request's body.
 *
 * @throws Response 400 for the error boundary, if the body is no form
 */
export async function formOf(request: Request): Promise<FormData> {
  try {
    return await request.formData()
  } catch {
    throw Response.json(
      { title: 'This form could not be read.', detail: 'Send the form from its page.' },
      { status: 400 },
    )
  }
}

/** Reads the named text fields of a form; a missing one is empty. */
export function textsOf<const N extends string>(
  form: FormData,
  names: readonly N[],
): Record<N, string> {
  const texts: Partial<Record<N, string>> = {}
  for (const name of names) {
    const value = form.get(name)
    texts[name] = typeof value === 'string' ? value : ''
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name has just been set
  return texts as Record<N, string>
}

const FIELD_OF_CODE: Record<string, string> = {
  'email-taken': 'email',
  'username-taken': 'username',
}

/**
 * Turns an API problem into what the form shows. Passwords are never echoed.
 *
 * @throws the error itself, if it is not an API problem
 */
export function formRefusal(error: unknown, values: Record<string, string>): FormRefusal {
  if (!isRefusal(error)) throw error
  const { problem } = error
  const field = FIELD_OF_CODE[problem.code]
  const fields = field ? { [field]: problem.detail } : problem.fields
  return {
    fields,
    sentence: Object.keys(fields).length > 0 ? null : problem.detail,
    typed: Object.fromEntries(
      Object.entries(values).filter(([name]) => !name.toLowerCase().includes('password')),
    ),
  }
}
