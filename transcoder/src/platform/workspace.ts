import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const PREFIX = 'mist-job-'

/** A folder of its own for one run, readable by us alone, gone after it. */
export async function withWorkspace<T>(
  workDir: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  await mkdir(workDir, { recursive: true })
  // mkdtemp makes the folder with mode 0700.
  const folder = await mkdtemp(join(workDir, PREFIX))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Removes the folders of runs that died, recognised by their age. */
export async function removeStaleWorkspaces(workDir: string, olderThanMs: number): Promise<number> {
  const names = await readdir(workDir).catch(() => [])
  let removed = 0
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const folder = join(workDir, name)
    const found = await stat(folder).catch(() => null)
    if (found === null || Date.now() - found.mtimeMs < olderThanMs) continue
    await rm(folder, { recursive: true, force: true })
    removed++
  }
  return removed
}
