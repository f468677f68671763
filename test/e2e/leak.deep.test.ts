import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeakReport } from './leak.scene.js';
import { compileScene } from './support/compiled-scene.js';

describe('20,000 calls through a full stack, ended by success, failure, timeout, abort and refusal', () => {
  const scene = compileScene('leak');
  let report: LeakReport;

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', scene.file], {
      timeout: 110_000,
    });
    report = JSON.parse(stdout) as LeakReport;
  }, 120_000);

  afterAll(scene.remove);

  it('end in every way that they can', () => {
    const { calls, outcomes } = report;

    expect(calls).toBeGreaterThanOrEqual(20_000);
    expect(Object.keys(outcomes).sort()).toEqual([
      'AbortError',
      'BulkheadFullException',
      'CircuitOpenException',
      'Error',
      'TimeoutException',
      'value',
    ]);
  });

  it('leave no listener on the signal that came with all of them', () => {
    expect(report.listenersOnLongLivedSignal).toBe(0);
  });

  it('leave no listener on the signals that were aborted', () => {
    expect(report.listenersOnAbortedSignals).toBe(0);
  });

  it('leave at most one timer for each time limit of the app, not one for each call', () => {
    // Four methods and one set have a limit, four of them a total as well, one a wait and an abandonment.
    expect(report.timersWhileOpen).toBeLessThanOrEqual(14);
  });

  it('leave no timer once the app is closed', () => {
    expect(report.timersAfterClose).toBe(0);
  });

  it('leave no handle once the app is closed, and the process ends by itself', () => {
    expect(report.resourcesAfterClose).toEqual([]);
  });

  it('do not make the heap grow', () => {
    // 5,000 calls: a leak of one small object each would be 300 KB or more.
    expect(report.heapGrowth).toBeLessThan(250_000);
  });

  it('do not keep the AsyncLocalStorage stores of the requests that made them', () => {
    const kept = Object.entries(report.storesAlive).filter(([, count]) => count > 0);

    expect(kept).toEqual([]);
  });
});
