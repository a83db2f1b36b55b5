import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from '@mist/db/migrate'
import { importDemo } from '../demo/import.ts'
import { buildEdge } from '../edge/build.ts'
import { LockedError, takeLock } from '../process/folder-lock.ts'
import { choosePorts, isPortFree } from '../process/ports.ts'
import { terminateStray } from '../process/terminate.ts'
import { ensureAccounts, type Accounts } from './accounts.ts'
import { makeApi, type Api } from './api.ts'
import { writeDevVars } from './dev-vars.ts'
import { startDatabase, startRedis, startStore } from './backing-services.ts'
import { baseEnv, QUIET_WRANGLER, sharedEnv, toolEnv } from './environment.ts'
import { writeStackInfo, type StackInfo } from './info.ts'
import { checkBuckets } from './buckets.ts'
import { makeLauncher } from './launcher.ts'
import { NOTHING_ASKED, planStart, type Permissions, type Plan } from './plan.ts'
import { makePatientWriter, makePrivateFolder } from './private-files.ts'
import { isHealthy } from './probes.ts'
import { requireCurrentSchema } from './schema-state.ts'
import { readSettings } from './settings.ts'
import { openState, type Login, type State } from './state.ts'

/** What {@link startStack} needs. */
export type StackOptions = {
  /** The repository. */
  root: string
  /** Where everything of this stack lives; several stacks have several folders. */
  dir: string
  /** What names parts that are elsewhere: DATABASE_URL, REDIS_URL, S3_ENDPOINT and so on. */
  env: NodeJS.ProcessEnv
  /** What may be done to those; nothing, when not given. */
  permissions?: Permissions
  say: (text: string) => void
  /** Called once the pages can be used, before the demo catalogue is in. */
  onUsable?: (info: StackInfo) => void
  /** Ends a start that is under way. */
  signal?: AbortSignal
}

/** A running stack. */
export type Stack = { info: StackInfo; stop: () => Promise<void> }

/** Thrown when the folder's stack runs already. */
export class AlreadyUp extends Error {
  constructor(dir: string) {
    super(`a stack is up already in ${dir}`)
    this.name = 'AlreadyUp'
  }
}

const PORT_NAMES = ['web', 'api', 'postgres', 'neon', 's3', 'redis', 'metrics'] as const
/** A port that is easy to remember, taken on the first start when it is free. */
const FRIENDLY_WEB_PORT = 8787

