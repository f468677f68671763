import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtDocs, docsToolsMissing } from './support/built-docs.js';
import { Chromium, chromiumMissing, overflow, screenshot, seriousFaults } from './support/chromium.js';
import { StaticServer } from './support/static-server.js';

/** What people ask, and the page that answers. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ['how do I time out', 'policies/timeout.html'],
  ['open breaker', 'policies/circuit-breaker.html'],
  ['retry POST', 'policies/retry.html'],
  ['Kubernetes readiness', 'health.html'],
  ['redis down', 'cluster-rate-limits.html'],
  ['requests per second', 'policies/rate-limit.html'],
  ['token budget for an LLM', 'recipes/llm-api.html'],
  ['fake time in tests', 'testing.html'],
  ['grafana dashboard alerts', 'metrics.html'],
  ['too many requests shed load', 'policies/system-protection.html'],
  ['change a threshold without restart', 'rules.html'],
  ['getting started', 'quick-start.html'],
  ['order of decorators', 'how-it-decides.html'],
  ['Prisma unique constraint', 'recipes/database.html'],
  ['migrate from opossum', 'ways-over/from-opossum.html'],
  ['my breaker does not open', 'troubleshooting.html'],
  ['unknown name at start', 'troubleshooting.html'],
  ['list of events', 'events.html'],
  ['cockatiel', 'ways-over/from-cockatiel.html'],
  ['UseResilience', 'ways-over/from-nestjs-resilience.html'],
  ['slidingWindowSize', 'ways-over/from-resilience4j.html'],
];
const PAGES = [
  'index',
  'quick-start',
  'events',
  'troubleshooting',
  'policies/circuit-breaker',
  'how-it-decides',
  'api/nestjs-bulwark/index',
];
const LOOKS = [
  { look: 'light', width: 1400, colorScheme: 'light' },
  { look: 'dark', width: 1400, colorScheme: 'dark' },
  { look: 'phone', width: 400, colorScheme: 'light' },
] as const;

describe.skipIf(chromiumMissing() ?? docsToolsMissing())('the site of the documentation', () => {
  let folder: string;
  let browser: Chromium;
  let server: StaticServer;
  let url: string;

  beforeAll(async () => {
    folder = await builtDocs();
    server = new StaticServer(folder);
    url = await server.start();
    browser = await Chromium.start();
  }, 600_000);
  afterEach(() => browser.clear());
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A page that takes nothing from anywhere else. */
  async function open(path: string, width = 1400, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await browser.open('about:blank', { viewport: { width, height: 900 }, colorScheme });
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
        browser.errors.push(`asked elsewhere: ${request.url()}`);
    });
    await page.goto(`${url}/${path}`);
    // Its program has taken over what was built.
    await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}));
    return page;
  }

  it('finds first the page that answers a question', async () => {
    const page = await open('index.html');
    const found: [string, string][] = [];

    for (const [question] of QUESTIONS) {
      await page.keyboard.press('Control+k');
      await page.locator('#localsearch-input').fill(question);
      const first = page.locator('.VPLocalSearchBox .result').first();
      await page.waitForTimeout(400); // its own pause after a key
      await first.waitFor();
      found.push([question, new URL((await first.getAttribute('href')) ?? '', page.url()).pathname.slice(1)]);
      await page.keyboard.press('Escape');
    }

    expect(found).toEqual(QUESTIONS);
    expect(browser.errors).toEqual([]);
  });

  it('has no link, picture or anchor that leads nowhere', () => {
    const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.html'));
    const html = new Map(pages.map((path) => [`/${path}`, readFileSync(join(folder, path), 'utf8')]));
    const files = new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `/${path}`));
    const dead: string[] = [];

    for (const [path, text] of html) {
      for (const [, link = ''] of text.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        if (/^(?:[a-z]+:|\/\/)/.test(link)) continue;
        const { pathname, hash } = new URL(link.replaceAll('&amp;', '&'), `${url}${path}`);
        const file = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
        if (!files.has(file)) dead.push(`${path}: ${link}`);
        else if (hash !== '' && html.get(file)?.includes(` id="${decodeURIComponent(hash.slice(1))}"`) !== true)
          dead.push(`${path}: ${link}: no such anchor`);
      }
    }

    expect(pages.length).toBeGreaterThan(50);
    expect(dead).toEqual([]);
  });

  it.each(LOOKS)('is usable by all, and asks for nothing elsewhere: $look', async ({ look, width, colorScheme }) => {
    const faults: string[] = [];

    for (const path of PAGES) {
      const page = await open(`${path}.html`, width, colorScheme);
      await screenshot(page, `docs-${path.replaceAll('/', '-')}-${look}`);

      if ((await overflow(page)) > 0) faults.push(`${path}: wider than the window`);
      faults.push(...(await seriousFaults(page)).map((fault) => `${path}: ${fault}`));
    }

    expect(faults).toEqual([]);
    expect(browser.errors).toEqual([]);
    expect(server.missing).toEqual([]);
  });
});
