import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: ['db', 'worker', 'transcoder', 'web', 'local', 'bench'],
  },
})