/**
 * Starts all of MIST on this machine, in the order in which the parts need one another, and brings
 * the demo catalogue in on the first start. What is not the stack's own is only used, unless
 * `permissions` say more.
 *
 * @throws AlreadyUp when the folder's stack is running
 * @throws CannotStart with what a person has to do first
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { root, dir, env, say, onUsable, permissions = NOTHING_ASKED } = options
  const { signal = new AbortController().signal } = options
  makePrivateFolder(dir, join(root, '.local'))
  const unlock = lock(dir)
  const files = makePatientWriter({ say })
  const { state, save } = openOrUnlock(() => openState(dir, files.write), unlock)
  /** Writes stack.json anew; there is nothing to write before all parts are up. */
  let publish: (() => void) | null = null

  const launcher = makeLauncher({
    root,
    dir,
    env,
    say,
    signal,
    onStarted: (name, identity) => {
      state.processes[name] = identity
      save()
      publish?.()
    },
  })

  async function stop(): Promise<void> {
    publish = null
    await launcher.stop()
    state.processes = {}
    save()
    files.stop()
    rmSync(join(dir, 'stack.json'), { force: true })
    unlock()
  }

  try {
    rmSync(join(dir, 'stack.json'), { force: true }) // a killed run's
    for (const stray of Object.values(state.processes)) await terminateStray(stray, 5_000)
    state.processes = {}
    if (state.ports['web'] === undefined && (await isPortFree(FRIENDLY_WEB_PORT)))
      state.ports['web'] = FRIENDLY_WEB_PORT
    const settings = readSettings(env, state)
    const plan = planStart(settings, permissions)
    plan.announcement.forEach(say)
    if (settings.database.kind !== 'embedded' && !plan.migrate)
      await requireCurrentSchema(settings.database.url)
    const ports = portsOf(await choosePorts(PORT_NAMES, state.ports))
    state.ports = ports
    save()

    const bundles = buildEdge({
      root,
      buildDir: join(root, '.local/build'),
      env: toolEnv(env),
      say,
    })
    bundles.catch(() => {}) // awaited below; a failure must not count as unhandled until then

    const service = { launcher, settings, dir, ports, say }
    const databaseUrl = await startDatabase(service)
    if (plan.migrate) await migrate(databaseUrl)

    const webUrl = `http://localhost:${ports.web}`
    const webOrigins = `${webUrl},http://127.0.0.1:${ports.web}`
    const s3 = await startStore(service, { webOrigins, latencyMs: env['S3_LATENCY_MS'] })
    const redisUrl = await startRedis(service)

    const shared = sharedEnv(settings, s3, databaseUrl)
    // A store of this stack's own is its own; another one's owner must be known first.
    if (plan.transcoder || s3.kind === 'external')
      await checkBuckets({
        root,
        env: { ...baseEnv(env), ...shared },
        kind: s3.kind,
        mayClaim: plan.transcoder,
        say,
      })
    if (plan.transcoder) {
      say('starting the transcoder')
      await launcher.start('transcoder', {
        command: process.execPath,
        args: [join(root, 'transcoder/src/main.ts')],
        env: {
          // After Ctrl-C nobody wants to wait for a long track: its job is handed back.
          SHUTDOWN_GRACE_S: '8',
          ...shared,
          REDIS_URL: redisUrl,
          METRICS_PORT: String(ports.metrics),
          WORK_DIR: join(dir, 'work'),
        },
        isReady: () => isHealthy(`http://127.0.0.1:${ports.metrics}/healthz`),
        stopWithinMs: 20_000,
      })
    }

    const apiUrl = `http://127.0.0.1:${ports.api}`
    const edge = {
      bundles: await bundles,
      apiPort: ports.api,
      webPort: ports.web,
      rateLimitFactor: 100,
      runsSchedules: plan.transcoder,
      webEnv: {
        S3_PUBLIC_ENDPOINT: s3.publicEndpoint ?? s3.endpoint,
        ...(settings.mediaBaseUrl !== null && { MEDIA_BASE_URL: settings.mediaBaseUrl }),
      },
      apiEnv: {
        ...shared,
        ...(settings.database.kind !== 'neon' && {
          NEON_PROXY_URL: `http://127.0.0.1:${ports.neon}`,
        }),
        ...(s3.publicEndpoint !== null && { S3_PUBLIC_ENDPOINT: s3.publicEndpoint }),
        ...(settings.mediaBaseUrl !== null && { MEDIA_BASE_URL: settings.mediaBaseUrl }),
        JWT_SECRET: settings.jwtSecret,
        WEB_ORIGINS: webOrigins,
      },
    }
    writeDevVars(dir, edge.apiEnv)
    say('starting the Worker and the web app (workerd)')
    await launcher.startOurs(
      'edge',
      [],
      { ...QUIET_WRANGLER, MIST_EDGE: JSON.stringify(edge) },
      async () => {
        const [api, web] = [
          `${apiUrl}/api/v1/openapi.json`,
          `http://127.0.0.1:${ports.web}/robots.txt`,
        ]
        return (await isHealthy(api)) && (await isHealthy(web))
      },
    )

    // Not the address itself: it may hold a password, and the embedded one's port may change.
    const database =
      settings.database.kind === 'embedded'
        ? 'embedded'
        : createHash('sha256').update(databaseUrl).digest('hex')
    const api = makeApi({ origin: apiUrl })
    const { admin, listener } = await accountsOf({ plan, api, databaseUrl, database, state, say })

    const info: StackInfo = {
      ready: false,
      webUrl,
      apiUrl,
      mediaUrl: settings.mediaBaseUrl ?? `${webUrl}/api/v1/media`,
      s3: {
        endpoint: s3.endpoint,
        bucket: s3.bucket,
        accessKeyId: s3.accessKeyId,
        secretAccessKey: s3.secretAccessKey,
      },
      databaseUrl,
      redisUrl,
      admin: credentialsOf(admin),
      listener: credentialsOf(listener),
      pids: {},
    }
    publish = () => {
      info.pids = { supervisor: process.pid }
      for (const [name, { pid }] of Object.entries(state.processes)) info.pids[name] = pid
      writeStackInfo(dir, info, files.write)
    }
    publish()
    onUsable?.(info)

    if (plan.demo && admin !== null) {
      if (state.demoDatabase !== database)
        Object.assign(state, { demo: {}, demoDatabase: database })
      const demo = importDemo({
        api,
        admin,
        demoDir: join(root, 'local/demo'),
        ffmpegPath: env['FFMPEG_PATH'] ?? 'ffmpeg',
        ffprobePath: env['FFPROBE_PATH'] ?? 'ffprobe',
        progress: state.demo,
        save,
        say,
        signal,
      })
      await demo.catch((error: unknown) => {
        signal.throwIfAborted()
        // A stack without its demo is still one that a person can use, and look for the reason in.
        say(error instanceof Error ? error.message : String(error))
      })
    } else if (plan.demo) say('without the admin of this stack no demo catalogue can be uploaded')
    info.ready = true
    publish()
    return { info, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Makes the accounts where that is planned; else names those that an earlier start has made. */
async function accountsOf(options: {
  plan: Plan
  api: Api
  databaseUrl: string
  /** Which database it is, as noted in the state. */
  database: string
  state: State
  say: (text: string) => void
}): Promise<Accounts> {
  const { plan, api, databaseUrl, database, state, say } = options
  const logins = { admin: state.admin, listener: state.listener }
  if (!plan.accounts)
    return state.accountsDatabase === database ? logins : { admin: null, listener: null }
  const accounts = await ensureAccounts({ api, databaseUrl, logins, say })
  if (accounts.admin !== null && accounts.listener !== null) state.accountsDatabase = database
  return accounts
}

function credentialsOf(login: Login | null) {
  return login === null ? null : { email: login.email, password: login.password }
}

function openOrUnlock<T>(open: () => T, unlock: () => void): T {
  try {
    return open()
  } catch (error) {
    unlock()
    throw error
  }
}

function lock(dir: string): () => void {
  try {
    return takeLock(join(dir, 'stack.lock'))
  } catch (error) {
    if (error instanceof LockedError) throw new AlreadyUp(dir)
    throw error
  }
}

function portsOf(chosen: Record<string, number>): Record<(typeof PORT_NAMES)[number], number> {
  const port = (name: string) => chosen[name] ?? 0
  return {
    web: port('web'),
    api: port('api'),
    postgres: port('postgres'),
    neon: port('neon'),
    s3: port('s3'),
    redis: port('redis'),
    metrics: port('metrics'),
  }
}
