import { expect, test } from 'vitest'
import type { Job } from '../lib/api-types.ts'
import { initialUploads, PARALLEL_UPLOADS, stepUploads, tallyOf } from './machine.ts'
import type { ChosenFile, UploadEffect, UploadEvent, UploadState } from './machine.ts'

function run(events: UploadEvent[], from: UploadState = initialUploads) {
  let state = from
  const effects: UploadEffect[] = []
  for (const event of events) {
    const next = stepUploads(state, event)
    state = next.state
    effects.push(...next.effects)
  }
  const phases = Object.fromEntries(state.items.map(({ id, phase }) => [id, phase.kind]))
  return { state, effects, phases }
}

function file(id: string, refusal: string | null = null): ChosenFile {
  return { id, name: `${id}.flac`, sizeBytes: 1000, refusal }
}

function job(id: string, change: Partial<Job> = {}): Job {
  return {
    id: id as Job['id'],
    status: 'queued',
    step: null,
    progress: 0,
    attempts: 0,
    trackId: 'track' as Job['trackId'],
    error: null,
    createdAt: '2026-01-01T00:00:00Z',
    startedAt: null,
    completedAt: null,
    kind: 'ingest',
    uploadId: `upload-${id}` as Job['uploadId'],
    filename: `${id}.flac`,
    ...change,
  }
}

const FORTY = Array.from({ length: 40 }, (_, number) => file(`f${number}`))
const CHOSEN: UploadEvent = { type: 'chosen', files: [file('a')] }
const CREATED: UploadEvent = { type: 'created', id: 'a', uploadId: 'u', jobId: 'j' }
const QUEUED: UploadEvent = { type: 'queued', id: 'a' }

test('of forty files three are sent at a time', () => {
  const { state, effects } = run([{ type: 'chosen', files: FORTY }])
  expect(effects).toHaveLength(PARALLEL_UPLOADS)
  expect(state.items.filter(({ phase }) => phase.kind === 'sending')).toHaveLength(3)
  expect(tallyOf(state)).toMatchObject({ underway: 40 })
})

test('forty files all get their turn, whether those before them arrive or fail', () => {
  let { state, effects } = run([{ type: 'chosen', files: FORTY }])
  const sent: string[] = []
  let most = 0
  while (effects.length > 0) {
    const effect = effects.shift()
    if (effect?.type !== 'send') continue
    sent.push(effect.id)
    most = Math.max(most, state.items.filter(({ phase }) => phase.kind === 'sending').length)
    const end: UploadEvent =
      sent.length % 4 === 0
        ? { type: 'failed', id: effect.id, sentence: 'x', mayRetry: true }
        : { type: 'queued', id: effect.id }
    const next = run([end], state)
    state = next.state
    effects.push(...next.effects)
  }
  expect(sent.toSorted()).toEqual(FORTY.map(({ id }) => id).toSorted())
  expect(most).toBe(3)
  expect(tallyOf(state)).toEqual({ underway: 0, processing: 30, done: 0, failed: 10 })
})

test('a file that cannot be uploaded is refused at once and does not take a turn', () => {
  const { effects, state } = run([{ type: 'chosen', files: [file('t', 'Not audio.'), file('a')] }])
  expect(effects).toEqual([{ type: 'send', id: 'a', uploadId: null }])
  expect(state.items[0]?.phase).toEqual({ kind: 'failed', sentence: 'Not audio.', retry: null })
})

test('bytes, then steps, then a track', () => {
  const seen = [
    CHOSEN,
    CREATED,
    { type: 'sent', id: 'a', sentBytes: 400 },
    { type: 'stored', id: 'a' },
    QUEUED,
    { type: 'jobs', jobs: [job('j', { status: 'processing', step: 'encode', progress: 0.5 })] },
    { type: 'jobs', jobs: [job('j', { status: 'completed', progress: 1 })] },
  ] satisfies UploadEvent[]
  const phases = seen.map((_, index) => run(seen.slice(0, index + 1)).state.items[0]?.phase)
  expect(phases).toEqual([
    { kind: 'sending', sentBytes: 0 },
    { kind: 'sending', sentBytes: 0 },
    { kind: 'sending', sentBytes: 400 },
    { kind: 'completing' },
    { kind: 'processing', step: null, progress: 0 },
    { kind: 'processing', step: 'encode', progress: 0.5 },
    { kind: 'done', trackId: 'track' },
  ])
})

test('while a file is being sent, its job does not override the state of the page', () => {
  const { phases } = run([
    CHOSEN,
    CREATED,
    { type: 'jobs', jobs: [job('j', { status: 'pending_upload' })] },
  ])
  expect(phases).toEqual({ a: 'sending' })
})

test('an interrupted upload continues with the stored parts when retried', () => {
  const { effects } = run([
    CHOSEN,
    CREATED,
    { type: 'failed', id: 'a', sentence: 'The connection was lost.', mayRetry: true },
    { type: 'retry', id: 'a' },
  ])
  expect(effects.at(-1)).toEqual({ type: 'send', id: 'a', uploadId: 'u' })
})

test('a failed job can be retried without sending the file again', () => {
  const failed = job('j', { status: 'failed', error: { code: 'timed-out', detail: 'Too slow.' } })
  const { effects, phases } = run([
    CHOSEN,
    CREATED,
    QUEUED,
    { type: 'jobs', jobs: [failed] },
    { type: 'retry', id: 'a' },
  ])
  expect(effects.at(-1)).toEqual({ type: 'retry-job', id: 'a', jobId: 'j' })
  expect(phases).toEqual({ a: 'processing' })
})

test.each(['not-audio', 'empty-file', 'too-long'])(
  'a file that is %s cannot be tried again',
  (code) => {
    const failed = job('j', { status: 'failed', error: { code, detail: 'Because.' } })
    const { state, effects } = run([
      { type: 'jobs', jobs: [failed] },
      { type: 'retry', id: 'j' },
    ])
    expect(state.items[0]?.phase).toEqual({ kind: 'failed', sentence: 'Because.', retry: null })
    expect(effects).toEqual([])
  },
)

test('after a reload the jobs of earlier visits are listed and polled', () => {
  const { phases, effects } = run([
    {
      type: 'jobs',
      jobs: [
        job('one', { status: 'processing', step: 'probe' }),
        job('two', { status: 'completed' }),
      ],
    },
  ])
  expect(phases).toEqual({ one: 'processing', two: 'done' })
  expect(effects).toEqual([{ type: 'poll-jobs' }])
})

test('choosing the file of an unfinished upload again continues that upload', () => {
  const { state, effects } = run([
    { type: 'jobs', jobs: [job('a', { status: 'pending_upload' })] },
    { type: 'chosen', files: [{ ...file('new'), name: 'a.flac' }] },
  ])
  expect(effects).toEqual([{ type: 'send', id: 'new', uploadId: 'upload-a' }])
  expect(state.items.map(({ id }) => id)).toEqual(['new'])
})

test('cancelling stops the sending and lets the next file go', () => {
  const { effects } = run([
    { type: 'chosen', files: FORTY.slice(0, 4) },
    { type: 'remove', id: 'f0' },
  ])
  expect(effects.slice(3)).toEqual([
    { type: 'abort', id: 'f0' },
    { type: 'send', id: 'f3', uploadId: null },
  ])
})

test('events of a removed file are ignored', () => {
  const { state } = run([
    CHOSEN,
    { type: 'remove', id: 'a' },
    { type: 'sent', id: 'a', sentBytes: 9 },
    { type: 'failed', id: 'a', sentence: 'x', mayRetry: true },
  ])
  expect(state.items).toEqual([])
})
