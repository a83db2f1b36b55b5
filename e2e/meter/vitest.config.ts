import { defineConfig } from 'vitest/config'

/** Concurrency on a real Postgres 17: `npm run test:meter`. Needs root, for debootstrap. */
export default defineConfig({
  test: {
    name: 'meter',
    include: ['*.test.ts'],
    globalSetup: './global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
})
