import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'

/** The player at the foot of the page. */
export function player(page: Page): Locator {
  return page.getByRole('region', { name: 'Player' })
}

/** Waits until the engine has arrived, so that measured clicks are not those that wait for it. */
export async function playerReady(page: Page): Promise<void> {
  await expect(page.locator('html[data-player=ready]')).toBeAttached()
}

/** Presses play on the nth track of the catalogue. */
export async function playNth(page: Page, index: number): Promise<string> {
  const card = page.locator('article').nth(index)
  const title = await card.getByRole('heading').innerText()
  await card.hover()
  await card.getByRole('button').click()
  return title
}

/** Where the sounding deck is, in seconds; 0 when none sounds. */
export async function positionS(page: Page): Promise<number> {
  return page.evaluate(() => {
    const decks = [...document.querySelectorAll('audio')]
    return decks.find((deck) => !deck.paused)?.currentTime ?? 0
  })
}

/** Taps both decks' sound. Needs a page that was clicked in before, as all sound does. */
export async function tapSound(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    for (const deck of document.querySelectorAll('audio')) {
      context.createMediaElementSource(deck).connect(analyser)
    }
    analyser.connect(context.destination)
    await context.resume()
    const samples = new Float32Array(analyser.fftSize)
    Object.assign(window, {
      soundLevel: () => {
        analyser.getFloatTimeDomainData(samples)
        return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
      },
    })
  })
}

/** The loudest of ten readings over a second, RMS of full scale. Silence is below 1e-4. */
async function loudest(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { soundLevel } = window as Window & { soundLevel?: () => number }
    let most = 0
    for (let reading = 0; reading < 10; reading++) {
      await new Promise((resolve) => {
        setTimeout(resolve, 100)
      })
      most = Math.max(most, soundLevel?.() ?? 0)
    }
    return most
  })
}

/** Expects sound that moves on. */
export async function expectSound(page: Page): Promise<void> {
  await expect.poll(() => loudest(page), { message: 'sound is heard' }).toBeGreaterThan(0.001)
  const before = await positionS(page)
  await expect.poll(() => positionS(page), { message: 'time moves' }).toBeGreaterThan(before + 0.5)
}
