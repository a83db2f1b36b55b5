import { expect, test } from '@playwright/test'
import { newcomer, register, setDailyLimit, signIn } from '../support/people.ts'
import {
  expectSound,
  player,
  playerReady,
  playNth,
  positionS,
  tapSound,
} from '../support/player.ts'

test('a new user registers, sees covers, plays a track, seeks, goes on, and visits other pages meanwhile', async ({
  page,
}) => {
  await register(page)
  const cards = page.locator('article')
  expect(await cards.count()).toBeGreaterThanOrEqual(7)
  const cover = cards.locator('img').first()
  await expect
    .poll(() => cover.evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(0)

  await playerReady(page)
  const first = await playNth(page, 0)
  await expect(player(page).getByRole('link', { name: first })).toBeVisible()
  await tapSound(page)
  await expectSound(page)

  const before = await positionS(page)
  await page.getByRole('slider', { name: 'Position' }).focus()
  for (let press = 0; press < 6; press++) await page.keyboard.press('ArrowRight')
  await expect.poll(() => positionS(page)).toBeGreaterThan(before + 25)
  await expectSound(page)

  await page.locator('article').nth(2).getByRole('link').click()
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByText('Sounds alike')).toBeVisible()
  await expectSound(page)

  await player(page).getByRole('button', { name: 'Next track' }).click()
  await expect(player(page).getByRole('link', { name: first })).toBeHidden()
  await expectSound(page)
  await player(page).getByRole('button', { name: 'Pause' }).click()
  await expect.poll(() => positionS(page)).toBe(0)
})

test('a reload finds the track where it was, and costs nothing', async ({ page }) => {
  await register(page)
  await playerReady(page)
  const title = await playNth(page, 1)
  await expect.poll(() => positionS(page)).toBeGreaterThan(2)
  await player(page).getByRole('button', { name: 'Pause' }).click()
  const quota = async () => {
    const answer: unknown = await page.evaluate(async () => (await fetch('/api/v1/quota')).json())
    return answer
  }
  const used = await quota()
  expect(used).toMatchObject({ usedS: 4 })

  await page.reload()
  await playerReady(page)
  await expect(player(page).getByRole('link', { name: title })).toBeVisible()
  await player(page).getByRole('button', { name: 'Play', exact: true }).click()
  await expect.poll(() => positionS(page)).toBeGreaterThan(2)
  expect(await quota()).toEqual(used)
})

test('a visitor who presses play is asked to sign in, returns to the page, and hears the track', async ({
  page,
  context,
}) => {
  const person = await register(page)
  await context.clearCookies()
  await page.goto('/credits')
  await page.getByRole('main').getByRole('link').first().click()
  await expect(page).toHaveURL(/\/tracks\//)
  await playerReady(page)
  const { pathname } = new URL(page.url())
  await page.getByRole('main').getByRole('button', { name: /^Play/ }).first().click()
  await expect(player(page).getByText('Sign in to listen.')).toBeVisible()

  await player(page).getByRole('link', { name: 'Register' }).click()
  await expect(page).toHaveURL(`/register?to=${encodeURIComponent(pathname)}`)
  // The message is still there, and its links lead back to the same page.
  await player(page).getByRole('link', { name: 'Sign in' }).click()
  await expect(page).toHaveURL(`/login?to=${encodeURIComponent(pathname)}`)
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page).toHaveURL(pathname)
  await expect(player(page).getByText('Sign in to listen.')).toBeHidden()
  await expect.poll(() => positionS(page)).toBeGreaterThan(1)
})

test('the first track is prepared after signing in, and not before', async ({ page }) => {
  let prepared = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/hls/master.m3u8')) prepared += 1
  })
  await page.goto('/')
  await playerReady(page)
  await page.locator('article').first().getByRole('button').hover()
  await page.waitForTimeout(1000)
  expect(prepared).toBe(0)
  await register(page)
  await expect.poll(() => prepared).toBeGreaterThan(0)
})

test('at the end of the budget the music fades and a sentence says when it returns', async ({
  page,
}) => {
  const person = newcomer()
  await register(page, person)
  await setDailyLimit(person, 12)
  await playerReady(page)
  await playNth(page, 0)
  const refusals: string[] = []
  page.on('response', (response) => {
    if (response.status() >= 400) refusals.push(`${response.status()} ${response.url()}`)
  })
  await expect.poll(() => positionS(page)).toBeGreaterThan(9)
  await expect(player(page).getByText('That was today’s listening time.')).toBeVisible()
  await expect
    .poll(() => page.evaluate(() => document.querySelector('audio')?.volume ?? 1))
    .toBeLessThan(0.9)
  await expect(player(page).getByText(/It returns .* at .*premium/)).toBeVisible()
  await expect(player(page).getByRole('link', { name: 'See plans' })).toBeVisible()
  await page.waitForTimeout(3000)
  expect(refusals.filter((refusal) => refusal.includes('/leases'))).toHaveLength(1)
  await expect(player(page).getByText('0 s left today')).toBeVisible()
})

