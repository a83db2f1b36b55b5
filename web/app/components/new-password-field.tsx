import { useState } from 'react'
import type { FormRefusal } from '../lib/forms.ts'
import { PASSWORD_RULE, passwordHint } from '../lib/password-hint.ts'
import type { PasswordHint } from '../lib/password-hint.ts'
import { TextField } from './form-parts.tsx'

const COLOURS = ['bg-ember', 'bg-lamp', 'bg-moss', 'bg-moss'] as const

/** The current value of another field of the same form. */
function siblingValue(input: HTMLInputElement, name: string): string | undefined {
  const field = input.form?.elements.namedItem(name)
  return field instanceof HTMLInputElement ? field.value : undefined
}

/**
 * A field for a new password, with the rule and, while it is typed, a strength meter. Only the API
 * decides: the field accepts anything that is typed or pasted.
 */
export function NewPasswordField({
  name,
  label,
  refusal,
  email = '',
  username = '',
}: {
  name: string
  label: string
  refusal: FormRefusal | undefined
  /** Whose password it is, if the form has no such fields itself. */
  email?: string
  username?: string
}) {
  const [hint, setHint] = useState<PasswordHint | null>(null)
  return (
    <div>
      <TextField
        name={name}
        label={label}
        type="password"
        autoComplete="new-password"
        hint={PASSWORD_RULE}
        refusal={refusal}
        onInput={({ currentTarget }) =>
          setHint(
            passwordHint(currentTarget.value, {
              email: siblingValue(currentTarget, 'email') ?? email,
              username: siblingValue(currentTarget, 'username') ?? username,
            }),
          )
        }
      />
      <div className="mt-2 flex min-h-5 items-center gap-3">
        {hint ? (
          <div className="flex w-24 shrink-0 gap-1" aria-hidden="true">
            {COLOURS.slice(1).map((_, index) => (
              <span
                key={index}
                className={`h-1.5 grow rounded-full ${
                  index < Math.max(1, hint.level) ? COLOURS[hint.level] : 'bg-edge'
                }`}
              />
            ))}
          </div>
        ) : null}
        <p role="status" className="text-sm text-haze">
          {hint?.sentence}
        </p>
      </div>
    </div>
  )
}
