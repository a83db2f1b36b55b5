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
  /** Highest resident memory of this process and its ffmpeg children together, MB. */
  peakMb: number
}

/** CPU seconds so far: this process's own, and those of children that have ended. */
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

/** CPU seconds of children that were waited for: fields 16 and 17 of /proc/self/stat. */
function childrenCpuS(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_S
}

function residentMb(): number {
  const ffmpegs = readdirSync('/proc/self/task')
    .flatMap((task) => read(`/proc/self/task/${task}/children`).split(' '))
    .filter((pid) => pid !== '' && read(`/proc/${pid}/comm`).startsWith('ff'))
    .map((pid) => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024)
  return ffmpegs.reduce((sum, each) => sum + each, process.memoryUsage.rss() / 1024 ** 2)
}

/** A process may end while it is looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
