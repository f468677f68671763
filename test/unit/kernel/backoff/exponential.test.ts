import { describe, expect, it } from 'vitest';
import { exponential } from '../../../../lib/kernel/backoff/exponential.js';
import { RETRY_DEFAULTS } from '../../../../lib/policies/retry/retry.options.js';
import { pausesOf } from '../../../support/pauses.js';

describe('exponential', () => {
  it('grows by its factor, from the first pause on', () => {
    expect(pausesOf(exponential({ initial: 10, factor: 3, jitter: 'none' }), 4)).toEqual([10, 30, 90, 270]);
  });

  it('stops growing at its longest pause', () => {
    expect(pausesOf(exponential({ initial: 10, max: 35, jitter: 'none' }), 4)).toEqual([10, 20, 35, 35]);
  });

  it('stays at its longest pause, however many attempts there are', () => {
    expect(pausesOf(exponential({ jitter: 'none' }), 5_000).at(-1)).toBe(10_000);
  });

  it('with full jitter gives anything from 0 to the pause', () => {
    const backoff = exponential({ initial: 100, jitter: 'full' });

    expect(pausesOf(backoff, 3, () => 0)).toEqual([0, 0, 0]);
    expect(pausesOf(backoff, 3, () => 0.5)).toEqual([50, 100, 200]);
    expect(pausesOf(backoff, 3, () => 0.75)).toEqual([75, 150, 300]);
  });

  it('with equal jitter gives the second half of the pause', () => {
    const backoff = exponential({ initial: 100, jitter: 'equal' });

    expect(pausesOf(backoff, 3, () => 0)).toEqual([50, 100, 200]);
    expect(pausesOf(backoff, 3, () => 0.5)).toEqual([75, 150, 300]);
  });

  it('jitters below its longest pause', () => {
    expect(pausesOf(exponential({ initial: 100, max: 150, jitter: 'full' }), 3, () => 0.9)).toEqual([90, 135, 135]);
  });

  it('is 100 ms, doubled, at most 10 s, with full jitter, when nothing is said', () => {
    expect(pausesOf(exponential(), 9)).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(RETRY_DEFAULTS.backoff).toMatchObject({
      kind: 'exponential',
      options: { initial: 100, factor: 2, max: 10_000, jitter: 'full' },
    });
  });

  it.each([
    { initial: -1 },
    { factor: 0.5 },
    { factor: Infinity },
    { factor: NaN },
    { max: '9' },
    { jitter: 'half' },
    { jitter: true },
    { base: 2 },
    { initial: 200, max: 100 },
  ])('refuses %j', (options) => {
    expect(() => exponential(options as object)).toThrow(/^backoff exponential\(\): .*expected/);
  });
});
