import { describe, expect, it } from 'vitest';
import { adaptive, concurrency } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';

describe('adaptive()', () => {
  it('has defaults, which give way to what is said', () => {
    expect(adaptive().options).toEqual({ initial: 20, min: 4, max: 1_000, tolerance: 1, probeEvery: 10_000 });
    expect(adaptive({ max: 10 }).options).toMatchObject({ initial: 10, min: 4, max: 10 });
    expect(adaptive({ max: 2 }).options).toMatchObject({ initial: 2, min: 2, max: 2 });
    expect(adaptive({ min: 50 }).options).toMatchObject({ initial: 50, min: 50, max: 1_000 });
    expect(adaptive({ initial: 1 }).options).toMatchObject({ initial: 1, min: 1 });
  });

  it.each([
    [{ initial: 0 }, "adaptive(): option 'initial': expected a whole number of at least 1, got 0"],
    [{ min: 1.5 }, "adaptive(): option 'min': expected a whole number of at least 1, got 1.5"],
    [{ max: '9' }, "adaptive(): option 'max': expected a whole number of at least 1, got '9'"],
    [{ tolerance: 0.9 }, "adaptive(): option 'tolerance': expected a number of at least 1, got 0.9"],
    [{ probeEvery: 0 }, "adaptive(): option 'probeEvery': expected a number of milliseconds above 0"],
    [{ min: 9, max: 8 }, "adaptive(): option 'max': expected at least 'min' (9), got 8"],
    [{ min: 5, initial: 4 }, "adaptive(): option 'initial': expected a number from 'min' (5) to 'max' (1000), got 4"],
    [{ limit: 4 }, "adaptive(): unknown option 'limit'"],
  ])('refuses %j', (options, message) => {
    expect(() => adaptive(options as object)).toThrow(message);
  });

  it('is what a limit of calls may be, beside a number', () => {
    expect([adaptive(), 1].map(concurrency.accepts)).toEqual([true, true]);
    const others = [0, 'adaptive', null, { kind: 'adaptive' }, { kind: 'adaptive', options: {} }, { ...adaptive() }];
    expect(others.filter(concurrency.accepts)).toEqual([]);
  });
});
