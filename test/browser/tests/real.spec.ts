// Against a real server with the data of `weft demo`: the whole way, no mock.
import { expect, shoot, test } from './page';

test.skip(!process.env.WEFT_URL, 'needs WEFT_URL');

test('demo traces are found, opened and explained', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('.hit').first()).toBeVisible();
  await shoot(page, 'real-search');
  await page.locator('.hit').first().click();
  await expect(page.locator('.row').first()).toBeVisible();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page.locator('.attributes').first()).toBeVisible();
  await page.keyboard.press('c');
  await expect(page.locator('.path-answer')).toBeVisible();
  await shoot(page, 'real-trace');
});

// As a newcomer does it, by docs/demo.md; its picture is the README's.
test('a slow checkout is found, and its cause', async ({ page }) => {
  await page.goto(`/?q=${encodeURIComponent('{ name = "POST /api/checkout" && duration > 1s }')}`);
  await page.locator('.hit').first().click();
  await expect(page.locator('.row').first()).toBeVisible();
  await page.keyboard.press('c');
  await expect(page.locator('.path-answer')).toContainText('waiting for payment POST api.card-risk.example.');
  // Its first line leads to the span that holds most of it.
  await page.locator('.shares button').first().click();
  await expect(page.locator('.row.selected .label')).toHaveText('POST api.card-risk.example');
  await expect(page.locator('.row.selected')).toBeInViewport({ ratio: 1 });
  await shoot(page, 'real-slow-checkout');
});

test('the form offers the services that the server knows, and filters by them', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('combobox', { name: 'Service' }).click();
  const option = page.getByRole('option').first();
  const name = (await option.locator('.combobox-text').textContent())!;
  await option.click();
  await expect(page.locator('.query-editor .cm-content')).toHaveText(`{ resource.service.name = "${name}" }`);
  await expect(page.locator('.hit').first()).toBeVisible();
});

test('a mistake in the query is placed', async ({ page }) => {
  await page.goto(`/?q=${encodeURIComponent('{ span.http.route = }')}`);
  await expect(page.getByRole('alert').first()).toContainText(/line 1, column \d+/);
});

test('an unknown trace is not there, and a deep link is served', async ({ page }) => {
  await page.goto('/trace/0123456789abcdef0123456789abcdef?find=x');
  await expect(page.getByText('No such trace is stored.')).toBeVisible();
});
