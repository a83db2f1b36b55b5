import { data, redirect } from '@remix-run/cloudflare'
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Form, Link, useActionData, useLoaderData } from '@remix-run/react'
import { useEffect, useRef } from 'react'
import { FormError, SubmitButton, TextField } from '../components/form-parts.tsx'
import { LocalTime } from '../components/local-time.tsx'
import { NewPasswordField } from '../components/new-password-field.tsx'
import { cookiesOf, read } from '../lib/api.ts'
import { apiFor, asking } from '../lib/api.server.ts'
import type { AuthSession, Quota, User } from '../lib/api-types.ts'
import { withCookies } from '../lib/cookies.server.ts'
import { deviceName } from '../lib/devices.ts'
import { formOf, formRefusal, textsOf } from '../lib/forms.ts'
import type { FormRefusal } from '../lib/forms.ts'
import { formatDuration } from '../lib/format.ts'

export const meta: MetaFunction = () => [{ title: 'Your account · Mist' }]

export async function loader({ request, context }: LoaderFunctionArgs) {
  return asking({ request, context }, async (api) => {
    const [{ user }, quota, sessions] = await Promise.all([
      read(api.auth.me.$get()),
      read(api.quota.index.$get()),
      read(api.auth.sessions.$get()),
    ])
    return { user, quota, devices: sessions.items }
  })
}

type Outcome = { done: 'password' | null; refusal: FormRefusal | null }

export async function action({ request, context }: ActionFunctionArgs) {
  const values = textsOf(await formOf(request), [
    'intent',
    'device',
    'currentPassword',
    'newPassword',
  ])
  const api = apiFor({ request, context })
  try {
    switch (values.intent) {
      case 'revoke':
        await cookiesOf(api.auth.sessions[':id'].$delete({ param: { id: values.device } }))
        return redirect('/account#devices')
      case 'revoke-others':
        await cookiesOf(api.auth.sessions.$delete())
        return redirect('/account#devices')
      case 'password': {
        const { currentPassword, newPassword } = values
        const json = { currentPassword, newPassword }
        const cookies = await cookiesOf(api.auth.password.$post({ json }))
        const outcome: Outcome = { done: 'password', refusal: null }
        return data(outcome, { headers: withCookies(cookies) })
      }
      default:
        return redirect('/account')
    }
  } catch (error) {
    const outcome: Outcome = { done: null, refusal: formRefusal(error, values) }
    return data(outcome, 422)
  }
}

function Budget({ quota, plan }: { quota: Quota; plan: string }) {
  const { limitS, usedS, remainingS, resetsAt } = quota
  if (limitS === null || remainingS === null) {
    return (
      <p className="mt-3 text-haze">
        Your plan is <strong className="text-fog">{plan}</strong>: listen as long as you like, on
        three devices. Today so far: {formatDuration(usedS)}.
      </p>
    )
  }
  return (
    <>
      <p className="mt-3 text-haze">
        <strong className="font-serif text-3xl font-normal text-fog">
          {formatDuration(remainingS)}
        </strong>{' '}
        of {formatDuration(limitS)} left today
      </p>
      <div className="mt-4 h-2 overflow-hidden rounded-full bg-edge" aria-hidden="true">
        <div
          className="h-full rounded-full bg-lamp"
          style={{ width: `${limitS > 0 ? (remainingS / limitS) * 100 : 0}%` }}
        />
      </div>
      <p className="mt-4 text-sm text-pretty text-haze">
        Your listening time resets <LocalTime at={resetsAt} />. Your plan is{' '}
        <strong className="text-fog">{plan}</strong>, on one device at a time. Premium has no daily
        limit and plays on three devices; ask an admin of this site for it.
      </p>
    </>
  )
}

function Devices({ devices }: { devices: AuthSession[] }) {
  return (
    <>
      <ul className="mt-2 divide-y divide-edge/70">
        {devices.map(({ id, userAgent, lastUsedAt, current }) => (
          <li key={id} className="flex items-center gap-4 py-3">
            <div className="min-w-0 grow">
              <p className="truncate">{deviceName(userAgent)}</p>
              <p className="text-sm text-haze">
                {current ? (
                  'This device'
                ) : (
                  <>
                    Last used <LocalTime at={lastUsedAt} />
                  </>
                )}
              </p>
            </div>
            {current ? null : (
              <Form method="post" preventScrollReset>
                <input type="hidden" name="intent" value="revoke" />
                <input type="hidden" name="device" value={id} />
                <button
                  type="submit"
                  className="button-quiet"
                  aria-label={`Sign out ${deviceName(userAgent)}`}
                >
                  Sign out
                </button>
              </Form>
            )}
          </li>
        ))}
      </ul>
      {devices.length > 1 ? (
        <Form method="post" preventScrollReset className="mt-3">
          <input type="hidden" name="intent" value="revoke-others" />
          <button type="submit" className="button-quiet">
            Sign out all other devices
          </button>
        </Form>
      ) : null}
    </>
  )
}

function PasswordForm({ outcome, user }: { outcome: Outcome | undefined; user: User }) {
  const form = useRef<HTMLFormElement>(null)
  const isDone = outcome?.done === 'password'
  useEffect(() => {
    if (outcome?.done === 'password') form.current?.reset()
  }, [outcome])
  const refusal = outcome?.refusal ?? undefined
  return (
    <Form ref={form} method="post" preventScrollReset className="mt-4 max-w-sm space-y-5">
      <input type="hidden" name="intent" value="password" />
      <FormError refusal={refusal} />
      {isDone ? (
        <p role="status" className="rounded-lg border border-moss/40 bg-moss/10 px-4 py-3 text-sm">
          The password is changed. Your other devices are signed out.
        </p>
      ) : null}
      <TextField
        name="currentPassword"
        label="Current password"
        type="password"
        autoComplete="current-password"
        refusal={refusal}
      />
      <NewPasswordField
        // A new key clears the field and its hint once the password is changed.
        key={isDone ? 'done' : 'open'}
        name="newPassword"
        label="New password"
        refusal={refusal}
        email={user.email}
        username={user.username}
      />
      <SubmitButton action="/account" sending="Changing your password…" className="button-quiet">
        Change password
      </SubmitButton>
    </Form>
  )
}

export default function Account() {
  const { user, quota, devices } = useLoaderData<typeof loader>()
  const outcome = useActionData<typeof action>()
  return (
    <div className="mx-auto max-w-3xl px-4 pt-6 pb-12 sm:px-8 sm:pt-10">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div className="min-w-0">
          <p className="eyebrow">Your account</p>
          <h1 className="mt-2 truncate font-serif text-4xl tracking-tight">{user.username}</h1>
          <p className="mt-1 truncate text-haze">{user.email}</p>
        </div>
        <div className="flex gap-2">
          <Link to="/history" className="button-quiet">
            History
          </Link>
          <Form method="post" action="/logout">
            <button type="submit" className="button-quiet">
              Sign out
            </button>
          </Form>
        </div>
      </div>
      <section aria-labelledby="budget" className="panel mt-8 p-5 sm:p-7">
        <h2 id="budget" className="eyebrow">
          Listening time
        </h2>
        <Budget quota={quota} plan={user.plan} />
      </section>
      <section aria-labelledby="devices" className="panel mt-5 p-5 sm:p-7">
        <h2 id="devices" className="eyebrow">
          Devices
        </h2>
        <Devices devices={devices} />
      </section>
      <section aria-labelledby="password" className="panel mt-5 p-5 sm:p-7">
        <h2 id="password" className="eyebrow">
          Password
        </h2>
        <PasswordForm outcome={outcome} user={user} />
      </section>
    </div>
  )
}
