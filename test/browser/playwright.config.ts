// Where the tests run: WEFT_URL names a server; without it the UI's own mock is started (ui/ must be built).
import { defineConfig } from '@playwright/test';

const port = 4319;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'output/failures',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  workers: 1,
  reporter: [['./reporter.ts']],
  use: {
    baseURL: process.env.WEFT_URL ?? `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--headless',
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
  webServer: process.env.WEFT_URL
    ? undefined
    : {
        command: `node node_modules/vite/bin/vite.js preview --mode mock --host 127.0.0.1 --strictPort --port ${port}`,
        cwd: '../../ui',
        url: `http://127.0.0.1:${port}/api/v1/status`,
        timeout: 120_000,
      },
});
