import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      'db',
      'worker',
      'transcoder',
      'web',
      'local',
      'bench',
      // Of the repository itself: its walls. They run dependency-cruiser on a seeded file each.
      { test: { name: 'docs', include: ['docs/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
})
