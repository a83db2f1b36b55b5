import { expect, test } from 'vitest'
import { formRefusal, textsOf } from './forms.ts'
import { ApiRefusal, problemOf } from './problem.ts'

function refusal(status: number, body: unknown): ApiRefusal {
  return new ApiRefusal(problemOf(status, body, null, 0))
}

test('a taken e-mail address is reported beside the field', () => {
  const error = refusal(409, { type: 'x/email-taken', title: 't', detail: 'Sign in instead.' })
  expect(formRefusal(error, { email: 'a@b.c', password: 'secret' })).toEqual({
    fields: { email: 'Sign in instead.' },
    sentence: null,
    typed: { email: 'a@b.c' },
  })
})

test('a problem about no field is shown above the form', () => {
  const error = refusal(401, { type: 'x/invalid-credentials', title: 't', detail: 'Try again.' })
  expect(formRefusal(error, {}).sentence).toBe('Try again.')
})

test('any other error is thrown again', () => {
  expect(() => formRefusal(new TypeError('boom'), {})).toThrow('boom')
})

test('a missing field reads as empty', () => {
  const form = new FormData()
  form.set('email', 'a@b.c')
  expect(textsOf(form, ['email', 'password'])).toEqual({ email: 'a@b.c', password: '' })
})
