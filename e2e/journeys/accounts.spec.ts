import { expect, test } from '@playwright/test'
import { newcomer, register, signIn } from '../support/people.ts'

test('a wrong password is explained, and the e-mail address is kept', async ({ page }) => {
  await page.goto('/login')
  await page.getByLabel('E-mail address').fill('nobody@mist.example')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toHaveText(/\w+ .*\./)
  await expect(page.getByLabel('E-mail address')).toHaveValue('nobody@mist.example')
})

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false })

  test('one can register, sees errors beside the fields, and then the catalogue', async ({
    page,
  }) => {
    const person = newcomer()
    await page.goto('/register')
    await page.getByLabel('E-mail address').fill(person.email)
    await page.getByLabel('Username').fill('?? !!')
    await page.getByLabel('Password').fill(person.password)
    await page.getByRole('button', { name: 'Register' }).click()
    await expect(page.getByLabel('Username')).toHaveAccessibleDescription(/A username has/)
    await expect(page.getByLabel('E-mail address')).toHaveValue(person.email)

    await page.getByLabel('Username').fill(person.username)
    await page.getByLabel('Password').fill(person.password)
    await page.getByRole('button', { name: 'Register' }).click()
    await expect(page.getByRole('button', { name: person.username })).toBeVisible()
    expect(await page.locator('article').count()).toBeGreaterThanOrEqual(7)
  })
})

test('a taken e-mail address is reported beside the field', async ({ page, context }) => {
  const person = await register(page)
  await context.clearCookies()
  await page.goto('/register')
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Username').fill(newcomer().username)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Register' }).click()
  await expect(page.getByLabel('E-mail address')).toHaveAccessibleDescription(/\w+ .*\./)
})

test('a page that needs a sign-in asks for it and then shows itself', async ({ page, context }) => {
  const person = await register(page)
  await context.clearCookies()
  await page.goto('/account')
  await expect(page).toHaveURL(/\/login\?to=%2Faccount/)
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
  await expect(page.getByText('of 5 min left today')).toBeVisible()
})

test('an expired access token is refreshed by all open tabs in turn, never twice with one token', async ({
  page,
  context,
}) => {
  const person = await register(page)
  const second = await context.newPage()
  await second.goto('/')
  await context.clearCookies({ name: '__Host-mist_access' })
  const refreshes: number[] = []
  context.on('response', (response) => {
    if (response.url().endsWith('/auth/refresh')) refreshes.push(response.status())
  })
  await Promise.all([page.goto('/account'), second.goto('/history')])
  await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
  await expect(second.getByRole('heading', { level: 1, name: 'History' })).toBeVisible()
  // Usually once. A tab in another process may not see at once what the first has noted; its turn
  // comes later, with the new token, so nothing is used twice.
  expect(new Set(refreshes)).toEqual(new Set([200]))
  expect(refreshes.length).toBeLessThanOrEqual(2)
})

test('a device can be signed out from another one', async ({ page, browser, baseURL }) => {
  const person = await register(page)
  const elsewhere = await browser.newContext({
    baseURL: baseURL ?? '',
    userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1',
  })
  const second = await elsewhere.newPage()
  await signIn(second, person)
  await page.goto('/account')
  await page.getByRole('button', { name: 'Sign out Safari on iPhone' }).click()
  await expect(page.getByText('Safari on iPhone')).toBeHidden()
  await elsewhere.clearCookies({ name: '__Host-mist_access' })
  await second.goto('/account')
  await expect(second).toHaveURL(/\/login/)
  await elsewhere.close()
})

test('who is signed in already is led on from the sign-in and the register page', async ({
  page,
}) => {
  await register(page)
  await page.goto('/login?to=/account')
  await expect(page).toHaveURL('/account')
  await page.goto('/register')
  await expect(page).toHaveURL('/')
})

test('signing out ends it', async ({ page }) => {
  const person = await register(page)
  await page.getByRole('button', { name: person.username }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible()
})

test('an address that leads nowhere says so', async ({ page }) => {
  const answer = await page.goto('/no/such/page')
  expect(answer?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'There is nothing here.' })).toBeVisible()
  const missing = await page.goto('/tracks/01900000-0000-7000-8000-000000000000')
  expect(missing?.status()).toBe(404)
})

test('no address leads from the sign-in page to another site, or breaks it', async ({
  page,
  context,
  baseURL,
}) => {
  const person = await register(page)
  for (const to of [
    '/%09/evil.example',
    '/./%5Cevil.example',
    '/a%0Ab',
    '/%00',
    '//evil.example',
  ]) {
    await context.clearCookies()
    await page.goto(`/login?to=${to}`)
    await page.getByLabel('E-mail address').fill(person.email)
    await page.getByLabel('Password').fill(person.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByRole('button', { name: person.username })).toBeVisible()
    expect(new URL(page.url()).origin).toBe(new URL(baseURL ?? '').origin)
  }
})

