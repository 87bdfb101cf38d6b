// What all tests share: a page that fails on any error in the console, and screenshots by name.
import { test as base, expect, type Page } from '@playwright/test';

export const test = base.extend<{ quiet: undefined }>({
  quiet: [
    async ({ page }, use) => {
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        // A refused request is logged by the browser itself; the tests that provoke one look at the page.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          errors.push(message.text());
      });
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith('http') && url.hostname !== '127.0.0.1')
          errors.push(`left the machine: ${request.url()}`);
      });
      await use(undefined);
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function shoot(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(250);
  await page.screenshot({ path: `output/${name}.png` });
}

export const CHECKOUT = '/trace/5c0ffee0000000000000000000000001';
export const FAILED = '/trace/5c0ffee0000000000000000000000e44';
export const HUGE = '/trace/b16';
export const ODD = '/trace/dd';
export const DEEP = '/trace/dee9';
