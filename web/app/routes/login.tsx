import { data, redirect } from '@remix-run/cloudflare'
import type { ActionFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Form, Link, useActionData, useSearchParams } from '@remix-run/react'
import { FormCard, FormError, SubmitButton, TextField } from '../components/form-parts.tsx'
import { cookiesOf } from '../lib/api.ts'
import { apiFor } from '../lib/api.server.ts'
import { withCookies } from '../lib/cookies.server.ts'
import { formOf, formRefusal, textsOf } from '../lib/forms.ts'
import { returnPath } from '../lib/return-path.ts'
import { redirectSignedIn } from '../lib/signed-in.server.ts'

export const meta: MetaFunction = () => [
  { title: 'Sign in · Mist' },
  { name: 'description', content: 'Sign in to Mist to listen to music.' },
]

export const loader = redirectSignedIn

export async function action({ request, context }: ActionFunctionArgs) {
  const values = textsOf(await formOf(request), ['email', 'password'])
  try {
    const api = apiFor({ request, context })
    const cookies = await cookiesOf(api.auth.login.$post({ json: values }))
    const { origin, searchParams } = new URL(request.url)
    const to = returnPath(searchParams.get('to'), origin)
    return redirect(to, { headers: withCookies(cookies) })
  } catch (error) {
    return data(formRefusal(error, values), 422)
  }
}

export default function Login() {
  const refusal = useActionData<typeof action>()
  const [params] = useSearchParams()
  const query = params.size > 0 ? `?${params}` : ''
  return (
    <FormCard title="Welcome back" lead="Sign in to continue listening.">
      <Form method="post" action={`/login${query}`} className="space-y-5">
        <FormError refusal={refusal} />
        <TextField
          name="email"
          label="E-mail address"
          type="email"
          autoComplete="username"
          refusal={refusal}
        />
        <TextField
          name="password"
          label="Password"
          type="password"
          autoComplete="current-password"
          refusal={refusal}
        />
        <SubmitButton action="/login" sending="Signing in…">
          Sign in
        </SubmitButton>
      </Form>
      <p className="mt-6 text-sm text-haze">
        New here?{' '}
        <Link to={`/register${query}`} className="link">
          Create an account
        </Link>
      </p>
    </FormCard>
  )
}
