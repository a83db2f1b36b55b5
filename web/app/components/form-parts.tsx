import { useNavigation } from '@remix-run/react'
import type { FormEventHandler, ReactNode } from 'react'
import type { FormRefusal } from '../lib/forms.ts'

/** A labelled text field, with its hint and its error message. */
export function TextField({
  name,
  label,
  type = 'text',
  autoComplete,
  hint,
  refusal,
  onInput,
}: {
  name: string
  label: string
  type?: 'text' | 'email' | 'password'
  autoComplete: string
  hint?: string
  refusal: FormRefusal | undefined
  onInput?: FormEventHandler<HTMLInputElement>
}) {
  const error = refusal?.fields[name]
  const described = [hint ? `${name}-hint` : null, error ? `${name}-error` : null]
    .filter((id) => id !== null)
    .join(' ')
  return (
    <div>
      <label htmlFor={name} className="block text-sm font-medium text-haze">
        {label}
      </label>
      <input
        id={name}
        name={name}
        type={type}
        autoComplete={autoComplete}
        required
        onInput={onInput}
        defaultValue={refusal?.typed[name]}
        aria-invalid={error ? true : undefined}
        aria-describedby={described || undefined}
        className="field mt-1.5"
        autoCapitalize="none"
        spellCheck={false}
      />
      {hint ? (
        <p id={`${name}-hint`} className="mt-1.5 text-sm text-dim">
          {hint}
        </p>
      ) : null}
      {error ? (
        <p id={`${name}-error`} className="mt-1.5 text-sm text-ember">
          {error}
        </p>
      ) : null}
    </div>
  )
}

/** The error message above a form that was refused as a whole. */
export function FormError({ refusal }: { refusal: FormRefusal | undefined }) {
  if (!refusal?.sentence) return null
  return (
    <p role="alert" className="rounded-lg border border-ember/40 bg-ember/10 px-4 py-3 text-sm">
      {refusal.sentence}
    </p>
  )
}

/** A submit button that says so while its form is being sent. */
export function SubmitButton({
  children,
  sending,
  action,
  className = 'button-lamp w-full',
}: {
  children: ReactNode
  sending: string
  /** The form's path, to distinguish it from other forms. */
  action: string
  className?: string
}) {
  const { state, formAction } = useNavigation()
  const isSending = state !== 'idle' && formAction?.startsWith(action) === true
  return (
    <button type="submit" className={className} aria-disabled={isSending}>
      {isSending ? sending : children}
    </button>
  )
}

/** The narrow card for signing in and registering. */
export function FormCard({
  title,
  lead,
  children,
}: {
  title: string
  lead: string
  children: ReactNode
}) {
  return (
    <div className="mx-auto w-full max-w-md px-4 py-8 sm:py-14">
      <h1 className="font-serif text-4xl tracking-tight">{title}</h1>
      <p className="mt-3 text-pretty text-haze">{lead}</p>
      <div className="panel mt-8 p-5 sm:p-8">{children}</div>
    </div>
  )
}
