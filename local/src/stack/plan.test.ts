import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readPermissions } from '../cli/flags.ts'
import { NOTHING_ASKED, planStart, type Permissions } from './plan.ts'
import { readSettings } from './settings.ts'
import { openState } from './state.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-plan-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const { state } = openState(dir)

const DATABASE = { DATABASE_URL: 'postgres://owner:hush@db.example:5433/music?sslmode=require' }
const STORE = {
  S3_ENDPOINT: 'https://s3.example',
  S3_ACCESS_KEY_ID: 'an-id',
  S3_SECRET_ACCESS_KEY: 'hush',
}
const QUEUE = { REDIS_URL: 'rediss://someone:hush@redis.example:6380' }
const KEYS = { CONTENT_KEY_SECRET: `k1:${Buffer.alloc(32, 1).toString('base64')}` }
const EVERYTHING: Permissions = { migrate: true, accounts: true, demo: true, transcoder: true }

function plan(env: NodeJS.ProcessEnv, asked: Permissions = NOTHING_ASKED) {
  return planStart(readSettings(env, state), asked)
}

const OWN_DATABASE = { migrate: true, accounts: true, demo: false, transcoder: false }

test.for<[string, NodeJS.ProcessEnv, Permissions]>([
  ['nothing', {}, EVERYTHING],
  ['the database', DATABASE, NOTHING_ASKED],
  ['a Neon database', { DATABASE_URL: 'postgres://u:p@ep-1.aws.neon.tech/db' }, NOTHING_ASKED],
  ['the store', STORE, OWN_DATABASE],
  ['the queue', QUEUE, OWN_DATABASE],
  ['the store and the queue', { ...STORE, ...QUEUE }, OWN_DATABASE],
  ['the database and the store', { ...DATABASE, ...STORE, ...KEYS }, NOTHING_ASKED],
  ['the database and the queue', { ...DATABASE, ...QUEUE }, NOTHING_ASKED],
  ['all three', { ...DATABASE, ...STORE, ...QUEUE, ...KEYS }, NOTHING_ASKED],
  [
    "another stack's embedded database",
    { DATABASE_URL: 'postgres://postgres:x@127.0.0.1:5432/postgres' },
    NOTHING_ASKED,
  ],
])(
  'with %s elsewhere, and nothing asked for, only what is our own is written to',
  ([, env, want]) => {
    expect(plan(env)).toMatchObject(want)
  },
)

test.for<[string, NodeJS.ProcessEnv]>([
  ['all three', { ...DATABASE, ...STORE, ...QUEUE, ...KEYS }],
  ['the store', STORE],
  ['the queue', QUEUE],
])('with %s elsewhere, what is asked for is done', ([, env]) => {
  expect(plan(env, EVERYTHING)).toMatchObject(EVERYTHING)
})

test.for(['migrate', 'accounts'] as const)('--%s allows that and nothing else', (name) => {
  const asked = { ...NOTHING_ASKED, [name]: true }
  expect(plan({ ...DATABASE, ...STORE, ...KEYS }, asked)).toMatchObject(asked)
})

test.for<[string, NodeJS.ProcessEnv, Partial<Permissions>, RegExp]>([
  ['a transcoder without the originals', DATABASE, { transcoder: true }, /S3_ENDPOINT/],
  [
    'a transcoder with a content key that nobody else has',
    { ...DATABASE, ...STORE },
    { transcoder: true },
    /CONTENT_KEY_SECRET/,
  ],
  ['a demo without its admin', { ...DATABASE, ...STORE }, { demo: true }, /--accounts/],
  ['a demo that nobody transcodes', STORE, { demo: true }, /--transcoder/],
])('%s is refused with what to do', ([, env, asked, sentence]) => {
  expect(() => plan(env, { ...NOTHING_ASKED, ...asked })).toThrow(sentence)
})

test('where all is our own there is nothing to announce', () => {
  expect(plan({}).announcement).toEqual([])
})

test('what will be done, and what will not, is said with host and name, and without secrets', () => {
  const env = { ...DATABASE, ...STORE, ...QUEUE, ...KEYS }
  for (const asked of [NOTHING_ASKED, EVERYTHING]) {
    const text = plan(env, asked).announcement.join('\n')
    expect(text).toContain('db.example:5433/music')
    expect(text).toContain('s3.example')
    expect(text).toContain('redis.example:6380')
    for (const flag of Object.keys(asked)) expect(text).toContain(`--${flag}`)
    expect(text).not.toMatch(/hush|owner|someone|an-id/)
  }
})

test('tracks that cannot play here are named as such', () => {
  expect(plan(DATABASE).announcement.join('\n')).toMatch(/S3_ENDPOINT is not set.*do not play/)
  expect(plan({ ...DATABASE, ...STORE }).announcement.join('\n')).toMatch(
    /CONTENT_KEY_SECRET is not set.*do not play/,
  )
})

test('flags are read, and others are refused by name', () => {
  expect(readPermissions([])).toEqual(NOTHING_ASKED)
  expect(readPermissions(['--migrate', '--demo'])).toEqual({
    ...NOTHING_ASKED,
    migrate: true,
    demo: true,
  })
  for (const arg of ['--all', 'demo', '--toString', '--', '--migrate=false'])
    expect(() => readPermissions([arg])).toThrow(arg)
})
