import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One index that apt is configured to fetch: where it is, and whose it is once apt has seen it. */
const FORMAT = '$(REPO_URI)|$(RELEASE)|$(ORIGIN)'

/**
 * Reads where Debian's packages come from: `DEBIAN_MIRROR`, or else what apt itself is configured with
 * on this machine, whatever kind of file says so. Nothing is asked of the network.
 */
export function debianMirrors(env: NodeJS.ProcessEnv = process.env): string[] {
  const given = env['DEBIAN_MIRROR']?.trim()
  if (given) return [given]
  const targets = spawnSync('apt-get', ['indextargets', '--format', FORMAT], { encoding: 'utf8' })
  return targets.status === 0 ? mirrorsAmong(targets.stdout) : []
}

/**
 * Finds Debian's own mirrors in what `apt-get indextargets` printed as URI|RELEASE|ORIGIN. Before the
 * first `apt-get update` the origin is empty, and any archive that is no add-on is worth a try.
 */
export function mirrorsAmong(
  indexTargets: string,
  readList: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): string[] {
  const mirrors = indexTargets.split('\n').flatMap((line) => {
    const [uri = '', release = '', origin = ''] = line.split('|')
    if (origin !== '' && origin !== 'Debian') return []
    // Security and updates hold some packages only, and none of another release.
    if (release === '' || /[-/]/.test(release)) return []
    // Debian's images for clouds name a file that lists mirrors, the best one first.
    const list = /^mirror\+file:(?:\/\/)?(\/.+?)\/?$/.exec(uri)?.[1]
    const uris = list === undefined ? [uri] : readList(list).split('\n')
    return uris
      .map((each) => each.trim().split(/\s/)[0] ?? '')
      .filter((each) => /^(https?|file):/.test(each))
  })
  return [...new Set(mirrors)]
}

/**
 * Finds the first mirror that has a release of Debian: the machine's own may be another. It asks with
 * wget, as debootstrap does.
 *
 * @throws Error that says what to set where there is none
 */
export async function findMirrorOf(release: string): Promise<string> {
  const mirrors = debianMirrors()
  for (const mirror of mirrors) {
    const index = `${mirror.replace(/\/+$/, '')}/dists/${release}/InRelease`
    const isThere = mirror.startsWith('file:')
      ? run('test', ['-e', index.replace(/^file:(\/\/)?/, '')])
      : run('wget', ['-q', '--spider', '--timeout=20', '--tries=2', index])
    if (
      await isThere.then(
        () => true,
        () => false,
      )
    )
      return mirror
  }
  throw new Error(
    `no mirror of Debian in apt's configuration has ${release}` +
      `${mirrors.length > 0 ? ` (asked: ${mirrors.join(', ')})` : ''}; ` +
      'set DEBIAN_MIRROR to the address of one that has',
  )
}
