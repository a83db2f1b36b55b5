import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from './private-files.ts'

/** First words of a file that we may overwrite: a person's own has others. */
const MARK = '# Written by the local stack'

/** Where `npx wrangler dev` and `npm run dev:web` answer, unless told otherwise. */
export const DEV_API_PORT = 8790
export const DEV_WEB_PORT = 5173

/** Origins of pages of the dev server: the API takes cookies from them. */
export const DEV_WEB_ORIGINS = [
  `http://localhost:${DEV_WEB_PORT}`,
  `http://127.0.0.1:${DEV_WEB_PORT}`,
]

/**
 * Writes what `wrangler dev` gives a Worker beside wrangler.toml into the stack's folder: the secrets
 * and addresses of a running stack, readable by its owner only. For `wrangler dev --env-file FILE`.
 *
 * @returns the file
 */
export function writeDevVars(dir: string, vars: Record<string, string>): string {
  const origins = [vars['WEB_ORIGINS'], ...DEV_WEB_ORIGINS].filter(Boolean).join(',')
  const file = devVarsFile(dir)
  writePrivately(file, format({ ...vars, WEB_ORIGINS: origins }))
  return file
}

/** The file that {@link writeDevVars} writes. */
export function devVarsFile(dir: string): string {
  return join(dir, 'dev.vars')
}

/**
 * Puts the variables of a stack beside wrangler.toml as `.dev.vars`, where a plain `npx wrangler dev`
 * looks for them; then it reads no .env. Answers whether it did: a person's own file stays.
 */
export function placeDevVars({ root, dir }: { root: string; dir: string }): boolean {
  const target = join(root, '.dev.vars')
  const present = existsSync(target) ? readFileSync(target, 'utf8') : null
  if (present !== null && !present.startsWith(MARK)) return false
  // Only in a file that is named by --env-file does a dollar stand for more than itself.
  const text = readFileSync(devVarsFile(dir), 'utf8').replaceAll('\\$', '$')
  // Unchanged it stays untouched: a running `wrangler dev` starts anew when the file changes.
  if (present !== text) writePrivately(target, text)
  return true
}

/** Writes variables as dotenv reads them: within quotes nothing is a comment. */
function format(vars: Record<string, string>): string {
  const lines = Object.entries(vars).map(([name, value]) => {
    // Within double quotes alone, a backslash would mean something.
    const quotes = value.includes('\\') ? ["'", '`'] : ["'", '`', '"']
    const quote = quotes.find((each) => !value.includes(each))
    if (quote === undefined || /[\r\n]/.test(value))
      throw new Error(`${name} can't be written into .dev.vars`)
    return `${name}=${quote}${value.replaceAll('$', '\\$')}${quote}`
  })
  const header = [
    `${MARK} for \`npx wrangler dev\`; it is written anew whenever a stack comes up.`,
    '# To keep values of your own here, take these lines away.',
  ]
  return `${[...header, ...lines].join('\n')}\n`
}
