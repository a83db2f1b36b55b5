import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { register } from '../support/people.ts'
import { player, playerReady, playNth, positionS } from '../support/player.ts'

/**
 * What skimming costs a listener with a free account: at most what was heard, and one segment of four
 * seconds for the start and for each move. A move that another follows at once costs nothing, so keys of
 * twelve seconds fail in each of these.
 */
const SEGMENT_S = 4

/** A move that no other has followed for so long may be paid for: what the player waits, less a little. */
const SETTLED_MS = 340

/** Notes in the page how many seconds of music have sounded, over both decks, and when it was moved. */
async function listenAlong(page: Page): Promise<void> {
  await page.addInitScript(() => {
    let seconds = 0
    const moves: number[] = []
    const before = new Map<HTMLMediaElement, number>()
    setInterval(() => {
      for (const deck of document.querySelectorAll('audio')) {
        const passed = deck.currentTime - (before.get(deck) ?? 0)
        before.set(deck, deck.currentTime)
        // More at once is a seek.
        if (!deck.paused && passed > 0 && passed < 0.5) seconds += passed
      }
      Object.assign(document.documentElement.dataset, { heard: seconds, moves: moves.join(' ') })
    }, 20)
    for (const type of ['keydown', 'pointerdown']) {
      addEventListener(type, () => moves.push(Math.round(performance.now())), true)
    }
  })
}

async function heardS(page: Page): Promise<number> {
  return Number(await page.locator('html').getAttribute('data-heard'))
}

/** How many of the last `count` presses, the one of “Pause” not counted, had time to settle. */
async function settledMoves(page: Page, count: number): Promise<number> {
  const text = await page.locator('html').getAttribute('data-moves')
  const times = (text ?? '')
    .split(' ')
    .map(Number)
    .slice(-count - 1)
  return times.slice(1).filter((time, index) => time - (times[index] ?? 0) >= SETTLED_MS).length
}

async function usedS(page: Page): Promise<number> {
  const quota: unknown = await page.evaluate(async () => (await fetch('/api/v1/quota')).json())
  return Number(Object(quota).usedS)
}

/** What the page says is left of the day, in seconds. */
async function shownLeftS(page: Page): Promise<number> {
  const text = await player(page)
    .getByText(/ left today$/)
    .innerText()
  const [, minutes = 0, seconds = 0] = /^(?:(\d+) min)? ?(?:(\d+) s)? left/.exec(text) ?? []
  return Number(minutes) * 60 + Number(seconds)
}

/** Watches the page's number beside the server's, and notes for how long they have differed. */
function watchNumbers(page: Page) {
  const end = new AbortController()
  let longestMs = 0
  async function watch(): Promise<void> {
    let sameAtMs = Date.now()
    while (!end.signal.aborted) {
      const charged = await usedS(page)
      if (Math.abs(300 - (await shownLeftS(page)) - charged) <= 1) sameAtMs = Date.now()
      longestMs = Math.max(longestMs, Date.now() - sameAtMs)
      await page.waitForTimeout(250)
    }
  }
  const watching = watch()
  return async (): Promise<number> => {
    end.abort()
    await watching
    return longestMs
  }
}

async function press(page: Page, name: string): Promise<void> {
  await player(page).getByRole('button', { name, exact: true }).click()
}

/** Drags nothing, but clicks into the bar, as one does who looks for a passage. */
async function seekTo(page: Page, part: number): Promise<void> {
  const bar = await player(page).locator('[data-orientation=horizontal]').first().boundingBox()
  if (!bar) throw new Error('there is no bar')
  await page.mouse.click(bar.x + bar.width * part, bar.y + bar.height / 2)
}

const WAYS: {
  name: string
  moves: number
  apartMs: number
  move: (page: Page, at: number) => Promise<void>
}[] = [
  {
    name: 'five seeks 1.5 s apart',
    moves: 5,
    apartMs: 1500,
    move: (page, at) => seekTo(page, 0.15 + 0.137 * at),
  },
  {
    name: 'ten presses of → 0.3 s apart',
    moves: 10,
    apartMs: 300,
    move: (page) => page.keyboard.press('ArrowRight'),
  },
  {
    name: 'five skips 2 s apart',
    moves: 5,
    apartMs: 2000,
    move: (page) => press(page, 'Next track'),
  },
]

for (const { name, moves, apartMs, move } of WAYS) {
  test(`${name} cost what was heard, and four seconds for each at most`, async ({ page }) => {
    await listenAlong(page)
    await register(page)
    await playerReady(page)
    await playNth(page, 0)
    await expect.poll(() => positionS(page)).toBeGreaterThan(0.5)
    await page.locator('main').focus()
    const lag = watchNumbers(page)

    let dueMs = Date.now()
    for (let at = 0; at < moves; at++) {
      await move(page, at)
      dueMs += apartMs
      await page.waitForTimeout(Math.max(0, dueMs - Date.now()))
    }
    await press(page, 'Pause')
    await page.waitForTimeout(2000)
    const lagMs = await lag()

    const heard = await heardS(page)
    const charged = await usedS(page)
    const settled = await settledMoves(page, moves)
    const allowed = heard + SEGMENT_S * (settled + 1)
    console.log(
      `${name}: ${heard.toFixed(1)} s heard, ${charged.toFixed(1)} s charged (at most ${allowed.toFixed(1)} s), the page up to ${lagMs} ms behind`,
    )
    expect(charged).toBeLessThanOrEqual(allowed)
    expect(lagMs).toBeLessThan(2000)
    expect(Math.abs(300 - (await shownLeftS(page)) - charged)).toBeLessThanOrEqual(2)
  })
}
