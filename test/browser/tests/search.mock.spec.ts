import { expect, shoot, test } from './page';

const editor = '.query-editor .cm-content';

test('the page lists traces and draws them', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('.hit').first()).toBeVisible();
  await expect(page.getByRole('img', { name: /traces by start and duration/ })).toBeVisible();
  await expect(page.getByRole('heading', { name: /traces/ })).toContainText('200+ traces');
  await shoot(page, 'search-light');
});

test('choosing in the form writes the text, and asks', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('combobox', { name: 'Service' }).fill('paym');
  await page.getByRole('option', { name: /payment/ }).click();
  await expect(page.locator(editor)).toHaveText('{ resource.service.name = "payment" }');
  await page.getByRole('radio', { name: 'error' }).click();
  await expect(page.locator(editor)).toHaveText('{ resource.service.name = "payment" && status = error }');
  await expect(page).toHaveURL(/q=.*payment.*error/);
  await expect(page.locator('.hit').filter({ hasNot: page.locator('.badge-error') })).toHaveCount(0);
  await expect(page.locator('.hit').first()).toBeVisible();
  await page.goBack();
  await expect(page.locator(editor)).toHaveText('{ resource.service.name = "payment" }');
});

test('writing the text fills the form', async ({ page }) => {
  await page.goto('/');
  await page
    .locator(editor)
    .fill('{ resource.service.name = "catalog" && duration >= 2ms && span.cache.hit = false }');
  await expect(page.getByRole('combobox', { name: 'Service' })).toHaveValue('catalog');
  await expect(page.getByLabel('Minimum duration')).toHaveValue('2ms');
  await expect(page.getByRole('group', { name: 'Filter on span.cache.hit' })).toBeVisible();
});

test('a text that the form cannot show rules alone', async ({ page }) => {
  await page.goto('/');
  await page.locator(editor).fill('{ span.a = 1 || span.b = 2 }');
  await expect(page.getByText('The query says more than this form can show')).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Service' })).toBeDisabled();
});

test('an attribute filter is completed by key and by value', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Add filter' }).click();
  await page.getByRole('combobox', { name: 'Attribute' }).fill('http.route');
  await page.getByRole('option', { name: /span\.http\.route/ }).click();
  await page.getByRole('combobox', { name: 'Value' }).click();
  await shoot(page, 'search-filter');
  await page.getByRole('option', { name: '/charge' }).click();
  await expect(page.locator(editor)).toHaveText('{ span.http.route = "/charge" }');
});

test('the text completes keys and values from the server', async ({ page }) => {
  await page.goto('/');
  await page.locator(editor).fill('');
  await page.locator(editor).pressSequentially('{ span.db.sys');
  await expect(page.locator('.cm-tooltip-autocomplete')).toContainText('span.db.system.name');
  await page.waitForTimeout(200);
  await page.keyboard.press('Enter');
  await page.keyboard.type('= ');
  await expect(page.locator('.cm-tooltip-autocomplete')).toContainText('"redis"');
  await shoot(page, 'search-completion');
});

test('a mistake is shown where it is', async ({ page }) => {
  await page.goto(`/?q=${encodeURIComponent('{ span.http.route = }')}`);
  await expect(page.getByRole('alert').first()).toContainText(/line 1, column \d+/);
  await expect(page.locator('.cm-lintRange-error')).toBeVisible();
  await shoot(page, 'search-error');
});

test('older traces follow by cursor', async ({ page }) => {
  await page.goto('/?start=now-3h');
  await page.getByRole('button', { name: 'Load older traces' }).click();
  await expect(page.getByRole('heading', { name: /traces/ })).toContainText('400+ traces');
});

test('dragging over the scatter narrows the time, a click opens a trace', async ({ page }) => {
  await page.goto('/?start=now-3h');
  const box = (await page.locator('.scatter').boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.3, box.y + 80);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 80, { steps: 4 });
  const narrowed = page.waitForResponse(/\/api\/v1\/search\?.*start=\d{19}/);
  await page.mouse.up();
  await expect(page).toHaveURL(/start=\d{19}&end=\d{19}/);
  // The list is made anew with the answer: what had the focus before is gone then.
  await (await narrowed).finished();
  await expect(page.locator('[aria-busy="false"] .hit').first()).toBeVisible();
  await page.locator('.hit').first().focus();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/trace\/[0-9a-f]{32}/);
});

test('a custom range is taken or refused with a reason', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Last 1 hour' }).click();
  await page.getByLabel('From').fill('yesterday');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('alert')).toContainText('is not a time');
  await shoot(page, 'search-range');
  await page.getByLabel('From').fill('now-90m');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('button', { name: 'Last 90m' })).toBeVisible();
});

test('nothing found says what to do', async ({ page }) => {
  await page.goto(`/?q=${encodeURIComponent('{ name = "no such operation" }')}`);
  await expect(page.getByText('No trace matches.')).toBeVisible();
  await shoot(page, 'search-empty');
});

test('a store without spans explains how to send the first', async ({ page }) => {
  let spans = 0;
  await page.route('**/api/v1/status', (route) =>
    route.fulfill({
      json: { version: 'x', startNs: '1', liveSpans: spans, storedSpans: 0, blocks: 0, bytes: 0 },
    }),
  );
  await page.goto('/');
  await expect(page.getByRole('heading', { name: /Send the first one/ })).toBeVisible();
  await expect(page.getByText('opentelemetry-instrument python app.py')).toBeVisible();
  await shoot(page, 'first-run');
  spans = 12;
  await expect(page.locator('.hit').first()).toBeVisible();
});

test('a server that fails is reported, and asked again on demand', async ({ page }) => {
  let broken = true;
  await page.route('**/api/v1/search?**', (route) =>
    broken
      ? route.fulfill({
          status: 503,
          json: { error: { code: 'unavailable', message: 'replaying the WAL, 40 %' } },
        })
      : route.continue(),
  );
  await page.goto('/');
  await expect(page.getByText('replaying the WAL, 40 %')).toBeVisible();
  broken = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.hit').first()).toBeVisible();
});

test('dark and narrow', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  await expect(page.locator('.hit').first()).toBeVisible();
  await shoot(page, 'search-dark');
  await page.setViewportSize({ width: 560, height: 900 });
  await shoot(page, 'search-narrow');
  await page.getByRole('button', { name: /Theme: system/ }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
});
