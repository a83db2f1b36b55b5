import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts the CPU time of processes in hundredths of a second (USER_HZ). */
const TICKS_PER_S = 100

/** How often memory is looked at. */
const SAMPLE_MS = 500

export type Cost = {
  /** User and system seconds of this process and of all children that ended meanwhile. */
  cpuS: number
  /** This process's part of it. */
  ownCpuS: number
  wallS: number
  /** Highest resident memory of this process, its ffmpeg children and the tag reader together, MB. */
  peakMb: number
}

/** CPU seconds so far: this process's own, those of children that have ended, and the tag reader's. */
export function cpuSoFar(): { ownS: number; childrenS: number } {
  const { user, system } = process.cpuUsage()
  return { ownS: (user + system) / 1e6, childrenS: childrenCpuS() }
}

/** Runs `work` and tells what it cost (Linux: it reads /proc). */
export async function measure<T>(work: () => Promise<T>): Promise<{ result: T; cost: Cost }> {
  let peakMb = 0
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb())
  }, SAMPLE_MS)
  const before = cpuSoFar()
  const startedAt = performance.now()
  try {
    const result = await work()
    const wallS = (performance.now() - startedAt) / 1000
    const { ownS, childrenS } = cpuSoFar()
    const ownCpuS = ownS - before.ownS
    return {
      result,
      cost: { cpuS: ownCpuS + childrenS - before.childrenS, ownCpuS, wallS, peakMb },
    }
  } finally {
    clearInterval(timer)
  }
}

/** The middle value; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

/**
 * CPU seconds of children that were waited for (fields 16 and 17 of /proc/self/stat), and of the tag
 * reader, which lives on. The stack's parts are children as well, and none of the job.
 */
function childrenCpuS(): number {
  const ended = ticks('/proc/self/stat', [13, 14])
  const living = children().filter((pid) => read(`/proc/${pid}/cmdline`).includes(TAG_READER))
  const used = living.map((pid) => ticks(`/proc/${pid}/stat`, [11, 12]))
  return used.reduce((sum, each) => sum + each, ended) / TICKS_PER_S
}

/** Sum of some fields of a process's stat, counted after its name. */
function ticks(file: string, fields: readonly number[]): number {
  const stat = read(file)
  const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.reduce((sum, field) => sum + Number(values[field] ?? 0), 0)
}

/** Part of the command line of the process that reads tags. */
const TAG_READER = 'tags/entry.ts'

function children(): string[] {
  return readdirSync('/proc/self/task')
    .flatMap((task) => read(`/proc/self/task/${task}/children`).split(' '))
    .filter((pid) => pid !== '')
}

function residentMb(): number {
  const theirs = children()
    .filter(
      (pid) =>
        read(`/proc/${pid}/comm`).startsWith('ff') ||
        read(`/proc/${pid}/cmdline`).includes(TAG_READER),
    )
    .map((pid) => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024)
  return theirs.reduce((sum, each) => sum + each, process.memoryUsage.rss() / 1024 ** 2)
}

/** A process may end while it is looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
