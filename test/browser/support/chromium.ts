import { spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { missingServer } from '../../support/servers/own-server.js';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SCREENSHOTS = fileURLToPath(new URL('../../../test-results/screenshots/', import.meta.url));
const AXE = fileURLToPath(new URL('../../../node_modules/axe-core/axe.min.js', import.meta.url));

/** Why no browser can be started here; undefined: one can. */
export function chromiumMissing(): string | undefined {
  return executable() === undefined ? missingServer('Chromium', 'chromium') : undefined;
}

function executable(): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' });
  return stdout.trim() || undefined;
}

/** A part of what Chromium writes of each event. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Of the processor, us. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** A browser, with all that its pages complained about. */
export class Chromium {
  /** Errors of the console and those that nobody caught. */
  readonly errors: string[] = [];

  private constructor(private readonly browser: Browser) {}

  static async start(): Promise<Chromium> {
    const executablePath = executable();
    if (executablePath === undefined) throw new Error('there is no chromium');
    return new Chromium(await chromium.launch({ executablePath, args: ARGS }));
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(`${message.text()} ${message.location().url}`);
    });
    await page.goto(url);
    return page;
  }

  /**
   * How long the tasks of the page's main thread were while something went on, ms, longest first: by the processor's
   * time, so that other processes make no task longer.
   */
  async taskTimes(page: Page, during: () => Promise<void>): Promise<number[]> {
    await this.browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
    await during();
    const { traceEvents } = JSON.parse((await this.browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    const main = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
    const isMain = ({ pid, tid }: TraceEvent): boolean => main.some((one) => one.pid === pid && one.tid === tid);
    return traceEvents
      .filter((event) => event.name.endsWith('RunTask') && event.tdur !== undefined && isMain(event))
      .map(({ tdur = 0 }) => tdur / 1_000)
      .sort((one, other) => other - one);
  }

  /** Closes all pages, and forgets their errors. */
  async clear(): Promise<void> {
    await Promise.all(this.browser.contexts().map((context) => context.close()));
    this.errors.length = 0;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

/** Keeps a picture of the page. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/** What axe finds that keeps somebody from using the page, as `rule: element`. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  if (results.passes.length < 10) throw new Error('axe has hardly looked at the page');
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    );
}

/** How much of the page stands beyond the right edge of the window, px. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}
