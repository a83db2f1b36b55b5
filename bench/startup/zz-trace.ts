import { chromium } from 'playwright-core'
import { readFileSync } from 'node:fs'
const stack = JSON.parse(readFileSync(process.env.STACK_DIR + '/stack.json', 'utf8'))
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  ),
})
const c0 = await browser.newContext()
const p0 = await c0.newPage()
await p0.goto(`${stack.webUrl}/login`)
await p0.locator('input[name=email]').fill(stack.admin.email)
await p0.locator('input[name=password]').fill(stack.admin.password)
await p0.locator('button[type=submit]').click()
await p0.waitForURL((u) => !u.pathname.startsWith('/login'))
const state = await c0.storageState()
for (let k = 0; k < Number(process.argv[2] ?? 5); k++) {
  const c = await browser.newContext({ storageState: state })
  await c.addInitScript(() => {
    const T: [string, number][] = []
    ;(globalThis as any).T = T
    const mark = (n: string) => T.push([n, performance.now()])
    addEventListener(
      'click',
      () => {
        T.length = 0
        mark('click')
        performance.mark('m-click')
      },
      true,
    )
    const ab = SourceBuffer.prototype.appendBuffer
    SourceBuffer.prototype.appendBuffer = function (b: any) {
      mark('append ' + b.byteLength)
      performance.mark('m-append')
      this.addEventListener('updateend', () => mark('updateend'), { once: true })
      return ab.call(this, b)
    }
    const d = crypto.subtle.decrypt.bind(crypto.subtle)
    crypto.subtle.decrypt = ((...a: any) => {
      mark('decrypt')
      return (d as any)(...a).then((x: any) => {
        mark('decrypted')
        return x
      })
    }) as any
    const imp = crypto.subtle.importKey.bind(crypto.subtle)
    crypto.subtle.importKey = ((...a: any) => {
      mark('import')
      return (imp as any)(...a)
    }) as any
    const f = fetch
    globalThis.fetch = (async (...a: any) => {
      const u = String(a[0].url ?? a[0])
        .split('/')
        .slice(-2)
        .join('/')
        .slice(0, 50)
      mark('fetch ' + u)
      const r = await (f as any)(...a)
      mark('headers ' + u)
      const j = r.json.bind(r),
        ab = r.arrayBuffer.bind(r)
      r.json = async () => {
        const x = await j()
        mark('json ' + u)
        return x
      }
      r.arrayBuffer = async () => {
        const x = await ab()
        mark('bytes ' + u)
        return x
      }
      return r
    }) as any
    const seen = new WeakSet()
    const pl = HTMLMediaElement.prototype.play
    HTMLMediaElement.prototype.play = function () {
      mark('play()')
      performance.mark('m-play')
      if (!seen.has(this)) {
        seen.add(this)
        for (const e of [
          'loadedmetadata',
          'canplay',
          'playing',
          'waiting',
          'seeking',
          'loadeddata',
          'durationchange',
        ])
          this.addEventListener(e, () => {
            mark(e)
            performance.mark('m-' + e)
          })
      }
      return pl.call(this)
    }
  })
  const page = await c.newPage()
  const dev = await c.newCDPSession(page)
  await dev.send('Network.enable')
  await dev.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 40,
    downloadThroughput: -1,
    uploadThroughput: -1,
  })
  await page.goto(stack.webUrl, { waitUntil: 'networkidle' })
  await page.waitForTimeout(700)
  if (process.argv[3] === 'hover') {
    await page.getByRole('button', { name: 'Play Amazing Plan' }).first().hover()
    await page.waitForTimeout(400)
  }
  await browser.startTracing(page, {
    path: `/tmp/s3/tr${k}.json`,
    categories: [
      'devtools.timeline',
      'disabled-by-default-devtools.timeline',
      'blink.user_timing',
      'media',
      'toplevel',
      'v8',
      'disabled-by-default-v8.cpu_profiler',
      'loading',
      'netlog',
    ],
  })
  await page.waitForTimeout(800)
  await page.getByRole('button', { name: 'Play Amazing Plan' }).first().click()
  await page.waitForFunction(() => (globalThis as any).T.some((x: any) => x[0] === 'playing'))
  await page.waitForTimeout(50)
  await browser.stopTracing()
  const t = (await page.evaluate(() => (globalThis as any).T)) as [string, number][]
  const t0 = t[0]![1]
  console.log(t.map(([n, x]) => `${(x - t0).toFixed(1)} ${n}`).join(' | '))
  console.log()
  state.cookies = (await c.storageState()).cookies
  await c.close()
}
await browser.close()
