import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtSample } from '../sample/support/built-sample.js';
import { Shop } from '../sample/support/shop.js';
import { Chromium, chromiumMissing, overflow, screenshot, seriousFaults } from './support/chromium.js';

describe.skipIf(chromiumMissing())('the shop in a browser', () => {
  let browser: Chromium;

  beforeAll(async () => {
    await builtSample();
    browser = await Chromium.start();
  }, 300_000);
  afterEach(() => browser.clear());
  afterAll(() => browser?.close());

  async function openShop(env: Record<string, string> = {}): Promise<Shop> {
    const shop = await Shop.start({ DATA_DIR: await temporaryFolder(), ...env });
    onTestFinished(async () => void (await shop.stop()));
    return shop;
  }

  /** Presses a button as somebody without a mouse does. */
  async function pressByKeys(page: Page, name: string): Promise<void> {
    const button = page.getByRole('button', { name, exact: true });
    for (let tabs = 0; tabs < 30 && !(await button.evaluate((one) => one === document.activeElement)); tabs++)
      await page.keyboard.press('Tab');
    expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  }

  const standing = (page: Page): Promise<string | null> => page.locator('.instance-title .mark-text').textContent();
  const chart = (page: Page): Promise<string> =>
    page
      .locator('.plot canvas')
      .first()
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const explained = (page: Page, text: string): Promise<number> =>
    page.locator('.entry-text', { hasText: text }).count();

  it('shows an outage from the button that makes it to the one that heals it', { timeout: 120_000 }, async () => {
    const { url } = await openShop();
    const shop = await browser.open(url);
    const dashboard = await browser.open(`${url}/resilience#/i/payments`);
    await expect.poll(() => standing(dashboard)).toBe('Idle');
    await pressByKeys(shop, 'Place 10 orders');
    await expect.poll(() => standing(dashboard)).toBe('Closed');
    expect(await shop.getByRole('status').textContent()).toContain('10 are paid');
    await dashboard.waitForTimeout(2_000);
    const before = await chart(dashboard);

    await pressByKeys(shop, 'failing');
    expect(await shop.getByText('The provider is').textContent()).toContain('failing');
    await pressByKeys(shop, 'Place 10 orders');

    expect(await shop.getByRole('status').textContent()).toContain('10 taken with their payment pending');
    await expect.poll(() => standing(dashboard), { timeout: 10_000 }).toMatch(/Open|Half-open/);
    await expect.poll(() => explained(dashboard, 'closed -> open')).toBeGreaterThan(0);
    expect(await chart(dashboard)).not.toBe(before);
    await screenshot(dashboard, 'sample-open');

    await pressByKeys(shop, 'healthy');

    await expect.poll(() => standing(dashboard), { timeout: 20_000 }).toMatch(/Closed|Failing/);
    await expect.poll(() => explained(dashboard, 'halfOpen -> closed')).toBeGreaterThan(0);
    await pressByKeys(shop, 'Place 10 orders');
    expect(await shop.getByRole('status').textContent()).toContain('10 are paid');
    await screenshot(dashboard, 'sample-healed');
    expect(await seriousFaults(dashboard)).toEqual([]);
    expect(browser.errors).toEqual([]);
  });

  it('lets those who sit at this machine force a breaker open, and its orders know', { timeout: 60_000 }, async () => {
    const { url } = await openShop();
    const dashboard = await browser.open(`${url}/resilience#/i/payments`);
    const shop = await browser.open(url);

    await dashboard.getByRole('button', { name: 'Force open…', exact: true }).click();
    await dashboard.getByRole('textbox', { name: /Reason/ }).fill('the bank moves its servers');
    await dashboard.getByRole('button', { name: 'Force open', exact: true }).click();

    await dashboard.getByText('Done: payments is forced open.').waitFor();
    await pressByKeys(shop, 'Place 10 orders');
    expect(await shop.getByRole('status').textContent()).toContain('10 taken with their payment pending');
    expect(browser.errors).toEqual([]);
  });

  it('lets nobody force it who does not know the token', { timeout: 60_000 }, async () => {
    const { url } = await openShop({ OPERATOR_TOKEN: 'sesame' });
    const dashboard = await browser.open(`${url}/resilience#/i/payments`);

    await dashboard.getByText('You may look here, not act.').waitFor();

    expect(await dashboard.getByRole('button', { name: 'Force open…' }).count()).toBe(0);
    expect(browser.errors).toEqual([]);
  });

  describe('which runs', () => {
    let shop: Shop;
    beforeAll(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bulwark-shop-'));
      shop = await Shop.start({ DATA_DIR: folder });
      return async () => {
        await shop.stop();
        await rm(folder, { recursive: true, force: true });
      };
    });

    it.each([
      [400, 'light'],
      [400, 'dark'],
      [1400, 'light'],
      [1400, 'dark'],
    ] as const)('is usable by all at %d px in %s', { timeout: 60_000 }, async (width, colorScheme) => {
      const { url } = shop;
      const options = { viewport: { width, height: 900 }, colorScheme };
      const buttons = await browser.open(url, options);
      const dashboard = await browser.open(`${url}/resilience`, options);
      await dashboard.locator('[data-name]').first().waitFor();

      for (const [name, page] of Object.entries({ buttons, dashboard })) {
        await screenshot(page, `sample-${name}-${width}-${colorScheme}`);
        expect(await overflow(page)).toBe(0);
        expect(await seriousFaults(page)).toEqual([]);
      }
      expect(browser.errors).toEqual([]);
    });
  });
});
