import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const Login = z.object({ email: z.string(), username: z.string(), password: z.string() })
const Process = z.object({ pid: z.number(), startedAt: z.string() })

/** How far the import of one demo recording has come. */
const DemoTrack = z.object({ jobId: z.string(), isUploaded: z.boolean(), isDone: z.boolean() })

const State = z.object({
  ports: z.record(z.string(), z.number()).default({}),
  /** Which installation this stack is, where INSTALLATION_ID does not say it. */
  installationId: z.uuid().default(() => randomUUID()),
  secrets: z.object({
    jwtSecret: z.string(),
    contentKeySecret: z.string(),
    s3AccessKeyId: z.string(),
    s3SecretAccessKey: z.string(),
  }),
  admin: Login,
  listener: Login,
  demo: z.record(z.string(), DemoTrack).default({}),
  /** Into which database: another one knows nothing of it. */
  demoDatabase: z.string().default(''),
  /** In which database the two accounts are this stack's. */
  accountsDatabase: z.string().default(''),
  /** What was started and may still run after a crash. */
  processes: z.record(z.string(), Process).default({}),
})

/** What a stack remembers from one start to the next; all of it is made on the first. */
export type State = z.infer<typeof State>

/** Someone who can log in. */
export type Login = z.infer<typeof Login>

/** Keeps the state in `DIR/state.json`, readable by its owner only: it holds secrets. */
export function openState(dir: string) {
  const file = join(dir, 'state.json')
  const state = existsSync(file)
    ? State.parse(JSON.parse(readFileSync(file, 'utf8')))
    : makeFirstState()

  function save(): void {
    writePrivately(file, JSON.stringify(state, null, 2))
  }
  save()
  return { state, save }
}

function makeFirstState(): State {
  return State.parse({
    secrets: {
      jwtSecret: randomBytes(48).toString('base64'),
      contentKeySecret: `k1:${randomBytes(32).toString('base64')}`,
      s3AccessKeyId: randomBytes(10).toString('hex'),
      s3SecretAccessKey: randomBytes(20).toString('hex'),
    },
    admin: { email: 'admin@mist.example', username: 'admin', password: makePassword() },
    listener: { email: 'listener@mist.example', username: 'listener', password: makePassword() },
  })
}

/** 96 bits in letters that survive being read aloud and double-clicked. */
function makePassword(): string {
  return randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x')
}

/** Writes a file that only its owner may read, all at once: readers never see half of it. */
export function writePrivately(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const unfinished = `${file}.unfinished`
  writeFileSync(unfinished, text, { mode: 0o600 })
  chmodSync(unfinished, 0o600)
  renameSync(unfinished, file)
}
