import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readReleases } from '@mist/db/releases'
import { makeTrack } from '@mist/db/testing'
import { expect, test } from 'vitest'
import { makeApi } from './api.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const newest = (await readReleases()).at(-1)
const isInHistory =
  newest !== undefined &&
  (await run('git', ['cat-file', '-e', `${newest.commit}^{commit}`], { cwd: ROOT }).then(
    () => true,
    () => false,
  ))

/** Builds the Worker of a commit, with the packages that are installed today. */
async function bundleOf(commit: string, outdir: string): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'mist-release-tree-'))
  try {
    const tar = join(tree, 'tree.tar')
    await run('git', ['archive', '--output', tar, commit], { cwd: ROOT })
    await run('tar', ['-xf', tar, '-C', tree])
    await mkdir(join(tree, 'node_modules/@mist'), { recursive: true })
    for (const name of await readdir(join(ROOT, 'node_modules')))
      if (name !== '@mist')
        await symlink(join(ROOT, 'node_modules', name), join(tree, 'node_modules', name))
    // Its own db, not today's.
    for (const name of ['db', 'worker'])
      await symlink(join(tree, name), join(tree, 'node_modules/@mist', name))
    const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
    await run(
      process.execPath,
      [
        wrangler,
        'deploy',
        '--dry-run',
        '--minify',
        '--outdir',
        outdir,
        '--config',
        'wrangler.toml',
      ],
      {
        cwd: tree,
        env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_TELEMETRY_DISABLED: '1' },
      },
    )
    return join(outdir, 'index.js')
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}

// Without a release, or in a shallow clone that lacks its commit, there is nothing to start.
test.skipIf(!isInHistory)(
  'the Worker of the newest release works on today’s schema',
  async () => {
    const { commit } = newest!
    const api = await makeApi((outdir) => bundleOf(commit, outdir))
    try {
      const { trackId } = await makeTrack(api.database.db, {
        durationS: 60,
        // The release knows no other grain.
        segmentsPerPeriod: 3,
      })
      const { accessToken, refreshToken, user } = await api.register()
      expect(user.id).toBeTruthy()
      const started = await api.start(accessToken, trackId)
      expect(started.status).toBe(201)
      expect((await api.key(started.body.token, trackId, 1)).status).toBe(200)
      // A version of today's transcoder would be noise to it: it says so, and nobody pays.
      const { trackId: finer } = await makeTrack(api.database.db, { segmentsPerPeriod: 1 })
      expect((await api.start(accessToken, finer)).status).toBe(409)
      const { body: quota } = await api.call<{ usedS: number }>('GET', 'quota', {
        token: accessToken,
      })
      expect(quota.usedS).toBe(24)
      const heard = await api.call('POST', `listening-sessions/${started.body.id}/heartbeat`, {
        token: started.body.token,
        body: { positionS: 1 },
      })
      expect(heard.status).toBe(200)
      for (const path of ['tracks', `tracks/${trackId}`, 'quota', 'me/history', 'auth/sessions'])
        expect([path, (await api.call('GET', path, { token: accessToken })).status]).toEqual([
          path,
          200,
        ])
      const signedIn = await api.call('POST', 'auth/login', {
        body: { email: 'listener1@example.test', password: 'a long enough secret' },
      })
      expect(signedIn.status).toBe(200)
      const renewed = await api.call('POST', 'auth/refresh', { body: { refreshToken } })
      expect(renewed.status).toBe(200)
    } finally {
      await api.close()
    }
  },
  300_000,
)
