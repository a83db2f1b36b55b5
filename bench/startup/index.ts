import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { median } from '../lib/statistics.ts'
import { printTable, writeReport } from '../lib/report.ts'
import { makeMp3, serveProgressive } from './progressive.ts'
import { watchSteps } from './steps.ts'

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '9' },
    latency: { type: 'string', default: '40' },
    /** Prints what a click goes through, too. */
    trace: { type: 'boolean', default: false },
    out: { type: 'string', default: 'bench/reports/startup.json' },
  },
})
const runs = Number(options.runs)
const latencyMs = Number(options.latency)

/** By then either side has long been playing. */
const ASK_AFTER_MS = 500

/** The track that both sides play: the same recording. */
const TITLE = 'Amazing Plan'
const RECORDING = fileURLToPath(new URL('../../local/demo/amazing-plan.m4a', import.meta.url))

const stackFile = join(process.env['STACK_DIR'] ?? '.local', 'stack.json')
const stack: { webUrl: string; admin: { email: string; password: string } } = JSON.parse(
  await readFile(stackFile, 'utf8').catch(() => {
    throw new Error(`There is no ${stackFile}: bring the stack up first, npm run stack -- up`)
  }),
)

declare global {
  /** Set in the page by {@link watchPlaying}. */
  var startupTimes: Times
}

type Times = { click: number; ended: number; playing: number[]; element?: HTMLMediaElement }

/**
 * Notes, in the page, when the person clicked, when a track ended, and when media elements said
 * `playing`. It listens to each element from its creation, before anybody else does: what a page
 * does on hearing `playing` is not what a listener waits for.
 */
function watchPlaying(): void {
  const times: Times = { click: 0, ended: 0, playing: [] }
  globalThis.startupTimes = times
  addEventListener(
    'click',
    () => Object.assign(times, { click: performance.now(), playing: [] }),
    true,
  )
  function watch(element: HTMLMediaElement): void {
    element.addEventListener('playing', () => {
      times.playing.push(performance.now())
      times.element = element
    })
    element.addEventListener('ended', () => {
      times.ended = performance.now()
    })
  }
  globalThis.Audio = new Proxy(Audio, {
    construct(target, parameters) {
      const element: HTMLAudioElement = Reflect.construct(target, parameters)
      watch(element)
      return element
    },
  })
  // Parsed, and no module of the page has run yet.
  document.addEventListener('readystatechange', () => {
    if (document.readyState === 'interactive') document.querySelectorAll('audio').forEach(watch)
  })
}

/**
 * Clicks the button and answers with the milliseconds until the next `playing`. Asks the page only
 * after a while: each question is a script that would run in the middle of what is measured.
 */
async function clickToPlaying(page: Page, name: string): Promise<number> {
  const button = page.getByRole('button', { name }).first()
  await button.click()
  await page.waitForTimeout(ASK_AFTER_MS)
  const handle = await page.waitForFunction(
    () => {
      const { click, playing } = globalThis.startupTimes
      return playing[0] === undefined ? null : playing[0] - click
    },
    undefined,
    { polling: 20, timeout: 30_000 },
  )
  return (await handle.jsonValue()) ?? Number.NaN
}

/**
 * Jumps to the last seconds of the track that plays, lets it end, and answers with the milliseconds
 * of silence before the next track of the queue says `playing` (negative: it was early).
 */
async function endToPlaying(page: Page, lastS: number): Promise<number> {
  await page.evaluate((seconds) => {
    const element = globalThis.startupTimes.element!
    element.currentTime = element.duration - seconds
  }, lastS)
  const handle = await page.waitForFunction(
    () => {
      const { ended, playing } = globalThis.startupTimes
      const last = playing.at(-1)
      // The `playing` after the jump belongs to the old track; the next track's is close to its end.
      return ended > 0 && last !== undefined && last > ended - 500 ? last - ended : null
    },
    undefined,
    { polling: 50, timeout: 60_000 },
  )
  return (await handle.jsonValue()) ?? Number.NaN
}

async function freshPage(context: BrowserContext, url: string): Promise<Page> {
  await context.addInitScript(watchPlaying)
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: latencyMs,
    downloadThroughput: -1,
    uploadThroughput: -1,
  })
  await page.goto(url, { waitUntil: 'networkidle' })
  // A person looks before clicking; what a player prepares in that time is its own affair.
  await page.waitForTimeout(700)
  return page
}

async function signIn(browser: Browser) {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${stack.webUrl}/login`)
  await page.locator('input[name=email]').fill(stack.admin.email)
  await page.locator('input[name=password]').fill(stack.admin.password)
  await page.locator('button[type=submit]').click()
  await page.waitForURL((url) => !url.pathname.startsWith('/login'))
  const state = await context.storageState()
  await context.close()
  return state
}

const folder = await mkdtemp(join(tmpdir(), 'mist-startup-'))
const mp3 = join(folder, 'track.mp3')
await makeMp3(RECORDING, mp3)
const progressive = await serveProgressive(mp3)
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  ),
})

const times: { progressive: number[]; mist: number[]; next: number[] } = {
  progressive: [],
  mist: [],
  next: [],
}
const traces: (typeof globalThis.startupSteps)[] = []
try {
  const state = await signIn(browser)
  for (let run = 0; run < runs; run++) {
    const plain = await browser.newContext()
    times.progressive.push(await clickToPlaying(await freshPage(plain, progressive.url), 'Play'))
    await plain.close()

    const product = await browser.newContext({ storageState: state })
    if (options.trace) await product.addInitScript(watchSteps)
    const page = await freshPage(product, stack.webUrl)
    times.mist.push(await clickToPlaying(page, `Play ${TITLE}`))
    if (options.trace) traces.push(await page.evaluate(() => globalThis.startupSteps))
    times.next.push(await endToPlaying(page, 12))
    // Refresh tokens rotate; keep what the page holds now.
    state.cookies = (await product.storageState()).cookies
    await product.close()
    process.stdout.write(`${run + 1} `)
  }
} finally {
  await browser.close()
  await progressive.stop()
  await rm(folder, { recursive: true, force: true })
}

const ratio = median(times.mist) / median(times.progressive)
console.log('\n')
printTable(
  ['click to playing', 'median ms', 'min', 'max'],
  (
    [
      ['progressive MP3', times.progressive],
      ['MIST, fresh page', times.mist],
      ['MIST, from the end of a track to the next', times.next],
    ] as const
  ).map(([name, values]) => [
    name,
    median(values).toFixed(0),
    Math.min(...values).toFixed(0),
    Math.max(...values).toFixed(0),
  ]),
)
if (options.trace) {
  const [first = []] = traces
  const untilPlaying = first.slice(0, first.findIndex(([name]) => name === 'playing') + 1)
  console.log('')
  printTable(
    ['MIST, step', 'median ms after the click'],
    untilPlaying.map(([name]) => [
      name,
      median(
        traces.map((steps) => {
          const at = steps.find(([step]) => step === name)?.[1]
          return at === undefined ? Number.NaN : at - steps[0]![1]
        }),
      ).toFixed(1),
    ]),
  )
}
console.log(
  `\nMIST ÷ progressive MP3: ${ratio.toFixed(2)} (goal ≤ 1.25); next track: ≤ 30 ms wanted`,
)
await writeReport(options.out, { benchmark: 'startup', runs, latencyMs, ratio, times })