test('the music goes on after a piece that the browser chokes on', async ({ page }) => {
  await page.addInitScript(() => {
    let pieces = 0
    // oxlint-disable-next-line typescript/unbound-method -- the proxy calls it on its own object
    SourceBuffer.prototype.appendBuffer = new Proxy(SourceBuffer.prototype.appendBuffer, {
      apply(append, buffer: SourceBuffer, [data]: [Uint8Array<ArrayBuffer>]) {
        const isMedia = data.byteLength > 2000
        if (isMedia) pieces += 1
        const broken = data.slice()
        // The third piece: its boxes say nonsense.
        if (isMedia && pieces === 3) broken.fill(255, 8, 200)
        document.documentElement.dataset['pieces'] = String(pieces)
        return Reflect.apply(append, buffer, [broken])
      },
    })
  })
  await register(page)
  await playerReady(page)
  await playNth(page, 1)
  await expect(page.locator('html')).toHaveAttribute('data-pieces', /^([4-9]|\d\d)$/)
  const before = await positionS(page)
  await expect.poll(() => positionS(page)).toBeGreaterThan(before + 5)
  await expect(player(page).getByRole('button', { name: 'Pause' })).toBeVisible()
})

test('the bar follows the music again after keys, after a drag, and after a press that moved nothing', async ({
  page,
}) => {
  await register(page)
  await playerReady(page)
  await playNth(page, 0)
  const thumb = page.getByRole('slider', { name: 'Position' })
  const shownS = async () => Number(await thumb.getAttribute('aria-valuenow'))
  const lag = async () => Math.abs((await shownS()) - (await positionS(page)))
  async function expectToFollow(): Promise<void> {
    await expect.poll(lag).toBeLessThan(0.5)
    const before = await shownS()
    await expect.poll(shownS).toBeGreaterThan(before + 1)
  }
  await expectToFollow()

  await thumb.focus()
  for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowRight')
  await expect.poll(() => positionS(page)).toBeGreaterThan(14)
  await expectToFollow()

  const bar = await player(page).locator('[data-orientation=horizontal]').first().boundingBox()
  if (!bar) throw new Error('there is no bar')
  const middle = bar.y + bar.height / 2
  await page.mouse.move(bar.width * 0.3, middle)
  await page.mouse.down()
  await page.mouse.move(bar.width * 0.5, middle, { steps: 5 })
  const heldS = await shownS()
  expect(heldS - (await positionS(page))).toBeGreaterThan(10)
  await page.mouse.up()
  await expect.poll(() => positionS(page)).toBeGreaterThan(heldS - 0.5)
  await expectToFollow()

  const held = await thumb.boundingBox()
  if (!held) throw new Error('there is no thumb')
  await page.mouse.move(held.x + held.width / 2, middle)
  await page.mouse.down()
  await page.mouse.up()
  await expectToFollow()
})

test('another device silences this one, which can take over', async ({
  page,
  browser,
  baseURL,
}) => {
  const person = await register(page)
  await playerReady(page)
  await playNth(page, 0)
  await expect.poll(() => positionS(page)).toBeGreaterThan(1)

  const elsewhere = await browser.newContext({ baseURL: baseURL ?? '' })
  const second = await elsewhere.newPage()
  await signIn(second, person)
  await second.goto('/')
  await playerReady(second)
  await playNth(second, 1)
  await expect.poll(() => positionS(second)).toBeGreaterThan(1)

  await expect(player(page).getByText('Playing on another device.')).toBeVisible()
  expect(await positionS(page)).toBe(0)
  await player(page).getByRole('button', { name: 'Play here' }).click()
  await expect.poll(() => positionS(page)).toBeGreaterThan(4)
  await expect(player(second).getByText('Playing on another device.')).toBeVisible()
  await elsewhere.close()
})

test('the keyboard alone is enough', async ({ page }) => {
  await register(page)
  await page.goto('/')
  await playerReady(page)
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: /^Play / }).first()).toBeFocused()
  await page.keyboard.press('Enter')
  await expect.poll(() => positionS(page)).toBeGreaterThan(0.5)

  await page.locator('main').focus()
  await page.keyboard.press('Space')
  await expect(player(page).getByRole('button', { name: 'Play', exact: true })).toBeVisible()
  await page.keyboard.press('Space')
  await expect.poll(() => positionS(page)).toBeGreaterThan(0.5)
  const before = await positionS(page)
  await page.keyboard.press('ArrowRight')
  await expect.poll(() => positionS(page)).toBeGreaterThan(before + 4)
})
