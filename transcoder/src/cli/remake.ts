/**
 * `npm run remake -- [retranscode|reembed|retag] [--status|--pause|--resume|--stop]`: makes the whole
 * catalogue anew, in the background; running transcoders do the work, behind what people upload. `npm run
 * retranscode`, `reembed` and `retag` are short for it. Reads DATABASE_URL.
 */
import { parseArgs } from 'node:util'
import { RemakeKind } from '@mist/db/contract'
import { openDatabase } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'
import { makeRemakes, type RemakeStatus } from '../remake.ts'

const USAGE = `usage: DATABASE_URL=postgres://… npm run remake -- [KIND] [--status|--pause|--resume|--stop]

KIND is one of
  retranscode   all media from the originals (the default)
  reembed       what is heard, without encoding: features, embedding, where a preview begins
  retag         what the tags say, without decoding: names, lyrics, colours of covers`

const ACTIONS = ['status', 'pause', 'resume', 'stop'] as const

function usage(): never {
  console.error(USAGE)
  process.exit(2)
}

function readArguments() {
  const off = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      allowPositionals: true,
      options: { status: off, pause: off, resume: off, stop: off },
    })
  } catch {
    return usage()
  }
}

const { values, positionals } = readArguments()
const kind = RemakeKind.safeParse(positionals[0] ?? 'retranscode')
const [action = 'start', ...more] = ACTIONS.filter((name) => values[name])
const url = process.env['DATABASE_URL']
if (!kind.success || positionals.length > 1 || more.length > 0 || url === undefined) usage()

function describe(status: RemakeStatus): string {
  const { total, left, failed, inFlight, startedAt } = status
  const done = total - left - failed
  const hours = (Date.now() - startedAt.getTime()) / 3_600_000
  const share = total === 0 ? 100 : Math.floor((100 * (total - left)) / total)
  const lines = [
    `${status.kind}: ${status.state}, ${share} %: ${done} of ${total} tracks are made, ${left} are left, ${inFlight} of them queued or under way`,
  ]
  if (status.state === 'under way' && done > 0 && left > 0) {
    lines.push(`  some ${((left * hours) / done).toFixed(1)} hours more, after ${hours.toFixed(1)}`)
  }
  const reasons = Object.entries(status.failures).map(([code, times]) => `${times} × ${code}`)
  if (failed > 0)
    lines.push(`  ${failed} could not be made and stay as they are: ${reasons.join(', ')}`)
  return lines.join('\n')
}

const SAID = {
  start: ['started', 'under way or paused already (--status tells, --resume goes on)'],
  pause: ['paused; what runs comes to its end', 'not under way'],
  resume: ['goes on', 'not paused'],
  stop: ['stopped; what is made stays', 'not under way'],
}

const { db, close } = openDatabase({ url, connections: 1, log: makeLog('warn') })
try {
  const remakes = makeRemakes(db)
  if (action !== 'status') {
    const did = await remakes[action](kind.data, { command: `npm run remake -- ${kind.data}` })
    console.log(`${kind.data}: ${SAID[action][did ? 0 : 1]}`)
  }
  const known = await remakes.status()
  for (const status of known) console.log(describe(status))
  if (known.length === 0) console.log('nothing is being made anew')
} finally {
  await close()
}
