import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'transcoder',
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Each file of integration tests starts a stack of its own and runs ffmpeg: more than two at
    // once only wait for one another.
    maxWorkers: 2,
  },
})
