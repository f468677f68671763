import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { compileScene } from './support/compiled-scene.js';
import type { BudgetReport, HangUpReport, RetryReport, TinyReport } from './three-services.scene.js';

const scene = compileScene('three-services');
afterAll(scene.remove);

async function play<T>(...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [scene.file, ...args]);
  return JSON.parse(stdout) as T;
}

/**
 * What is due in 20 ms and in 50 ms may take ten times as long where other processes have the machine; `QUIET_MACHINE=1` holds
 * the times themselves, over 10,000 calls.
 */
const SLACK = process.env['QUIET_MACHINE'] === undefined ? 10 : 1;

/** How many calls are made under a budget. */
const CALLS = process.env['QUIET_MACHINE'] === undefined ? '1000' : '10000';

/** `SHOW_FIGURES=1` shows what was measured. */
function show(platform: string, report: unknown): void {
  if (process.env['SHOW_FIGURES'] !== undefined) process.stderr.write(`${platform} ${JSON.stringify(report)}\n`);
}

describe.each(['express', 'fastify'])('three services in a row, on %s', (platform) => {
  it('work no longer than the budget of the first one', { timeout: 300_000, retry: 2 }, async () => {
    const report = await play<BudgetReport>(platform, 'budget', CALLS);
    show(platform, report);

    expect(report.cut).toBeGreaterThan(report.calls / 50);
    expect(report.overAtRest.max).toBeLessThanOrEqual(20 * SLACK);
    expect(Object.keys(report.statuses)).toEqual(['200', '500', '504']);
  });

  it('are soon free again when the client hangs up, waits and timers included', { retry: 2 }, async () => {
    const report = await play<HangUpReport>(platform, 'hang-up');
    show(platform, report);

    expect(report.before).toEqual([20, 20, 25]);
    expect(report.after).toEqual([0, 0, 0]);
    expect(report.running).toBe(0);
    expect(report.timers).toBe(0);
    expect(report.freedAfterMs[4]).toBeLessThan(50 * SLACK);
  });

  it('open no breaker for a client that gives 1 to 5 ms', async () => {
    const report = await play<TinyReport>(platform, 'tiny', '2000');
    show(platform, report);

    expect(report.failures).toEqual([0, 0, 0]);
    expect(new Set(report.states)).toEqual(new Set(['closed']));
    expect(report.statuses).toEqual({ 504: 2_000 });
  });

  it('make failed calls again in one layer only', async () => {
    expect(await play<RetryReport>(platform, 'retries')).toEqual({ attempts: 3 });
  });
});
