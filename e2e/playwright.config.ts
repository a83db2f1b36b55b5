import { defineConfig } from '@playwright/test'
import { readStackInfo } from '@mist/local/stack/info'
import { stackDir } from './support/stack-dir.ts'

// Tools read this file when no stack is up; the journeys themselves say so and fail.
const webUrl = readStackInfo(stackDir)?.webUrl

/** Journeys through a running stack, in the system's Chromium: `npx playwright test -c e2e/playwright.config.ts`. */
export default defineConfig({
  testDir: 'journeys',
  outputDir: '../test-results',
  timeout: 90_000,
  expect: { timeout: 15_000 },
  // One at a time: they listen to real sound, and share the machine with a transcoder.
  workers: 1,
  fullyParallel: false,
  reporter: [['list']],
  use: {
    ...(webUrl === undefined ? {} : { baseURL: webUrl }),
    viewport: { width: 1280, height: 860 },
    screenshot: 'only-on-failure',
    trace: 'off',
    launchOptions: {
      executablePath: process.env['CHROME_PATH'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
