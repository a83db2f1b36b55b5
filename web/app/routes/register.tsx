import { data, redirect } from '@remix-run/cloudflare'
import type { ActionFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Form, Link, useActionData, useSearchParams } from '@remix-run/react'
import { FormCard, FormError, SubmitButton, TextField } from '../components/form-parts.tsx'
import { NewPasswordField } from '../components/new-password-field.tsx'
import { cookiesOf } from '../lib/api.ts'
import { apiFor } from '../lib/api.server.ts'
import { withCookies } from '../lib/cookies.server.ts'
import { formOf, formRefusal, textsOf } from '../lib/forms.ts'
import { returnPath } from '../lib/return-path.ts'
import { redirectSignedIn } from '../lib/signed-in.server.ts'

export const meta: MetaFunction = () => [
  { title: 'Register · Mist' },
  { name: 'description', content: 'Create a free account on Mist, with listening time every day.' },
]

export const loader = redirectSignedIn

export async function action({ request, context }: ActionFunctionArgs) {
  const values = textsOf(await formOf(request), ['email', 'username', 'password'])
  try {
    const api = apiFor({ request, context })
    const cookies = await cookiesOf(api.auth.register.$post({ json: values }))
    const { origin, searchParams } = new URL(request.url)
    const to = returnPath(searchParams.get('to'), origin)
    return redirect(to, { headers: withCookies(cookies) })
  } catch (error) {
    return data(formRefusal(error, values), 422)
  }
}

export default function Register() {
  const refusal = useActionData<typeof action>()
  const [params] = useSearchParams()
  const query = params.size > 0 ? `?${params}` : ''
  return (
    <FormCard title="Create an account" lead="It is free, and comes with listening time every day.">
      <Form method="post" action={`/register${query}`} className="space-y-5">
        <FormError refusal={refusal} />
        <TextField
          name="email"
          label="E-mail address"
          type="email"
          autoComplete="email"
          refusal={refusal}
        />
        <TextField
          name="username"
          label="Username"
          autoComplete="username"
          hint="3 to 32 letters, digits, dots, hyphens or underscores."
          refusal={refusal}
        />
        <NewPasswordField name="password" label="Password" refusal={refusal} />
        <SubmitButton action="/register" sending="Creating your account…">
          Register
        </SubmitButton>
      </Form>
      <p className="mt-6 text-sm text-haze">
        Already have an account?{' '}
        <Link to={`/login${query}`} className="link">
          Sign in
        </Link>
      </p>
    </FormCard>
  )
}
