import { describe, expect, it } from 'vitest';
import { fixed } from '../../../../lib/kernel/backoff/fixed.js';
import { pausesOf } from '../../../support/pauses.js';

describe('fixed', () => {
  it('gives the same pause each time', () => {
    expect(pausesOf(fixed(250), 3)).toEqual([250, 250, 250]);
    expect(pausesOf(fixed(0), 2)).toEqual([0, 0]);
  });

  it.each([-1, NaN, Infinity, '5', null, undefined])('refuses %s', (ms) => {
    expect(() => fixed(ms as number)).toThrow(
      /^backoff fixed\(\): ms: expected a number of milliseconds from 0 to .*, got/,
    );
  });
});
