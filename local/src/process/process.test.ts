import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { lockHolder, takeLock } from './folder-lock.ts'
import { identify, isAlive, type ProcessIdentity } from './identity.ts'
import { startPart, type PartOptions } from './part.ts'
import { choosePorts } from './ports.ts'
import { terminateStray } from './terminate.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-process-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let made = 0
/** A part that runs a line of shell and notes its processes. */
function shellPart(script: string, changes: Partial<PartOptions> = {}) {
  const logFile = join(dir, `part-${++made}.log`)
  const started: ProcessIdentity[] = []
  const options: PartOptions = {
    name: 'part',
    command: 'sh',
    args: ['-c', script],
    env: process.env,
    cwd: dir,
    logFile,
    isReady: async () => readFileSync(logFile, 'utf8').includes('ready'),
    onStarted: (_name, identity) => started.push(identity),
    say: () => {},
    ...changes,
  }
  return { options, started, log: () => readFileSync(logFile, 'utf8') }
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !holds(); await sleep(20))
    if (Date.now() > deadline) throw new Error('it did not come true')
}

test('a part that ends by itself is started again', async () => {
  const { options, started } = shellPart('echo ready; sleep 0.2')
  const part = await startPart(options)
  await until(() => started.length >= 2)
  await part.stop()
  const count = started.length
  await sleep(700)
  expect(started.length).toBe(count)
  expect(started.some(isAlive)).toBe(false)
})

test('stopping a part stops what it has started itself, stubborn or not', async () => {
  const script = 'sh -c "trap : TERM; echo child $$; while :; do sleep 1; done" & echo ready; wait'
  const { options, started, log } = shellPart(script, { stopWithinMs: 300 })
  const part = await startPart(options)
  await until(() => log().includes('child'))
  const group = started[0]?.pid ?? 0
  await part.stop()
  await until(() => !isGroupAlive(group))
  expect(started.some(isAlive)).toBe(false)
})

test('a part that ends before it is ready fails with the end of its log', async () => {
  const { options } = shellPart('echo the reason; exit 3')
  await expect(startPart(options)).rejects.toThrow(/ended[\s\S]*the reason/)
})

test('a part that never gets ready is given up and killed', async () => {
  const { options, started } = shellPart('sleep 60', { readyWithinMs: 300 })
  await expect(startPart(options)).rejects.toThrow(/did not answer/)
  expect(started.some(isAlive)).toBe(false)
})

test('a program that is not there is an error, not a wait', async () => {
  const { options } = shellPart('', { command: join(dir, 'nothing'), readyWithinMs: 2_000 })
  await expect(startPart(options)).rejects.toThrow(/part/)
})

test('a stray process is ended, another one that got its pid is not', async () => {
  const stray = spawn('sleep', ['60'], { detached: true })
  const identity = identify(stray.pid ?? 0)
  if (identity === null) throw new Error('sleep did not start')
  await terminateStray({ ...identity, startedAt: 'another time' }, 1_000)
  expect(isAlive(identity)).toBe(true)
  await terminateStray(identity, 1_000)
  expect(isAlive(identity)).toBe(false)
})

test('a lock is held once, and a dead holder does not hold it', () => {
  const file = join(dir, 'a.lock')
  const unlock = takeLock(file)
  expect(() => takeLock(file)).toThrow(/is held by process/)
  expect(lockHolder(file)?.pid).toBe(process.pid)
  unlock()
  expect(lockHolder(file)).toBeNull()
  writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
  takeLock(file)()
})

test('remembered ports are kept where they are free, and no port is given twice', async () => {
  const first = await choosePorts(['a', 'b'], {})
  expect(first['a']).not.toBe(first['b'])
  expect(await choosePorts(['a', 'b'], first)).toEqual(first)
  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(first['a'], '127.0.0.1', resolve))
  const second = await choosePorts(['a', 'b'], first)
  expect(second['a']).not.toBe(first['a'])
  expect(second['b']).toBe(first['b'])
  await new Promise((resolve) => squatter.close(resolve))
})

function isGroupAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0)
    return true
  } catch {
    return false
  }
}
