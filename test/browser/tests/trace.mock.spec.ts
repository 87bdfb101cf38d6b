import { CHECKOUT, DEEP, expect, FAILED, HUGE, ODD, shoot, test } from './page';

test('the waterfall shows the request', async ({ page }) => {
  await page.goto(CHECKOUT);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('web-frontend');
  await expect(page.getByRole('row', { name: /call_stripe_api/ })).toBeVisible();
  await expect(page.locator('.facts')).toContainText('Spans27');
  await shoot(page, 'trace-light');
});

test('the critical path ends in the slow call, and says so', async ({ page }) => {
  await page.goto(CHECKOUT);
  await expect(page.locator('.row').first()).toBeVisible();
  await page.keyboard.press('c');
  await expect(page).toHaveURL(/path=1/);
  await expect(page.locator('.path-answer')).toContainText('call_stripe_api');
  await expect(page.locator('.row', { hasText: 'call_stripe_api' }).locator('.path').first()).toBeVisible();
  // The consumer of a message held nobody up.
  await expect(page.locator('.row', { hasText: 'orders process' }).locator('.path')).toHaveCount(0);
  await shoot(page, 'trace-path');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'trace-path-dark');
});

test('an error leads to its exception and stack trace', async ({ page }) => {
  await page.goto(FAILED);
  await page.getByLabel('Search in this trace').fill('exception');
  await expect(page.getByRole('status').filter({ hasText: '1 match' })).toBeVisible();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Exception' })).toContainText('payment.errors.CardError');
  await expect(page.getByLabel('Stack trace', { exact: true })).toContainText('raise CardError');
  await shoot(page, 'trace-exception');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'trace-exception-dark');
});

test('everything works by keyboard, and the link holds it', async ({ page, context }) => {
  await page.goto(CHECKOUT);
  await expect(page.locator('.row').first()).toBeVisible();
  for (const key of ['j', 'j', 'j', 'k', 'Enter', 'ArrowLeft', 'z']) await page.keyboard.press(key);
  const row = page.locator('.row.selected');
  await expect(row).toContainText('POST gateway');
  await expect(row).toHaveAttribute('aria-expanded', 'false');
  await expect(page).toHaveURL(/span=[0-9a-f]{16}.*fold=[0-9a-f]{16}|fold=[0-9a-f]{16}.*span=[0-9a-f]{16}/);
  const copy = await context.newPage();
  await copy.goto(page.url());
  await expect(copy.locator('.row.selected')).toContainText('POST gateway');
  await expect(copy.locator('.row.selected')).toHaveAttribute('aria-expanded', 'false');
  await expect(copy.getByRole('complementary', { name: 'Details' })).toContainText('POST gateway');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys of the trace page' })).toBeVisible();
  await shoot(page, 'trace-help');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a span carries attributes that lead to a new search', async ({ page }) => {
  await page.goto(CHECKOUT);
  await page.locator('.row', { hasText: 'call_stripe_api' }).click();
  const cell = page.locator('.attributes tr', { hasText: 'payment.currency' });
  await cell.hover();
  await cell.getByRole('link', { name: 'Search traces by payment.currency' }).click();
  await expect(page.locator('.query-editor .cm-content')).toHaveText('{ span.payment.currency = "EUR" }');
  await expect(page.locator('.hit').first()).toBeVisible();
});

test('dragging over the minimap zooms, 0 zooms out', async ({ page }) => {
  await page.goto(CHECKOUT);
  const box = (await page.locator('.minimap').boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.4, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/z=\d+-\d+/);
  await shoot(page, 'trace-zoom');
  await page.keyboard.press('0');
  await expect(page).not.toHaveURL(/z=/);
});

test('odd things are shown for what they are', async ({ page }) => {
  await page.goto(ODD);
  for (const flag of ['root missing', 'orphans', 'duplicate ids', 'cycle', 'clock skew'])
    await expect(page.locator('.trace-flags')).toContainText(flag);
  await expect(page.locator('.row-mark', { hasText: 'orphan' }).first()).toBeVisible();
  await expect(page.locator('.row', { hasText: 'twin B' }).locator('.row-mark')).toContainText(
    'duplicate id',
  );
  await page.locator('.row', { hasText: 'twin B' }).click();
  await expect(page.locator('.row.selected')).toContainText('twin B');
  await page.locator('.row', { hasText: 'handle' }).click();
  await expect(page.locator('.attributes').first()).toContainText('9007199254740993');
  await shoot(page, 'trace-odd');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'trace-odd-dark');
});

test('a trace of 100,000 spans opens, scrolls, folds and is searched in moments', async ({ page }) => {
  await page.goto(HUGE);
  await expect(page.locator('.row').first()).toBeVisible({ timeout: 40_000 });
  await expect(page.locator('.facts')).toContainText('100,000');
  expect(await page.locator('.row').count()).toBeLessThan(120);
  const took = await page.evaluate(async () => {
    const scroller = document.querySelector('.waterfall-scroll')!;
    const frames: number[] = [];
    let last = performance.now();
    for (let i = 0; i < 60; i++) {
      scroller.scrollTop = (scroller.scrollHeight / 60) * i;
      await new Promise(requestAnimationFrame);
      frames.push(performance.now() - last);
      last = performance.now();
    }
    return frames.sort((a, b) => a - b)[30]!;
  });
  console.log(`     median frame while scrolling 100,000 rows: ${took.toFixed(1)} ms`);
  expect(took).toBeLessThan(200);
  await page.keyboard.press('G');
  await expect(page.locator('.row.selected')).toBeVisible();
  await page.getByLabel('Search in this trace').fill('TimeoutError');
  await expect(page.locator('.find-count')).toContainText('matches');
  await page.getByRole('button', { name: 'Next match' }).click();
  await expect(page.locator('.row.selected.match')).toBeVisible();
  await shoot(page, 'trace-huge');
  await page.keyboard.press('Escape');
  await page.locator('.rows').focus();
  await page.keyboard.press('[');
  await expect(page.locator('.toolbar-rows')).toContainText('of 100,000 spans shown');
});

test('operations are counted; deep traces stay readable', async ({ page }) => {
  await page.goto(DEEP);
  await expect(page.locator('.row').nth(5)).toBeVisible();
  await page.keyboard.press('o');
  await expect(page.locator('.operations')).toContainText('recursion');
  await shoot(page, 'trace-deep');
});

test('narrow: the panel moves below', async ({ page }) => {
  await page.setViewportSize({ width: 560, height: 900 });
  await page.goto(FAILED);
  await expect(page.locator('.row').first()).toBeVisible();
  await page.keyboard.press('e');
  await shoot(page, 'trace-narrow');
});

test('a trace that is not stored says so', async ({ page }) => {
  await page.goto('/trace/123');
  await expect(page.getByText('No such trace is stored.')).toBeVisible();
});

test('an answer that breaks the contract names the place', async ({ page }) => {
  await page.route('**/api/v1/traces/**', async (route) => {
    const answer = (await (await route.fetch()).json()) as { spans: { kind: unknown } };
    answer.spans.kind = 'nonsense';
    await route.fulfill({ json: answer });
  });
  await page.goto(CHECKOUT);
  await expect(page.getByText('spans.kind: expected an array, got "nonsense"')).toBeVisible();
});