test('a refresh whose response was lost is repeated, and the visitor stays signed in', async ({
  page,
  context,
}) => {
  const person = await register(page)
  await context.clearCookies({ name: '__Host-mist_access' })
  const statuses: number[] = []
  await page.route('**/auth/refresh', async (route) => {
    // Sent past the browser, so that it never gets the cookies in the answer.
    const { url, headers } = {
      url: route.request().url(),
      headers: await route.request().allHeaders(),
    }
    const { cookie = '', origin = '' } = headers
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        cookie,
        origin: origin || new URL(url).origin,
        'content-type': 'application/json',
      },
      body: '{}',
    })
    statuses.push(answer.status)
    if (statuses.length === 1) return route.abort('connectionreset')
    return route.continue()
  })
  await page.goto('/account')
  await expect(page.getByText('You are still signed in.')).toBeVisible()
  await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
  expect(statuses).toEqual([200, 200])
})

test('while the API cannot refresh the session, the page says so and honours Retry-After', async ({
  page,
  context,
}) => {
  const person = await register(page)
  await context.clearCookies({ name: '__Host-mist_access' })
  let refreshes = 0
  let loads = 0
  page.on('request', (request) => {
    if (request.isNavigationRequest()) loads += 1
  })
  await page.route('**/auth/refresh', async (route) => {
    refreshes += 1
    if (refreshes > 1) return route.continue()
    return route.fulfill({ status: 503, headers: { 'retry-after': '8' }, body: '' })
  })
  const started = Date.now()
  await page.goto('/account')
  await expect(page.getByText('We cannot check your sign-in right now.')).toBeVisible()
  await page.reload()
  await expect(page.getByText('We cannot check your sign-in right now.')).toBeVisible()
  expect([refreshes, loads]).toEqual([1, 2])
  await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
  expect(Date.now() - started).toBeGreaterThan(8000)
  expect([refreshes, loads]).toEqual([2, 3])
})

for (const offH of [10, -10]) {
  test(`a computer whose clock is ${offH} h off refreshes its session when it has to, and not before`, async ({
    page,
    context,
  }) => {
    await page.addInitScript((offMs) => {
      const now = Date.now.bind(Date)
      Date.now = () => now() + offMs
    }, offH * 3600_000)
    let refreshes = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/auth/refresh')) refreshes += 1
    })
    const person = await register(page)
    await page.goto('/account')
    await page.waitForTimeout(5000)
    expect(refreshes).toBe(0)
    await context.clearCookies({ name: '__Host-mist_access' })
    await page.goto('/account')
    await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
    await page.waitForTimeout(5000)
    expect(refreshes).toBe(1)
  })
}

test('a form from another site is refused, whatever cookies it brings', async ({
  page,
  context,
  baseURL,
}) => {
  const person = await register(page)
  const own = new URL(baseURL ?? '').origin
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const form = { 'content-type': 'application/x-www-form-urlencoded', cookie }
  const send = async (
    path: string,
    headers: Record<string, string>,
    body = 'intent=revoke-others',
  ) => (await fetch(own + path, { method: 'POST', redirect: 'manual', headers, body })).status
  for (const path of ['/login', '/register', '/logout', '/account', '/account.data', '/']) {
    expect(await send(path, { ...form, origin: 'https://evil.example' })).toBe(403)
    expect(await send(path, { ...form, origin: 'null' })).toBe(403)
    expect(await send(path, { ...form, 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await send(path, form)).toBe(403)
  }
  await page.goto('/account')
  await expect(page.getByRole('heading', { level: 1, name: person.username })).toBeVisible()
  // A body that is no form is refused.
  const json = { cookie, origin: own, 'content-type': 'application/json' }
  for (const path of ['/login', '/register', '/account'])
    expect(await send(path, json, '{}')).toBe(400)
})

test('a password that is too easily guessed is refused beside the field, and rated while typed', async ({
  page,
}) => {
  const person = newcomer()
  await page.goto('/register')
  const password = page.getByLabel('Password')
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Username').fill(person.username)
  await expect(page.locator('html[data-player=ready]')).toBeAttached()
  for (const [typed, hint] of [
    ['short', /long enough/],
    ['1234567890', /row of keys/],
    [`${person.username}!`, /Names/],
    ['correct horse battery', /Strong/],
  ] as const) {
    await password.fill(typed)
    await expect(page.getByText(hint)).toBeVisible()
  }
  await password.fill('Basketball1')
  await page.getByRole('button', { name: 'Register' }).click()
  await expect(password).toHaveAccessibleDescription(/tried first everywhere/)
  await password.fill(person.password)
  await page.getByRole('button', { name: 'Register' }).click()
  await expect(page.getByRole('button', { name: person.username })).toBeVisible()
})
