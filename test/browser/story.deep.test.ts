import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DASHBOARD_PAGE } from '../../lib/observability/dashboard/dashboard.tokens.js';
import { OPERATOR, StaffGuard, startDashboard, type DashboardApp } from '../e2e/support/dashboard-app.js';
import { PLATFORMS } from '../e2e/support/harness.js';
import { builtPage } from './support/built-page.js';
import { Chromium, chromiumMissing, screenshot, seriousFaults } from './support/chromium.js';

const RESET_MS = 6_000;

/** A dependency that a test breaks and heals, and an app that calls it all the time. */
class Upstream {
  isUp = true;

  readonly answer = async (): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 3 + Math.random() * 15));
    if (!this.isUp) throw new Error('connect ECONNREFUSED');
    return 'receipt';
  };

  callFrom({ payments }: DashboardApp): void {
    const timer = setInterval(() => {
      payments.charge(this.answer).catch(() => undefined);
      payments.search(this.answer).catch(() => undefined);
      payments.ofTenant('blue', async () => 'invoice').catch(() => undefined);
    }, 20);
    onTestFinished(() => clearInterval(timer));
  }
}

describe.skipIf(chromiumMissing())('the dashboard of an app', () => {
  let folder: string;
  let browser: Chromium;

  beforeAll(async () => {
    folder = await builtPage();
    browser = await Chromium.start();
  });
  afterEach(() => browser.clear());
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(adapter: (typeof PLATFORMS)[number]['adapter']): Promise<DashboardApp> {
    return startDashboard(
      { actionGuards: [StaffGuard] },
      {
        adapter,
        policies: {
          payments: {
            circuitBreaker: { volumeThreshold: 10, resetTimeout: RESET_MS },
            bulkhead: { maxConcurrent: 50 },
            retry: false,
            timeout: 1_000,
          },
        },
        override: (builder) => builder.overrideProvider(DASHBOARD_PAGE).useValue(pathToFileURL(`${folder}/`)),
      },
    );
  }

  const standing = (page: Page): Promise<string | null> => page.locator('.instance-title .mark-text').textContent();
  /** What the chart says of now. */
  const legend = async (page: Page, label: string): Promise<number> => {
    const text = await page.locator('.legend li', { hasText: label }).first().locator('b').textContent();
    return Number(text?.replace(',', ''));
  };
  const pixels = (page: Page): Promise<string> =>
    page
      .locator('.plot canvas')
      .first()
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

  it.each(PLATFORMS)('tells the story of an outage on $platform', async ({ platform, adapter }) => {
    const app = await serve(adapter);
    const upstream = new Upstream();
    upstream.callFrom(app);
    const page = await browser.open(app.page, { extraHTTPHeaders: OPERATOR });

    // All is well.
    const row = page.locator('[data-name=payments]');
    await expect.poll(() => row.textContent()).toMatch(/Closed.*payments/);
    await row.getByRole('link').click();
    await page.getByRole('heading', { name: 'Circuit breaker' }).waitFor();
    await expect.poll(() => legend(page, 'Success')).toBeGreaterThan(10);
    const before = await pixels(page);
    await page.waitForTimeout(4_000);
    await screenshot(page, `story-1-well-${platform}`);

    // It breaks.
    upstream.isUp = false;
    await expect.poll(() => standing(page)).toBe('Open');
    await expect.poll(() => legend(page, 'Refused')).toBeGreaterThan(10);
    expect(await legend(page, 'Success')).toBe(0);
    expect(await pixels(page)).not.toBe(before);
    await page
      .locator('.facts')
      .getByText(/^in \d+ s$/)
      .waitFor();
    await expect.poll(() => page.locator('.entry-text', { hasText: 'closed -> open' }).count()).toBeGreaterThan(0);
    await page.getByRole('heading', { name: 'Last errors' }).waitFor();
    await page.getByText('connect ECONNREFUSED').first().waitFor();
    await screenshot(page, `story-2-open-${platform}`);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('[data-name]').first().textContent()).toMatch(/Open|Half-open/);
    await page.locator('.entry', { hasText: 'payments' }).getByText('closed -> open').first().waitFor();
    await page.waitForTimeout(3_000);
    await screenshot(page, `story-3-list-${platform}`);
    expect(await seriousFaults(page)).toEqual([]);

    // It heals.
    upstream.isUp = true;
    await row.getByRole('link').click();
    await expect.poll(() => standing(page)).toMatch(/Closed|Failing/);
    await expect.poll(() => legend(page, 'Success')).toBeGreaterThan(10);
    await expect.poll(() => page.locator('.entry-text', { hasText: 'halfOpen -> closed' }).count()).toBeGreaterThan(0);
    await screenshot(page, `story-4-healed-${platform}`);

    // Somebody who may acts.
    await page.getByRole('button', { name: 'Force open…', exact: true }).click();
    await page.getByRole('textbox', { name: /Reason/ }).fill('the bank moves its servers');
    await page.getByRole('button', { name: 'Force open', exact: true }).click();
    await page.getByText('Done: payments is forced open.').waitFor();
    expect(app.service.circuitBreaker('payments').state).toBe('forcedOpen');
    await expect.poll(() => standing(page)).toBe('Forced open');
    await page.locator('.entry-text', { hasText: 'the bank moves its servers' }).first().waitFor();
    await screenshot(page, `story-5-forced-${platform}`);
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Reset…', exact: true }).click();
    await page.getByRole('button', { name: 'Reset', exact: true }).click();
    await page.getByText('Done: payments is closed.').waitFor();
    expect(app.service.circuitBreaker('payments').state).toBe('closed');

    expect(browser.errors).toEqual([]);
  });

  it('lets nobody act who may not', async () => {
    const app = await serve(PLATFORMS[0]?.adapter as (typeof PLATFORMS)[number]['adapter']);
    new Upstream().callFrom(app);
    const page = await browser.open(`${app.page}/#/i/payments`);
    await page.getByText('You may look here, not act.').waitFor();
    await page.getByRole('heading', { name: 'Plan' }).waitFor();
    expect(await page.getByRole('heading', { name: 'Last errors' }).count()).toBe(0);
    await screenshot(page, 'story-read-only');
    const { process } = await app.state();

    const status = await page.evaluate(async (id) => {
      const body = { id: crypto.randomUUID(), process: id, instance: 'payments', action: 'forceOpen', seen: 'closed' };
      const headers = { 'content-type': 'application/json' };
      return (await fetch('/resilience/api/actions', { method: 'POST', headers, body: JSON.stringify(body) })).status;
    }, process.id);

    expect(status).toBe(403);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
  });

  it('shows all, one key, and a command for it', async () => {
    const app = await serve(PLATFORMS[0]?.adapter as (typeof PLATFORMS)[number]['adapter']);
    new Upstream().callFrom(app);
    const page = await browser.open(`${app.page}#/i/tenants`, { extraHTTPHeaders: OPERATOR });

    await page.getByRole('button', { name: 'Force open key blue' }).click();
    await page.getByRole('button', { name: 'Force open', exact: true }).click();

    await page.getByText('Done: tenants (key blue) is forced open.').waitFor();
    await expect.poll(() => standing(page)).toBe('Keys open');
    await page.getByRole('cell', { name: 'forced open' }).waitFor();
    await page.locator('.entry', { hasText: 'tenants[blue]' }).first().waitFor();
    await screenshot(page, 'story-keys');
  });

  it('ends with its app, and says so', async () => {
    const app = await serve(PLATFORMS[0]?.adapter as (typeof PLATFORMS)[number]['adapter']);
    const page = await browser.open(app.page);
    await page.getByText('Live', { exact: true }).waitFor();

    await app.app.close();

    await page.getByText('It may have changed since.').waitFor();
  });
});
