import AxeBuilder from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import { signIn } from '../support/people.ts'
import { playerReady, playNth } from '../support/player.ts'
import { stack } from '../support/stack.ts'

const WIDTHS = [390, 1280]

for (const width of WIDTHS) {
  test(`every page is accessible, ${width} pixels wide`, async ({ page }) => {
    await page.setViewportSize({ width, height: 860 })
    const wrong: string[] = []
    const examine = async (name: string) => {
      const { violations } = await new AxeBuilder({ page }).analyze()
      for (const { id, impact, nodes } of violations) {
        if (impact !== 'serious' && impact !== 'critical') continue
        wrong.push(`${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
      }
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      if (overflow > 0) wrong.push(`${name}: ${overflow} pixels too wide`)
    }

    for (const path of ['/', '/login', '/register', '/credits', '/no/such/page']) {
      await page.goto(path)
      await examine(path)
    }
    await page.goto('/')
    await playerReady(page)
    await playNth(page, 0)
    await expect(page.getByText('Sign in to listen.')).toBeVisible()
    await examine('the player with a message')

    await signIn(page, stack.admin)
    for (const path of ['/', '/admin/upload', '/account', '/history']) {
      await page.goto(path)
      await examine(`${path} signed in`)
    }
    await page.goto('/')
    await page.locator('article').first().getByRole('link').click()
    await expect(page.getByText('Sounds alike')).toBeVisible()
    await examine('a track')
    expect(wrong).toEqual([])
  })
}

test('pages run no script but their own', async ({ page }) => {
  const answer = await page.goto('/')
  const policy = answer?.headers()['content-security-policy'] ?? ''
  expect(policy).toMatch(/script-src 'self' 'nonce-[\w-]+'/)
  expect(policy).not.toMatch(/script-src[^;]*unsafe/)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy|hydrat/i.test(message.text())) complaints.push(message.text())
  })
  await page.reload()
  await playerReady(page)
  const hasRun = await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = 'document.documentElement.dataset.injected = "yes"'
    document.body.append(script)
    return document.documentElement.dataset['injected'] ?? null
  })
  expect(hasRun).toBeNull()
  expect(complaints.filter((text) => !text.includes('inline'))).toEqual([])
})
