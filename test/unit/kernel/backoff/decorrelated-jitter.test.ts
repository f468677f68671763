import { describe, expect, it } from 'vitest';
import { decorrelatedJitter } from '../../../../lib/kernel/backoff/decorrelated-jitter.js';
import { pausesOf } from '../../../support/pauses.js';
import { seededRandom } from '../../../support/seeded-random.js';

describe('decorrelatedJitter', () => {
  it('lies between the first pause and three times the pause before', () => {
    const pauses = pausesOf(decorrelatedJitter({ initial: 10, max: 1_000_000 }), 200, seededRandom(1));

    const ratios = pauses.map((pause, index) => pause / (pauses[index - 1] ?? 10));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(3);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  it('follows chance', () => {
    expect(pausesOf(decorrelatedJitter({ initial: 10 }), 3, () => 0)).toEqual([10, 10, 10]);
    expect(pausesOf(decorrelatedJitter({ initial: 10 }), 3, () => 0.5)).toEqual([20, 35, 57.5]);
  });

  it('stops growing at its longest pause', () => {
    expect(pausesOf(decorrelatedJitter({ initial: 10, max: 50 }), 5, () => 0.999).at(-1)).toBe(50);
    expect(pausesOf(decorrelatedJitter(), 100, () => 0.999).at(-1)).toBe(10_000);
  });

  it('begins anew for each call', () => {
    const backoff = decorrelatedJitter({ initial: 10 });

    expect(pausesOf(backoff, 3)).toEqual(pausesOf(backoff, 3));
  });

  it.each([{ initial: -1 }, { max: NaN }, { step: 5 }, { initial: 9, max: 8 }])('refuses %j', (options) => {
    expect(() => decorrelatedJitter(options as object)).toThrow(/^backoff decorrelatedJitter\(\): .*expected/);
  });
});
