// The paid order in a real browser: its waterfall, and a critical path that ends in the call to the card API.
// WEFT_URL, WEFT_TRACE_ID; WEFT_OUTPUT: a folder for screenshots. Playwright is test/browser's. Exit code 0 when all is as it should be.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(new URL('../../browser/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const ROWS = [
  // level, what the row says (the service only where it differs from the parent's)
  [1, 'gateway POST /api/orders'],
  [2, 'POST'],
  [3, 'orders POST /orders'],
  [4, 'validate_inventory'],
  [4, 'save_to_db'],
  [5, 'connect'],
  [5, 'INSERT postgres'],
  [5, 'INSERT postgres'],
  [5, 'SELECT postgres'],
  [5, 'SELECT postgres'],
  [5, 'INSERT postgres'],
  [5, 'SELECT postgres'],
  [4, 'POST'],
  [5, 'payment POST /charge'],
  [6, 'lookup_user'],
  [6, 'call_stripe_api'],
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${process.env.WEFT_URL}/trace/${process.env.WEFT_TRACE_ID}?path=1&panel=path`);
  const waterfall = page.getByRole('treegrid', { name: 'Waterfall' });
  await waterfall.getByText('call_stripe_api').waitFor({ timeout: 20_000 });

  const rows = waterfall.locator('[role=row][data-span]');
  const shown = await rows.evaluateAll((found) =>
    found
      .map((row) => ({
        index: Number(row.getAttribute('aria-rowindex')),
        level: Number(row.getAttribute('aria-level')),
        label: row.querySelector('.label').textContent.trim().replace(/\s+/g, ' '),
        bar: row.querySelector('.bar')?.getBoundingClientRect().toJSON(),
        path: [...row.querySelectorAll('.path')].map((piece) =>
          piece.getBoundingClientRect().toJSON(),
        ),
      }))
      .sort((a, b) => a.index - b.index),
  );
  assert.deepEqual(
    shown.map((row) => [row.level, row.label]),
    ROWS,
  );
  for (const row of shown) assert.ok(row.bar?.width > 0, `${row.label} has a bar`);

  // Of the rows without children, the one where the drawn path reaches furthest to the right is where it ends.
  const leaves = shown.filter(
    (row, i) => (shown[i + 1]?.level ?? 0) <= row.level && row.path.length > 0,
  );
  const end = leaves.reduce((a, b) =>
    Math.max(...b.path.map((p) => p.right)) > Math.max(...a.path.map((p) => p.right)) ? b : a,
  );
  assert.equal(end.label, 'call_stripe_api');
  const covered = end.path.reduce((sum, piece) => sum + piece.width, 0);
  assert.ok(covered > 0.95 * end.bar.width, 'the path covers the whole of call_stripe_api');

  const answer = await page.locator('.path-answer').innerText();
  assert.match(answer, /payment\s+call_stripe_api/);
  if (process.env.WEFT_OUTPUT) {
    mkdirSync(process.env.WEFT_OUTPUT, { recursive: true });
    await page.screenshot({ path: join(process.env.WEFT_OUTPUT, 'e2e-shop-waterfall.png') });
  }
} finally {
  await browser.close();
}
