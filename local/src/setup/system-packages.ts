import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that must be there, and what installs it. */
export type Need = {
  /** Any of these names, or paths, will do. */
  programs: readonly string[]
  apt: readonly string[]
  brew: readonly string[]
}

export const FFMPEG: Need = { programs: ['ffmpeg'], apt: ['ffmpeg'], brew: ['ffmpeg'] }
export const FFPROBE: Need = { programs: ['ffprobe'], apt: ['ffmpeg'], brew: ['ffmpeg'] }
export const REDIS: Need = { programs: ['redis-server'], apt: ['redis-server'], brew: ['redis'] }
/** The second player that tests hold the segments against. */
export const MPV: Need = { programs: ['mpv'], apt: ['mpv'], brew: ['mpv'] }
/** A pooler before a Postgres, as in production: tests of migrations go through it. */
export const PGBOUNCER: Need = {
  programs: ['pgbouncer', '/usr/sbin/pgbouncer'],
  apt: ['pgbouncer'],
  brew: ['pgbouncer'],
}
export const CHROMIUM: Need = {
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  apt: ['chromium', 'fonts-liberation'],
  brew: ['--cask', 'chromium'],
}

/** Thrown when something is missing that only a person can install; the message says how. */
export class CannotInstall extends Error {
  override name = 'CannotInstall'
}

/** Finds a program in PATH, or `null`. */
export function findProgram(name: string): string | null {
  const candidates = name.includes('/')
    ? [name]
    : (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, name))
  for (const path of candidates)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: the next folder.
    }
  return null
}

/**
 * Installs what is missing, with apt (as root, or by sudo) or brew, and says so first.
 *
 * @throws CannotInstall with the exact command where it may not, or does not know how
 */
export function provideSystemPackages(needs: readonly Need[], say: (text: string) => void): void {
  const isMissing = ({ programs }: Need) => programs.every((name) => findProgram(name) === null)
  const missing = needs.filter(isMissing)
  if (missing.length === 0) return
  const names = missing.map(({ programs }) => programs[0]).join(', ')

  if (process.platform === 'darwin' && findProgram('brew') !== null) {
    for (const { brew } of missing) run(['brew', 'install', ...brew], say, names)
  } else if (findProgram('apt-get') !== null) {
    const packages = [...new Set(missing.flatMap(({ apt }) => apt))]
    const script = aptScript(packages)
    const byHand = `apt-get update && apt-get install -y ${packages.join(' ')}`
    if (process.getuid?.() === 0) run(['sh', '-c', script], say, names, byHand)
    else if (maySudo()) run(['sudo', 'sh', '-c', script], say, names, `sudo ${byHand}`)
    else
      throw new CannotInstall(
        `${names} must be installed, and this is neither root nor able to use sudo. Run:\n\n` +
          `  su -c '${byHand}'\n`,
      )
  } else throw new CannotInstall(`please install ${names}; no apt-get or brew was found to do it`)

  const still = needs.filter(isMissing)
  if (still.length > 0)
    throw new CannotInstall(
      `${still.map(({ programs }) => programs[0]).join(', ')} is still missing`,
    )
}

/** sudo that needs no password, or a terminal in which a person can type one. */
function maySudo(): boolean {
  if (findProgram('sudo') === null) return false
  const silent = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  return silent.status === 0 || process.stdin.isTTY
}

/**
 * Debian starts a service as soon as its package is installed, and at every boot from then on. We
 * want the programs of redis-server and pgbouncer, not their services: policy-rc.d keeps them from
 * being started (Debian Policy, "invoke-rc.d"), unless the machine has a policy of its own.
 */
function aptScript(packages: readonly string[]): string {
  const lines = [
    'set -e',
    'export DEBIAN_FRONTEND=noninteractive',
    'if [ ! -e /usr/sbin/policy-rc.d ]; then',
    "  trap 'rm -f /usr/sbin/policy-rc.d' EXIT",
    "  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d",
    '  chmod 755 /usr/sbin/policy-rc.d',
    'fi',
    'apt-get update -q',
    `apt-get install -y -q --no-install-recommends ${packages.join(' ')}`,
  ]
  for (const service of ['redis-server', 'pgbouncer'])
    if (packages.includes(service) && existsSync('/run/systemd/system'))
      lines.push(`systemctl disable ${service} >/dev/null 2>&1 || true`)
  return lines.join('\n')
}

function run(
  [program = '', ...args]: string[],
  say: (text: string) => void,
  names: string,
  byHand = [program, ...args].join(' '),
): void {
  say(`installing ${names}: ${byHand}`)
  // A password prompt of sudo reads the terminal, not stdin: CI has neither.
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0)
    throw new CannotInstall(`this did not work; please run it yourself:\n\n  ${byHand}\n`)
}
