import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CannotStart } from '../cannot-start.ts'
import { isAlive, type ProcessIdentity } from '../process/identity.ts'
import { writePrivately, type WriteFile } from './private-files.ts'

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

/** An account that can log in. */
export type Login = z.infer<typeof Login>

/**
 * Keeps the state in `DIR/state.json`, readable by its owner only: it holds secrets.
 *
 * @param write how it is written later on; at first it must succeed, for nothing of it is made twice
 * @throws CannotStart when there is a state that can't be read
 */
export function openState(dir: string, write: WriteFile = writePrivately) {
  const file = join(dir, 'state.json')
  const state = existsSync(file) ? readState(file) : makeFirstState()
  const textOf = () => JSON.stringify(state, null, 2)
  writePrivately(file, textOf())
  return { state, save: () => write(file, textOf()) }
}

function readState(file: string): State {
  try {
    return State.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    throw new CannotStart(
      `${file} can't be read, and it holds the keys of what is stored: put a good copy there, or begin anew with npm run stack -- reset`,
    )
  }
}

/** The parts that a stack has started and that still run, by name, in the order of their start. */
export function livingParts(dir: string): [name: string, identity: ProcessIdentity][] {
  try {
    const { processes } = readState(join(dir, 'state.json'))
    return Object.entries(processes).filter(([, identity]) => isAlive(identity))
  } catch {
    return [] // no state, or none that can be read
  }
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
