// The first file that runs on a fresh machine: plain JavaScript for Node ≥ 20, nothing but Node's own
// modules. It provides node_modules and a Node that runs TypeScript, and hands over to src/cli/main.ts.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const say = (text) => console.log(`mist: ${text}`)

provideDependencies()
const node = chooseNode()
const child = spawn(
  node.path,
  [...node.flags, join(root, 'local/src/cli/main.ts'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      // Tools that start themselves with `env node` get the same Node.
      PATH: [dirname(node.path), join(root, 'node_modules/.bin'), process.env.PATH].join(':'),
      ...(node.flags.length > 0 && {
        NODE_OPTIONS: [process.env.NODE_OPTIONS, ...node.flags].filter(Boolean).join(' '),
      }),
    },
  },
)
// The child stops everything in order; leaving before it would give the prompt back too early.
// Ctrl-C reaches it without us, being in the same group; a signal sent to us alone does not.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// npm passes no signal on to us when it is ended by one: then we end, too.
const parent = process.ppid
if (process.env.npm_lifecycle_event !== undefined)
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref()
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1))

/** Runs npm when node_modules is missing or is not what package-lock.json says. */
function provideDependencies() {
  if (isInstalled()) return
  // Not `npm ci`, which takes the same versions but removes all of node_modules first.
  const args = ['install', '--no-save', '--no-audit', '--no-fund']
  say(`installing the npm packages that package-lock.json names (npm ${args.join(' ')})`)
  const npm = spawnSync('npm', args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Within `npm start` npm would hand its own settings on, among them the command's arguments.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/.test(name)),
    ),
  })
  if (npm.status !== 0) {
    say('npm could not install the packages: see its message above')
    process.exit(1)
  }
}

/** Compares what npm noted in node_modules with the lockfile: exact, and a matter of milliseconds. */
function isInstalled() {
  const noted = readJson(join(root, 'node_modules/.package-lock.json'))
  const wanted = readJson(join(root, 'package-lock.json'))
  if (noted === null || wanted === null) return noted !== null
  return Object.entries(wanted.packages).every(
    ([path, { version, link, optional, devOptional, peer }]) =>
      // Optional packages are those of other systems, for example; the root has no folder.
      !path.includes('node_modules/') ||
      link ||
      optional ||
      devOptional ||
      peer ||
      noted.packages[path]?.version === version,
  )
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/** Finds a Node that runs TypeScript and that wrangler and vitest accept (≥ 22.12). */
function chooseNode() {
  // The npm packages node-linux-* hold nothing but Node, and need no install script.
  const ours = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`)
  for (const path of [ours, process.execPath]) {
    if (path === ours && !existsSync(ours)) continue
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? ''
    const [major, minor] = version.slice(1).split('.').map(Number)
    if (major > 22 || (major === 22 && minor >= 18)) return { path, flags: [] }
    if (major === 22 && minor >= 12) return { path, flags: ['--experimental-strip-types'] }
  }
  say(`Node ${process.versions.node} is too old, and npm has no Node for this system`)
  say('install Node 24 from https://nodejs.org and run the command again')
  return process.exit(1)
}
