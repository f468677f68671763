import { rm } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtPage } from './support/built-page.js';
import { Chromium, chromiumMissing, overflow, screenshot, seriousFaults } from './support/chromium.js';
import { FakeApp } from './support/fake-app.js';
import { FakeShop } from './support/fake-shop.js';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'x'.repeat(10_000),
  'a\u0000b\u0007c\u202ed\n\te',
  '支払い/../%2e%2e?x#y',
  '--',
];
const WIDTHS = [400, 1400] as const;
const SCHEMES = ['light', 'dark'] as const;

describe.skipIf(chromiumMissing())("the dashboard's page", () => {
  let folder: string;
  let browser: Chromium;
  const apps: FakeApp[] = [];
  const timers: NodeJS.Timeout[] = [];

  beforeAll(async () => {
    folder = await builtPage();
    browser = await Chromium.start();
  });
  afterEach(async () => {
    await browser.clear();
    for (const timer of timers.splice(0)) clearInterval(timer);
    for (const app of apps.splice(0)) await app.stop();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** An app that tells its numbers each second. */
  async function serve(shop: FakeShop): Promise<{ app: FakeApp; url: string }> {
    const app = new FakeApp(folder, () => shop.state());
    app.detail = (name) => shop.detail(name);
    apps.push(app);
    const url = await app.start();
    timers.push(setInterval(() => app.tick({ samples: shop.samples(), ingress: shop.state().ingress }), 1_000));
    return { app, url };
  }

  const rowNames = (page: Page): Promise<(string | undefined)[]> =>
    page.$$eval('[data-name]', (rows) => rows.map((row) => (row as HTMLElement).dataset['name']));
  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || '');

  it.each(['', '/'])('is served at its path with %j behind it, and its links do not leave it', async (end) => {
    const { url } = await serve(new FakeShop(10));
    const page = await browser.open(url + end);
    await page
      .getByRole('row', { name: /payments/ })
      .first()
      .waitFor();
    await page.evaluate(() => Object.assign(globalThis, { stayed: true }));

    await page.getByRole('link', { name: 'payments', exact: true }).first().click();
    await page.getByRole('heading', { name: 'payments' }).waitFor();

    expect(page.url()).toBe(`${url}${end}#/i/payments`);
    expect(await page.evaluate(() => (globalThis as { stayed?: boolean }).stayed)).toBe(true);
    expect(browser.errors).toEqual([]);
  });

  describe.each(WIDTHS)('at %d px', (width) => {
    it.each(SCHEMES)('is usable by all in %s', async (colorScheme) => {
      const shop = new FakeShop(60);
      const { url } = await serve(shop);
      const page = await browser.open(url, { viewport: { width, height: 900 }, colorScheme });
      const look = async (name: string): Promise<void> => {
        await screenshot(page, `${name}-${width}-${colorScheme}`);
        expect(await overflow(page)).toBe(0);
        expect(await seriousFaults(page)).toEqual([]);
      };
      await page
        .getByRole('row', { name: /payments/ })
        .first()
        .waitFor();
      await page.waitForTimeout(3_500);
      expect((await rowNames(page)).slice(0, 1)).toEqual(['payments']);
      await look('list');

      await page.goto(`${url}#/timeline`);
      await page.getByRole('heading', { name: 'Decisions', exact: true }).waitFor();
      await look('decisions');

      await page.goto(`${url}#/i/payments`);
      await page.getByRole('heading', { name: 'Circuit breaker' }).waitFor();
      await page.getByText('Calls a second as a table').click();
      await page.getByRole('region', { name: 'Calls a second, newest first' }).waitFor();
      await look('instance');

      await page.getByRole('button', { name: 'Force open…', exact: true }).click();
      await page.getByRole('radio', { name: 'the whole fleet' }).check();
      await look('action');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Keyboard help' }).click();
      await look('help');
      expect(browser.errors).toEqual([]);
    });
  });

  it('is worked by the keyboard alone, to the end of an action', async () => {
    const shop = new FakeShop(30);
    shop.fleet = false;
    const { app, url } = await serve(shop);
    app.answer = ({ instance }) => {
      shop.states.set(instance, 'forcedOpen');
      return { status: 200, body: { state: 'forcedOpen' } };
    };
    const page = await browser.open(url);
    await page
      .getByRole('row', { name: /payments/ })
      .first()
      .waitFor();
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = async (name: string): Promise<void> => {
      for (let tabs = 0; tabs < 60 && (await focused(page)) !== name; tabs++) await press('Tab');
      expect(await focused(page)).toBe(name);
    };

    await press('/');
    await page.keyboard.type('catalog');
    await expect.poll(() => rowNames(page)).toEqual(expect.arrayContaining(['CatalogService.find']));
    expect(await rowNames(page)).not.toContain('payments');
    await press('ArrowDown', 'j', 'k', 'Enter');
    await page.getByRole('heading', { name: 'CatalogService.find' }).waitFor();
    expect(await focused(page)).toBe('instance-title');

    await page.getByRole('heading', { name: 'Circuit breaker' }).waitFor();
    await tabTo('Force open…');
    await press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.getByRole('textbox', { name: /Reason/ }).focus();
    await page.keyboard.type('catalogue is rebuilt');
    await press('Enter');
    await page.getByText('Done: CatalogService.find is forced open.').waitFor();

    expect(app.actions).toEqual([
      {
        id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
        process: 'p-1',
        instance: 'CatalogService.find',
        action: 'forceOpen',
        seen: 'closed',
        reason: 'catalogue is rebuilt',
      },
    ]);
    await press('Escape');
    await expect.poll(() => focused(page)).toBe('list');
    expect(await page.locator('[aria-selected=true]').getAttribute('data-name')).toBe('CatalogService.find');
    await press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await press('Escape');
    // A key that comes before the page has drawn itself anew is still the dialog's.
    await expect.poll(() => focused(page)).toBe('list');
    await press('Escape');
    await expect.poll(() => rowNames(page)).toContain('payments');
    await press('End');
    await expect.poll(() => page.locator('[aria-selected=true]').getAttribute('data-name')).not.toContain('Catalog');
    expect(browser.errors).toEqual([]);
  });

  it.each([
    [403, 'FORBIDDEN', 'you may look here, but not act'],
    [409, 'STALE', 'the state has changed since you looked'],
    [409, 'OTHER_PROCESS', 'another process answered'],
    [409, 'REPEATED', 'this very command was already received'],
    [404, 'UNKNOWN_INSTANCE', 'knows no instance of this name'],
    [400, 'INVALID', 'said by the app'],
    [500, undefined, 'The app answered 500'],
  ])('tells %d %s in plain words, and asks anew with another id', async (status, code, words) => {
    const { app, url } = await serve(new FakeShop(7));
    app.answer = () => ({ status, body: code === undefined ? '' : { code, message: 'said by the app' } });
    const page = await browser.open(`${url}#/i/payments`);
    await page.getByRole('button', { name: 'Reset…', exact: true }).click();
    const send = page.getByRole('button', { name: 'Reset', exact: true });

    await send.click();
    await page.getByRole('alert').getByText(words).waitFor();
    await send.click();
    await expect.poll(() => app.actions.length).toBe(2);

    const [first, second] = app.actions;
    expect(first?.id === second?.id).toBe(code === undefined);
  });

  it('says so, when the state moves while somebody decides', async () => {
    const shop = new FakeShop(7);
    const { app, url } = await serve(shop);
    const page = await browser.open(`${url}#/i/payments`);
    await page.getByRole('button', { name: 'Close…', exact: true }).first().click();
    shop.states.set('payments', 'halfOpen');

    await page.getByText('It has become half-open meanwhile.').waitFor();
    await page.getByRole('button', { name: 'Go on with that' }).click();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await expect.poll(() => app.actions[0]?.seen).toBe('halfOpen');
  });

  it('acts on nothing, where nobody may', async () => {
    const shop = new FakeShop(7);
    shop.canAct = false;
    const { url } = await serve(shop);
    const page = await browser.open(`${url}#/i/payments`);

    await page.getByText('You may look here, not act.').waitFor();
    expect(await page.getByRole('button', { name: /…$/ }).count()).toBe(0);
    expect(await page.getByRole('heading', { name: 'Last errors' }).count()).toBe(0);
  });

  it('says when it is not live, comes back by itself, and tells that another process speaks', async () => {
    const shop = new FakeShop(7);
    const { app, url } = await serve(shop);
    const page = await browser.open(url);
    await page.getByText('Live', { exact: true }).waitFor();

    app.turnAway = 403;
    app.breakOff();
    await page.getByText('You may not see this (403).').waitFor();
    await page.getByText('It may have changed since.').waitFor();
    Object.assign(shop.process, { id: 'p-2', pid: 4712 });
    app.turnAway = undefined;

    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('pid 4712').waitFor();
    expect(await page.getByText('It may have changed since.').count()).toBe(0);
  });

  it('tells screen readers which breakers changed', async () => {
    const shop = new FakeShop(7);
    const { url } = await serve(shop);
    const page = await browser.open(url);
    await page.getByText('Live', { exact: true }).waitFor();

    shop.states.set('CatalogService.find', 'open');

    await page.getByRole('status').getByText('CatalogService.find is open.').waitFor();
  });

  it.each(WIDTHS)('shows hostile names as text at %d px', async (width) => {
    const shop = new FakeShop(HOSTILE.length, HOSTILE);
    shop.process.host = '<b>host</b>';
    const { url } = await serve(shop);
    const page = await browser.open(url, { viewport: { width, height: 900 } });
    page.on('dialog', () => browser.errors.push('a script of a name ran'));
    await page.getByText('<script>alert(1)</script>').first().waitFor();
    expect(await overflow(page)).toBe(0);
    await screenshot(page, `hostile-${width}`);

    for (const name of [HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[4]] as string[]) {
      await page.goto(`${url}#/i/${encodeURIComponent(name)}`);
      await page
        .getByRole('heading', { name: 'Circuit breaker' })
        .or(page.getByRole('heading', { name: 'Limits' }))
        .first()
        .waitFor();
      expect(await overflow(page)).toBe(0);
    }
    expect(browser.errors).toEqual([]);
  });

  it('draws its charts at once, and anew in another theme', async () => {
    const { url } = await serve(new FakeShop(7));
    for (const timer of timers.splice(0)) clearInterval(timer);
    const page = await browser.open('about:blank', { colorScheme: 'light' });
    // Nothing that comes later may draw what was not drawn at first.
    await page.addInitScript(() => Object.assign(globalThis, { setInterval: () => 0 }));
    await page.goto(url);
    await page.locator('[data-name=payments] a').click();
    await page.locator('.plot canvas').first().waitFor();
    /** How many pixels of the first chart are like a colour of the theme, of which some are half transparent. */
    const like = (variable: string): Promise<number> =>
      page.evaluate(async (name) => {
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const canvas = document.querySelector('.plot canvas') as HTMLCanvasElement;
        const context = canvas.getContext('2d') as CanvasRenderingContext2D;
        const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let at = 0; at < data.length; at += 4)
          if (data[at + 3] && wanted.every((part, index) => Math.abs(part - (data[at + index] ?? 0)) < 4)) found++;
        return found;
      }, variable);

    expect(await like('--chart-failure')).toBeGreaterThan(100);
    expect(await like('--chart-refused')).toBeGreaterThan(100);
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await like('--chart-failure')).toBeGreaterThan(100);
  });

  it('keeps the theme that was chosen', async () => {
    const { url } = await serve(new FakeShop(7));
    const page = await browser.open(url, { colorScheme: 'light' });
    const theme = () => page.evaluate(() => document.documentElement.dataset['theme']);
    expect(await theme()).toBe('light');

    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await theme()).toBe('dark');
    await page.reload();
    expect(await theme()).toBe('dark');
  });

  it('stays smooth with 500 instances that change each second', async () => {
    const { url } = await serve(new FakeShop(500));
    const page = await browser.open(url);
    await page
      .getByRole('row', { name: /payments/ })
      .first()
      .waitFor();
    await page.waitForTimeout(2_000);

    const tasks = await browser.taskTimes(page, async () => {
      await page.locator('#list').focus();
      for (let second = 0; second < 8; second++) {
        await page.mouse.move(400, 500);
        for (let turn = 0; turn < 5; turn++) await page.mouse.wheel(0, 900);
        await page.keyboard.press(second % 2 === 0 ? 'End' : 'Home');
        await page.waitForTimeout(1_000);
      }
    });

    const shown = (await rowNames(page)).length;
    const longest = tasks.slice(0, 5).map((ms) => ms.toFixed(0));
    const busy = tasks.reduce((sum, ms) => sum + ms, 0) / 8;
    console.log(`longest tasks ${longest.join(', ')} ms; busy ${busy.toFixed(0)} ms a second; ${shown} rows`);
    expect(tasks.length).toBeGreaterThan(8);
    expect(tasks[0]).toBeLessThan(200);
    expect(shown).toBeLessThan(80);
  });
});
