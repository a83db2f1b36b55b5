import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const ROOT = join(import.meta.dirname, '..')

const Needs = z.record(z.string(), z.string()).default({})
const Lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      resolved: z.string().optional(),
      link: z.boolean().optional(),
      dependencies: Needs,
      optionalDependencies: Needs,
    }),
  ),
})

const { packages } = Lockfile.parse(
  JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')),
)

/** Tells whether Node, looking from a package's folder upwards, finds a package of this name. */
function isFound(from: string, name: string): boolean {
  const folders = from === '' ? [] : from.split('/')
  return [...folders.keys(), folders.length].some((depth) => {
    const folder = folders.slice(0, depth).join('/')
    return `${folder}${folder === '' ? '' : '/'}node_modules/${name}` in packages
  })
}

// npm leaves the packages of other systems out when it writes the lockfile beside an installed
// node_modules, and `npm ci` then refuses it. They come back with `npm install --package-lock-only` in
// a folder that holds nothing but the package.json files and the lockfile.
test('npm ci can work: package-lock.json names every package that one of its packages needs', () => {
  const missing = Object.entries(packages)
    .filter(([, { link }]) => link !== true)
    .flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !isFound(path, name))
        .map((name) => `${name}, for ${path}`),
    )
  expect(missing).toEqual([])
})

test('package-lock.json says what to install, and not from which registry', () => {
  const addresses = Object.values(packages).flatMap(({ resolved = '' }) =>
    resolved.includes('://') ? [resolved] : [],
  )
  expect(addresses).toEqual([])
})
