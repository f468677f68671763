import { describe, expect, it } from 'vitest';
import {
  accept,
  amount,
  ask,
  keyText,
  milliseconds,
  notify,
  rank,
  yesOrNo,
  type Wanted,
} from '../../../lib/kernel/ask.js';
import { settle } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const PLACE = 'Shop.buy, isFailure';
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('ask', () => {
  it("gives the callback's answer", () => {
    const environment = new TestEnvironment();

    expect(ask(environment, PLACE, rank, 1, () => 2)).toBe(2);
    expect(environment.reports).toEqual([]);
  });

  it('reports what the callback throws, and gives the default', () => {
    const environment = new TestEnvironment();
    const error = new Error('mine');

    const answer = ask(environment, PLACE, rank, 1, () => {
      throw error;
    });

    expect(answer).toBe(1);
    expect(environment.reports).toEqual([{ place: PLACE, error }]);
  });

  const rubbish = [Symbol('x'), {}, [], () => true, revoked(), NaN];
  it.each<[string, Wanted<unknown>, readonly (readonly [unknown, unknown])[], readonly unknown[]]>([
    [
      'a predicate',
      yesOrNo,
      [
        [true, true],
        [false, false],
        [undefined, false],
        [null, false],
      ],
      [...rubbish, 1, 0, '', 'no'],
    ],
    [
      'a time',
      milliseconds,
      [
        [0, 0],
        [2.5, 2.5],
      ],
      [...rubbish, -1, Infinity, '5', undefined, null, true, 5n],
    ],
    [
      'a cost',
      amount,
      [
        [0, 0],
        [2.5, 2.5],
      ],
      [...rubbish, -1, Infinity, '5', undefined, null, true, 5n],
    ],
    [
      'a priority',
      rank,
      [
        [-1, -1],
        [Infinity, Infinity],
      ],
      [...rubbish, '5', undefined, null, true, 5n],
    ],
    [
      'a key',
      keyText,
      [
        ['', ''],
        ['a', 'a'],
        [5, '5'],
        [5n, '5'],
        [true, 'true'],
        [undefined, undefined],
      ],
      [...rubbish.slice(0, -1), null],
    ],
  ])('takes of %s what it may answer, and reports the rest', (_, wanted, good, bad) => {
    for (const [answer, read] of good) {
      const environment = new TestEnvironment();

      expect(accept(environment, PLACE, wanted, 'default', answer)).toBe(read);
      expect(environment.reports).toEqual([]);
    }
    for (const answer of bad) {
      const environment = new TestEnvironment();

      expect(accept(environment, PLACE, wanted, 'default', answer)).toBe('default');
      expect(String(environment.reports[0]?.error)).toContain(`TypeError: expected ${wanted.expected}, got `);
    }
  });

  it('reports a promise, and its rejection, which is nobody else to hear', async () => {
    const environment = new TestEnvironment();

    const answer = ask(environment, PLACE, yesOrNo, false, async () => {
      throw new Error('later');
    });
    await settle();

    expect(answer).toBe(false);
    expect(environment.reports.map(({ error }) => String(error))).toEqual([
      'TypeError: expected true or false, got a promise',
      'Error: later',
    ]);
  });
});

describe('notify', () => {
  it('reports a listener that throws, now or later', async () => {
    const environment = new TestEnvironment();

    notify(environment, PLACE, () => {
      throw new Error('now');
    });
    notify(environment, PLACE, async () => {
      throw new Error('later');
    });
    notify(environment, PLACE, () => 'whatever');
    await settle();

    expect(environment.reports.map(({ error }) => (error as Error).message)).toEqual(['now', 'later']);
  });
});
