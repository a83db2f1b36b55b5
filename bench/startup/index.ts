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

const DEMO = fileURLToPath(new URL('../../local/demo/', import.meta.url))
const catalogue: { file: string; title: string }[] = JSON.parse(
  await readFile(join(DEMO, 'catalogue.json'), 'utf8'),
)

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

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>
type Steps = typeof globalThis.startupSteps
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
 * Clicks the button, or taps on it, and answers with the milliseconds until the next `playing`.
 * Asks the page only after a while: each question is a script that would run in the middle of what
 * is measured.
 */
async function clickToPlaying(page: Page, name: string, isTouched = false): Promise<number> {
  const button = page.getByRole('button', { name }).first()
  if (isTouched) await button.tap()
  else await button.click()
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

async function signIn(browser: Browser): Promise<StorageState> {
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

/** Serves the recording of a demo track as an MP3 behind a button of its own. */
async function serveAsMp3(title: string, folder: string) {
  const recording = catalogue.find((each) => each.title === title)
  if (!recording) {
    throw new Error(`“${title}” is no demo track: measure a stack that has the demo tracks alone`)
  }
  const mp3 = join(folder, `${recording.file}.mp3`)
  await makeMp3(join(DEMO, recording.file), mp3)
  return serveProgressive(mp3)
}

/** What is clicked in turn, both as MIST and as an MP3. */
type Case = {
  name: string
  title: string
  hasTouch: boolean
  mp3: number[]
  mist: number[]
  steps: Steps[]
}

/**
 * The two tracks to play. What the page offers first is ready when it is clicked. Any other is not,
 * unless a pointer has rested on it; so that one is tapped, for a finger does not rest.
 */
async function chooseCases(browser: Browser, state: StorageState): Promise<[Case, Case]> {
  const context = await browser.newContext({ storageState: state })
  const page = await freshPage(context, stack.webUrl)
  const titles = await page
    .locator('main')
    .getByRole('button', { name: /^Play / })
    .evaluateAll((buttons) => buttons.map(({ ariaLabel }) => ariaLabel?.replace('Play ', '') ?? ''))
  await context.close()
  return [
    {
      name: 'the first of the page',
      title: titles[0] ?? '',
      hasTouch: false,
      mp3: [],
      mist: [],
      steps: [],
    },
    {
      name: 'any other, tapped',
      title: titles.at(-1) ?? '',
      hasTouch: true,
      mp3: [],
      mist: [],
      steps: [],
    },
  ]
}

const folder = await mkdtemp(join(tmpdir(), 'mist-startup-'))
const browser = await chromium.launch({
  executablePath: process.env['CHROME_PATH'] ?? '/usr/bin/chromium',
  args: '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  ),
})
const servers: Awaited<ReturnType<typeof serveAsMp3>>[] = []
const next: number[] = []
let cases: Case[]
try {
  const state = await signIn(browser)
  cases = await chooseCases(browser, state)
  for (const { title } of cases) servers.push(await serveAsMp3(title, folder))
  for (let run = 0; run < runs; run++) {
    for (const [index, { title, hasTouch, mp3, mist, steps }] of cases.entries()) {
      const plain = await browser.newContext({ hasTouch })
      mp3.push(await clickToPlaying(await freshPage(plain, servers[index]!.url), 'Play', hasTouch))
      await plain.close()

      const product = await browser.newContext({ storageState: state, hasTouch })
      if (options.trace) await product.addInitScript(watchSteps)
      const page = await freshPage(product, stack.webUrl)
      mist.push(await clickToPlaying(page, `Play ${title}`, hasTouch))
      if (options.trace) steps.push(await page.evaluate(() => globalThis.startupSteps))
      // The last track of the page has none after it.
      if (index === 0) next.push(await endToPlaying(page, 12))
      // Refresh tokens rotate; keep what the page holds now.
      state.cookies = (await product.storageState()).cookies
      await product.close()
    }
    process.stdout.write(`${run + 1} `)
  }
} finally {
  await browser.close()
  for (const server of servers) await server.stop()
  await rm(folder, { recursive: true, force: true })
}

const ratios = cases.map(({ mist, mp3 }) => median(mist) / median(mp3))
console.log('\n')
printTable(
  ['click to playing', 'median ms', 'min', 'max', '÷ MP3'],
  [
    ...cases.flatMap(({ name, mp3, mist }, index) => [
      [`progressive MP3, ${name}`, ...spread(mp3), ''],
      [`MIST, ${name}`, ...spread(mist), ratios[index]!.toFixed(2)],
    ]),
    ['MIST, from the end of a track to the next', ...spread(next), ''],
  ],
)
for (const { name, steps } of options.trace ? cases : []) printSteps(name, steps)
console.log('\ngoals: ≤ 1.25 × MP3, with either track; the next one within 30 ms')
await writeReport(options.out, { benchmark: 'startup', runs, latencyMs, ratios, cases, next })

function spread(values: number[]): string[] {
  return [median(values), Math.min(...values), Math.max(...values)].map((ms) => ms.toFixed(0))
}

/** Prints when each step of the first run came, as the median of all runs that have it. */
function printSteps(name: string, runsSteps: Steps[]): void {
  const [first = []] = runsSteps
  const untilPlaying = first.slice(0, first.findIndex(([step]) => step === 'playing') + 1)
  console.log('')
  printTable(
    [`MIST, ${name}: step`, 'median ms after the click'],
    untilPlaying.map(([wanted], index) => {
      const nth = untilPlaying.slice(0, index).filter(([step]) => step === wanted).length
      const times = runsSteps.flatMap((steps) => {
        const at = steps.filter(([step]) => step === wanted)[nth]?.[1]
        return at === undefined ? [] : [at - steps[0]![1]]
      })
      return [wanted, median(times).toFixed(1)]
    }),
  )
}
