import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { down, stackCommand } from '../cli/stack.ts'
import { identify, isAlive } from '../process/identity.ts'
import { startPart } from '../process/part.ts'
import { makePatientWriter, makePrivateFolder } from './private-files.ts'
import { openState } from './state.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-files-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const modeOf = (file: string) => statSync(file).mode & 0o777

test('a full disk is said once, and the newest text is written when there is room', async () => {
  const said: string[] = []
  const written: [string, string][] = []
  let isFull = true
  const writer = makePatientWriter({
    say: (text) => said.push(text),
    write: (file, text) => {
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
      written.push([file, text])
    },
    retryMs: 20,
  })
  writer.write('state.json', 'old')
  writer.write('state.json', 'new')
  writer.write('stack.json', 'other')
  await sleep(60)
  expect(said).toEqual([expect.stringContaining('ENOSPC')])
  isFull = false
  await sleep(60)
  expect(written).toEqual([
    ['state.json', 'new'],
    ['stack.json', 'other'],
  ])
  expect(said).toHaveLength(2)
  isFull = true
  writer.write('state.json', 'never')
  writer.stop()
  isFull = false
  await sleep(60)
  expect(written).toHaveLength(2)
})

/** A real file system of 64 KB, where this is root on Linux and may mount; else `null`. */
function mountSmall(): string | null {
  const folder = join(dir, 'small')
  mkdirSync(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    return null
  }
}
const small = mountSmall()
afterAll(() => {
  if (small !== null) execFileSync('umount', ['-l', small])
})

test.runIf(small)(
  'on a disk that is really full the old state stays whole, and parts start',
  async () => {
    const folder = small ?? ''
    const said: string[] = []
    const say = (text: string) => said.push(text)
    const writer = makePatientWriter({ say, retryMs: 20 })
    const { state, save } = openState(folder, writer.write)
    const before = readFileSync(join(folder, 'state.json'), 'utf8')
    const filler = join(folder, 'filler')
    expect(() => writeFileSync(filler, Buffer.alloc(200_000))).toThrow(/ENOSPC/)

    state.ports['web'] = 4321
    save()
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).toBe(before)
    expect(existsSync(join(folder, 'state.json.unfinished'))).toBe(false)
    const part = await startPart({
      name: 'part',
      command: 'sleep',
      args: ['60'],
      env: process.env,
      cwd: dir,
      logFile: join(folder, 'logs/part.log'),
      isReady: async () => true,
      onStarted: save,
      say,
    })
    await part.stop()

    rmSync(filler)
    await sleep(100)
    expect(openState(folder).state.ports['web']).toBe(4321)
    writer.stop()
    expect(said.filter((text) => text.includes('state.json'))).toHaveLength(1)
  },
)

test('a state that is cut off is a sentence, and down does not need it', async () => {
  const folder = join(dir, 'cut')
  openState(folder)
  writeFileSync(join(folder, 'state.json'), '{"ports": {')
  expect(() => openState(folder)).toThrow(/can't be read.*reset/)
  expect(await down(folder)).toBe('no stack is up')
})

test("folders made earlier with other modes become their owner's only", () => {
  const home = join(dir, '.local')
  for (const folder of [home, join(home, 'dev')]) {
    mkdirSync(join(folder, 'logs'), { recursive: true })
    for (const name of ['state.json', 'stack.json', 'logs/stack.log']) {
      writeFileSync(join(folder, name), '{}')
      chmodSync(join(folder, name), 0o644)
    }
    chmodSync(folder, 0o777)
  }
  makePrivateFolder(join(home, 'dev'), home)
  expect(modeOf(home)).toBe(0o700)
  expect(modeOf(join(home, 'dev'))).toBe(0o700)
  for (const name of ['state.json', 'stack.json', 'logs/stack.log'])
    expect(modeOf(join(home, 'dev', name))).toBe(0o600)
})

test("a folder that is not a stack's keeps its mode, a new one is private", () => {
  const home = join(dir, 'home')
  const others = join(dir, 'others')
  mkdirSync(others)
  writeFileSync(join(others, 'letter.txt'), '')
  chmodSync(others, 0o755)
  makePrivateFolder(others, home)
  expect(modeOf(others)).toBe(0o755)
  makePrivateFolder(join(dir, 'fresh'), home)
  expect(modeOf(join(dir, 'fresh'))).toBe(0o700)
  expect(existsSync(home)).toBe(false)
})

test('after the supervisor was killed, status names the parts that live on, and down stops them', async () => {
  const folder = join(dir, 'killed')
  const part = spawn('sleep', ['60'], { detached: true })
  const stranger = spawn('sleep', ['60'], { detached: true })
  const [own, other] = [part, stranger].map(({ pid }) => identify(pid ?? 0))
  if (!own || !other) throw new Error('sleep did not start')
  const { state, save } = openState(folder)
  // The second pid was a part's once, and is somebody else's now.
  state.processes = { redis: own, transcoder: { ...other, startedAt: 'another time' } }
  save()
  const said: string[] = []
  const options = { root: dir, dir: folder, say: (text: string) => said.push(text) }

  expect(await stackCommand({ ...options, args: ['status'] })).toBe(1)
  expect(said.join('\n')).toMatch(/live on[\s\S]*redis/)
  expect(said.join('\n')).not.toContain('transcoder')
  expect(await down(folder)).toMatch(/left running: redis$/)
  expect([isAlive(own), isAlive(other)]).toEqual([false, true])
  expect(await down(folder)).toBe('no stack is up')
  stranger.kill('SIGKILL')
})
