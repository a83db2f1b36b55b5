import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Tracked files, and new ones that are not ignored. */
const PAGES = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))

const withoutCode = (text: string) =>
  text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '`')

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
    .replaceAll(' ', '-')
}

function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
}

/** Why a relative link of a page leads nowhere; null where it leads somewhere. */
function brokenBecause(page: string, link: string): string | null {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(ROOT, target))) return `${page}: ${link}: there is no ${target}`
  if (anchor === undefined || anchorsOf(target).includes(anchor)) return null
  return `${page}: ${link}: there is no such heading`
}

test('every relative link in a Markdown file leads to a file and a heading that are there', () => {
  const links = PAGES.flatMap((page) =>
    [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => ({ page, link })),
  )
  expect(links.length).toBeGreaterThan(30)
  expect(links.flatMap(({ page, link }) => brokenBecause(page, link) ?? [])).toEqual([])
})

test.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md'])(
  'every file and folder that %s names is there',
  (page) => {
    const named = [...read(page).matchAll(/`((?:\.?[\w-]+\/)+[\w.[\]-]*|[\w.-]+\.(?:mjs|toml))`/g)]
      .map(([, path = '']) => path)
      // Folders of the local stack, and paths inside each package ("routes/credits.ts").
      .filter((path) => !path.startsWith('.local/'))
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  },
)
