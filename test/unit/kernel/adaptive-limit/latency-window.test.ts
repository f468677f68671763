import { describe, expect, it } from 'vitest';
import { isNews, LatencyWindow, pooled, updated } from '../../../../lib/kernel/adaptive-limit/latency-window.js';

describe('LatencyWindow', () => {
  it('estimates a mean and its standard error', () => {
    const window = new LatencyWindow(0, 0);
    for (const ms of [10, 20, 30, 40]) window.add(1, ms, ms === 40);

    const { mean, error } = window.estimate();

    expect(mean).toBe(25);
    expect(error).toBeCloseTo(Math.sqrt(125 / 4) / 25, 10);
    expect(window.cutShare).toBe(0.25);
  });

  it('begins when the calls have ended that are to pass', () => {
    const window = new LatencyWindow(0, 2);
    window.add(5, 1_000, true);
    window.add(7, 1_000, true);

    window.add(9, 10, false);

    expect(window).toMatchObject({ from: 7, count: 1, mean: 10, cutShare: 0 });
    window.restart(20, 1);
    window.add(21, 1_000, false);
    expect(window).toMatchObject({ from: 21, count: 0, mean: 0 });
  });
});

describe('measurements of the same', () => {
  it('are news only where they differ by more than chance', () => {
    const older = { mean: 100, error: 0.03 };

    expect(isNews({ mean: 119, error: 0.04 }, older)).toBe(false);
    expect(isNews({ mean: 121, error: 0.04 }, older)).toBe(true);
    expect(isNews({ mean: 79, error: 0.04 }, older)).toBe(true);
    expect(isNews({ mean: 100, error: 0 }, undefined)).toBe(true);
  });

  it('are pooled by their precision, the older ones ever less', () => {
    const { mean, error } = pooled({ mean: 110, error: 0.05 }, { mean: 100, error: 0.05 });

    expect(mean).toBeCloseTo((110 + 100 / 1.2) / (1 + 1 / 1.2), 10);
    expect(error).toBeCloseTo(0.05 / Math.sqrt(1 + 1 / 1.2), 10);
    expect(pooled({ mean: 110, error: 0.5 }, { mean: 100, error: 0 }).mean).toBeCloseTo(100, 1);
  });

  it('come ever closer to the truth, and leave it at once when it changes', () => {
    let known = { mean: 112, error: 0.1 };
    for (let turn = 0; turn < 20; turn++) known = updated({ mean: 100, error: 0.1 }, known);

    expect(known.mean).toBeCloseTo(100, 0);
    expect(known.error).toBeLessThan(0.05);
    const changed = { mean: 200, error: 0.1 };
    expect(updated(changed, known)).toBe(changed);
    expect(updated(changed, undefined)).toBe(changed);
  });
});
