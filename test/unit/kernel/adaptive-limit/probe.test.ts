import { describe, expect, it } from 'vitest';
import { below, Probe } from '../../../../lib/kernel/adaptive-limit/probe.js';

describe('below()', () => {
  it.each([
    [100, 1, 60],
    [25, 1, 15],
    [5, 1, 4],
    [4, 1, 4],
    [3, 1, 3],
    [25, 20, 20],
    [20, 20, 20],
  ])('goes from %i, with %i at least, to %i', (limit, min, expected) => {
    expect(below(limit, min)).toBe(expected);
  });
});

describe('Probe', () => {
  const KNEE = 20;
  const WORK_MS = 50;
  const latencyAt = (limit: number): number => (WORK_MS * Math.max(limit, KNEE)) / KNEE;
  const estimate = (mean: number) => ({ mean, error: 0 });

  /** Lets calls of a full service end, until the probe knows; gives what it found and the limits it went to. */
  function run(settled: number, known: number | undefined, min = 1, work = 1) {
    const full = estimate(work * latencyAt(settled));
    const probe = new Probe(full, settled, known === undefined ? undefined : estimate(known), min, 0);
    const limits = [probe.limit];
    for (let now = 0, ends = 0; ends < 10_000; ends++) {
      const latency = work * latencyAt(probe.limit);
      now += latency / probe.limit;
      const found = probe.ended(now, latency, probe.limit, false);
      if (limits.at(-1) !== probe.limit) limits.push(probe.limit);
      if (found !== undefined) return { found: found.mean, limits };
    }
    throw new Error('the probe has found nothing');
  }

  it('finds how long the work takes at a lower limit', () => {
    expect(run(25, 50)).toEqual({ found: expect.closeTo(50, 5), limits: [15] });
  });

  it('goes on to lower limits, while throughput stays the same', () => {
    const { found, limits } = run(500, 50);

    expect(found).toBeCloseTo(50, 5);
    expect(limits).toEqual([300, 180, 108, 64, 38, 22, 13]);
  });

  it('looks once more, when nothing is known, or the work seems to have become slower', () => {
    expect(run(25, undefined).limits).toEqual([15, 9]);
    expect(run(25, 50, 1, 2)).toEqual({ found: expect.closeTo(100, 5), limits: [15, 9] });
  });

  it('goes no lower than it may', () => {
    expect(run(500, 50, 100).limits).toEqual([300, 180, 108, 100]);
    expect(run(10, 20, 1, 2).limits).toEqual([6]);
  });

  it('waits for the calls of the limit above to end, and for those behind which others queued', () => {
    const probe = new Probe(estimate(62.5), 25, estimate(50), 1, 0);
    for (let inFlight = 25; inFlight > 15; inFlight--) expect(probe.ended(1, 1_000, inFlight, false)).toBeUndefined();
    for (let passed = 0; passed < 1 + 15; passed++) expect(probe.ended(2, 1_000, 15, false)).toBeUndefined();

    for (let ends = 0; ends < 9; ends++) expect(probe.ended(50, 50, 15, false)).toBeUndefined();

    expect(probe.ended(102, 50, 15, true)?.mean).toBe(50);
    expect(probe.cutShare).toBe(0.1);
  });

  it('does not wait for ever', () => {
    const probe = new Probe(estimate(62.5), 25, estimate(50), 1, 0);

    // They keep their slots, whatever the limit.
    for (let now = 0; now <= 1_010; now += 10) probe.ended(now, 50, 25, false);
    let found;
    for (let ends = 0; ends < 40 && found === undefined; ends++) found = probe.ended(1_020 + 10 * ends, 50, 25, false);

    expect(found?.mean).toBe(50);
  });
});
