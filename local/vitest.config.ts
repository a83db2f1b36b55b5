import { defineConfig } from 'vitest/config'

// Real databases and stores start here, on machines of two cores that do other things, too.
export default defineConfig({
  test: { name: 'local', include: ['src/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 60_000 },
})
