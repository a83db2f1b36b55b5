import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const scriptsOf = (folder: string): Record<string, string> =>
  JSON.parse(read(join(folder, 'package.json'))).scripts ?? {}

const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/commands.md',
  'docs/deploying.md',
  '.env.example',
  '.dev.vars.example',
  'docker-compose.transcoder.yml',
].map(read)
/** Commands in backquotes and in blocks of shell, and what scripts run, each with its folder. */
const COMMANDS = [
  ...TEXTS.flatMap((text) =>
    (text.match(/\b(?:npx wrangler|npm run)\b[^`\n#]*/g) ?? []).map((text) => ({
      text,
      folder: '.',
    })),
  ),
  ...['.', 'web'].flatMap((folder) =>
    Object.values(scriptsOf(folder)).flatMap((script) =>
      script.split('&&').map((text) => ({ text: text.trim(), folder })),
    ),
  ),
]

test('every npm script that is named is there', () => {
  const named = COMMANDS.flatMap(({ text, folder }) => {
    const [, name, workspace] = /^npm run ([a-z0-9:-]+)(?: -w (\w+))?/.exec(text) ?? []
    return name === undefined ? [] : [{ name, folder: workspace ?? folder }]
  })
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter(({ name, folder }) => scriptsOf(folder)[name] === undefined)).toEqual([])
})

const WRANGLER = [
  ...new Set(
    COMMANDS.flatMap(({ text }) => /^(?:npx )?wrangler (.+)$/.exec(text)?.[1]?.trim() ?? []),
  ),
]

test.each(WRANGLER)(
  'the pinned wrangler knows: wrangler %s',
  (command) => {
    const words = command.split(/\s+/)
    const flags = words.filter((word) => word.startsWith('-'))
    // `pages project create NAME`, `secret put NAME`, `pages deploy`, `deploy`
    const depth = { secret: 2, pages: words[1] === 'project' ? 3 : 2 }[words[0] ?? ''] ?? 1
    const subcommand = words.slice(0, depth)
    const help = execFileSync(
      process.execPath,
      ['node_modules/wrangler/bin/wrangler.js', ...subcommand, '--help'],
      { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
    )
    // Of a command that it does not know, it shows its own usage.
    expect(help.trimStart().startsWith(`wrangler ${subcommand.join(' ')}`)).toBe(true)
    for (const flag of flags) expect(help).toContain(flag)
  },
  60_000,
)
