import { expect, test } from '@playwright/test'

test('a visitor finds a track despite typos, by suggestion and by search, and goes on to its artist', async ({
  page,
}) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Search' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Search' })).toBeVisible()
  const box = page.getByRole('searchbox')
  await box.pressSequentially('monkys spin')
  await expect(
    page.getByRole('navigation', { name: 'Suggestions' }).getByRole('link').first(),
  ).toContainText('Monkeys Spinning Monkeys')

  await box.fill('monkys spining')
  await box.press('Enter')
  await expect(page).toHaveURL(/\/search\?q=monkys/)
  await page.getByRole('link', { name: 'Monkeys Spinning Monkeys' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Monkeys Spinning Monkeys')
  await page.getByRole('link', { name: 'Kevin MacLeod' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Kevin MacLeod')
  await expect(page.getByRole('link', { name: 'Scheming Weasel' })).toBeVisible()

  await page.goto('/search')
  await page.getByRole('link', { name: /^Comedy/ }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Comedy')
  await page.goto('/search?q=no-such-thing-anywhere')
  await expect(page.getByText('Nothing found')).toBeVisible()
})
