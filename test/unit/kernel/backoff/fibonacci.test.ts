import { describe, expect, it } from 'vitest';
import { fibonacci } from '../../../../lib/kernel/backoff/fibonacci.js';
import { pausesOf } from '../../../support/pauses.js';

describe('fibonacci', () => {
  it('gives the sum of the two pauses before', () => {
    expect(pausesOf(fibonacci({ initial: 10 }), 8)).toEqual([10, 10, 20, 30, 50, 80, 130, 210]);
  });

  it('stops growing at its longest pause', () => {
    expect(pausesOf(fibonacci({ initial: 10, max: 45 }), 6)).toEqual([10, 10, 20, 30, 45, 45]);
    expect(pausesOf(fibonacci(), 2_000).at(-1)).toBe(10_000);
  });

  it('has a value for each option', () => {
    expect(pausesOf(fibonacci(), 3)).toEqual([100, 100, 200]);
  });

  it.each([{ initial: -1 }, { max: NaN }, { step: 5 }, { initial: 9, max: 8 }])('refuses %j', (options) => {
    expect(() => fibonacci(options as object)).toThrow(/^backoff fibonacci\(\): .*expected/);
  });
});
