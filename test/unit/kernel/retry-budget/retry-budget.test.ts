import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import {
  checkRetryBudget,
  refuseOtherBudget,
  RETRY_BUDGET_DEFAULTS,
  type RetryBudgetOptions,
} from '../../../../lib/kernel/retry-budget/retry-budget.options.js';
import { pick, seededRandom } from '../../../support/seeded-random.js';

const START = 1_000_000;
const budgetOf = (options: RetryBudgetOptions = {}): RetryBudget =>
  new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, ...options }, START);

/** Takes until there is nothing left; how many tokens there were. */
function drain(budget: RetryBudget, now: number): number {
  let taken = 0;
  while (budget.take(now)) taken++;
  return taken;
}

describe('RetryBudget', () => {
  it('is full at the start', () => {
    expect(drain(budgetOf(), START)).toBe(10);
  });

  it('earns a token by five first attempts', () => {
    const budget = budgetOf();
    drain(budget, START);

    for (let first = 0; first < 4; first++) budget.earn(START);
    expect(budget.take(START)).toBe(false);
    budget.earn(START);

    expect(budget.take(START)).toBe(true);
    expect(budget.take(START)).toBe(false);
  });

  it('earns a token in ten seconds by time alone', () => {
    const budget = budgetOf();
    drain(budget, START);

    expect(budget.take(START + 9_999)).toBe(false);
    expect(budget.take(START + 10_000)).toBe(true);
  });

  it('holds ten tokens at least, and what was earned in the last ten seconds', () => {
    const budget = budgetOf();
    for (let ms = 0; ms < 60_000; ms += 10) budget.earn(START + ms);

    // 100 calls/s for 10 s earn 200 tokens, the time one more.
    expect(budget.capacityAt(START + 59_990)).toBeCloseTo(201);
    expect(budget.tokensAt(START + 59_990)).toBeCloseTo(201);
    expect(budget.capacityAt(START + 64_990)).toBeCloseTo(101);
    expect(budget.tokensAt(START + 64_990)).toBeCloseTo(101);
    expect(budget.tokensAt(START + 70_000)).toBe(10);
    expect(budget.tokensAt(START + 3_600_000)).toBe(10);
  });

  it('takes back the token of an attempt that was not made', () => {
    const budget = budgetOf({ min: 1 });
    budget.take(START);
    budget.giveBack();
    budget.giveBack();

    expect(drain(budget, START)).toBe(1);
  });

  it('counts an attempt that began a while ago, and is not confused by a clock that stands', () => {
    const budget = budgetOf({ min: 0, perSecond: 0, ratio: 1 });

    budget.earn(START + 5_000);
    budget.earn(START);

    expect(budget.tokensAt(START + 5_000)).toBe(2);
  });

  it('never allows anything, where nothing is earned and nothing held', () => {
    const budget = budgetOf({ min: 0, perSecond: 0, ratio: 0 });
    budget.earn(START);

    expect(budget.take(START + 1e9)).toBe(false);
  });

  it('is full again under other options', () => {
    const budget = budgetOf();
    drain(budget, START);

    budget.configure({ ...RETRY_BUDGET_DEFAULTS, min: 3 });

    expect(budget.options.min).toBe(3);
    expect(drain(budget, START)).toBe(3);
  });
});

/** The same as one would write it without caring for speed: every first attempt is kept. */
class Model {
  tokens: number;
  #firsts: number[] = [];
  #paidAt = START;

  constructor(readonly options: Required<RetryBudgetOptions>) {
    this.tokens = options.min;
  }

  capacity(now: number): number {
    const oldest = Math.floor(now / 1_000) - 9;
    const recent = this.#firsts.filter((at) => Math.floor(at / 1_000) >= oldest).length;
    return Math.max(this.options.min, recent * this.options.ratio + 10 * this.options.perSecond);
  }

  /** Ten times a second, so that it is clipped again and again on the way. */
  pass(now: number): void {
    while (this.#paidAt < now) {
      const next = Math.min(now, this.#paidAt + 100);
      this.tokens += ((next - this.#paidAt) / 1_000) * this.options.perSecond;
      this.tokens = Math.min(this.tokens, this.capacity(next));
      this.#paidAt = next;
    }
  }

  first(now: number): void {
    this.#firsts.push(now);
    this.tokens = Math.min(this.tokens + this.options.ratio, this.capacity(now));
  }
}

describe('RetryBudget, against a model', () => {
  it.each([1, 2, 3, 4, 5, 6])('holds the same and lends no more than was earned, seed %i', (seed) => {
    const random = seededRandom(seed);
    const options = { ratio: random(), perSecond: random(), min: pick(random, 12) };
    const budget = budgetOf(options);
    const model = new Model(options);
    let now = START;
    let firsts = 0;
    let taken = 0;
    for (let step = 0; step < 3_000; step++) {
      const chance = random();
      if (chance < 0.5) {
        model.pass(now);
        model.first(now);
        budget.earn(now);
        firsts++;
      } else if (chance < 0.8) {
        model.pass(now);
        // A first attempt is not worth a payment of its own: what time has earned comes with the next look.
        expect(budget.tokensAt(now)).toBeCloseTo(model.tokens, 5);
        if (budget.take(now)) {
          model.tokens -= 1;
          taken++;
        }
        expect(budget.tokensAt(now)).toBeGreaterThanOrEqual(-1e-6);
      } else now += random() < 0.02 ? pick(random, 30_000) : pick(random, 800);
    }

    const earned = options.min + firsts * options.ratio + ((now - START) / 1_000) * options.perSecond;
    expect(taken).toBeLessThanOrEqual(earned + 1e-6);
    expect(taken).toBeGreaterThan(0);
  });
});

describe('checkRetryBudget', () => {
  const check = (setting: unknown) => () => checkRetryBudget('Client.load, @Retry', setting as RetryBudgetOptions);

  it.each([undefined, false, {}, { ratio: 0 }, { ratio: 2, perSecond: 0, min: 0 }, { min: 1.5 }])(
    'takes %j',
    (setting) => {
      expect(check(setting)).not.toThrow();
    },
  );

  it.each([
    [{ ratio: -0.1 }, "option 'ratio'", '-0.1'],
    [{ perSecond: Infinity }, "option 'perSecond'", 'Infinity'],
    [{ min: NaN }, "option 'min'", 'NaN'],
    [{ minimum: 3 }, "unknown option 'minimum'", 'ratio, perSecond, min'],
  ])('refuses %j', (setting, what, got) => {
    expect(check(setting)).toThrow(/^Client\.load, @Retry\.budget: /);
    expect(check(setting)).toThrow(what);
    expect(check(setting)).toThrow(got);
  });

  it('refuses two definitions of one budget, and names both places', () => {
    const at = (place: string, min: number) => ({ place, options: { ...RETRY_BUDGET_DEFAULTS, min } });

    expect(() => refuseOtherBudget('payments', at('A.a', 5), at('B.b', 5))).not.toThrow();
    expect(() => refuseOtherBudget('payments', at('A.a', 5), at('B.b', 6))).toThrow(/^B\.b: .*'payments'.*A\.a/);
  });
});
