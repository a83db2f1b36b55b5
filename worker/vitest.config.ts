import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: './src/index.ts',
      miniflare: {
        compatibilityDate: '2026-11-01',
        compatibilityFlags: ['nodejs_compat'],
        bindings: inject<Record<string, string>>('workerEnv'),
        ratelimits: { LIMITED: { namespace_id: '1', simple: { limit: 3, period: 60 } } },
      },
    })),
  ],
  test: {
    name: 'worker',
    include: ['src/**/*.test.ts'],
    globalSetup: './testing/global-setup.ts',
    // Each file has a workerd and a Postgres of its own: more than two only wait for one another.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
