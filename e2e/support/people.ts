import { randomBytes } from 'node:crypto'
import { expect } from '@playwright/test'
import type { Page } from '@playwright/test'
import pg from 'pg'
import { stack } from './stack.ts'

export type Person = { email: string; username: string; password: string }

/** Makes up a new user. */
export function newcomer(): Person {
  const name = `e2e-${randomBytes(5).toString('hex')}`
  return { email: `${name}@mist.example`, username: name, password: 'correct horse battery' }
}

/** Registers a user by the form, and waits for the catalogue. */
export async function register(page: Page, person: Person = newcomer()): Promise<Person> {
  await page.goto('/register')
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Username').fill(person.username)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Register' }).click()
  await expect(page.getByRole('button', { name: person.username })).toBeVisible()
  return person
}

/** Signs a user in by the form. */
export async function signIn(
  page: Page,
  { email, password }: Pick<Person, 'email' | 'password'>,
): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeHidden()
}

/** Changes a user's budget, as an operator would; seconds per day. */
export async function setDailyLimit({ email }: Person, limitS: number): Promise<void> {
  const client = new pg.Client({ connectionString: stack.databaseUrl })
  await client.connect()
  try {
    await client.query('UPDATE users SET daily_limit_s = $1 WHERE email = $2', [limitS, email])
  } finally {
    await client.end()
  }
}
