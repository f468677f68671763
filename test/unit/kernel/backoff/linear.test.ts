import { describe, expect, it } from 'vitest';
import { linear } from '../../../../lib/kernel/backoff/linear.js';
import { pausesOf } from '../../../support/pauses.js';

describe('linear', () => {
  it('grows by the same step, from the first pause on', () => {
    expect(pausesOf(linear({ initial: 50, step: 20 }), 4)).toEqual([50, 70, 90, 110]);
  });

  it('stops growing at its longest pause', () => {
    expect(pausesOf(linear({ initial: 50, step: 20, max: 75 }), 4)).toEqual([50, 70, 75, 75]);
  });

  it('has a value for each option', () => {
    expect(pausesOf(linear(), 2)).toEqual([100, 200]);
    expect(pausesOf(linear({ step: undefined }), 200).at(-1)).toBe(10_000);
  });

  it.each([{ initial: -1 }, { step: NaN }, { max: Infinity }, { initial: '5' }, { steps: 5 }, { initial: 9, max: 8 }])(
    'refuses %j',
    (options) => {
      expect(() => linear(options as object)).toThrow(/^backoff linear\(\): .*expected/);
    },
  );
});
