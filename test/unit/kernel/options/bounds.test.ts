import { describe, expect, it } from 'vitest';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { parsePolicy } from '../../../../lib/policies/kinds.js';
import { readRules } from '../../../../lib/rules/read-rules.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { countWindow } from '../../../../lib/policies/circuit-breaker/trip/count-window.js';
import { failureCount } from '../../../../lib/policies/circuit-breaker/trip/failure-count.js';
import { slowCallRate } from '../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import { decorrelatedJitter } from '../../../../lib/kernel/backoff/decorrelated-jitter.js';
import { exponential } from '../../../../lib/kernel/backoff/exponential.js';
import { fibonacci } from '../../../../lib/kernel/backoff/fibonacci.js';
import { fixed } from '../../../../lib/kernel/backoff/fixed.js';
import { linear } from '../../../../lib/kernel/backoff/linear.js';
import { parseSystemProtection } from '../../../../lib/policies/system-protection/system-protection.options.js';

/** More than any machine carries, and a whole number. */
const FAR = 2 ** 52;

type Parse = (options: Record<string, unknown>) => unknown;

/** Everything that takes an options object; what gives a user's own value takes any. */
const TAKERS: Readonly<Record<string, Parse>> = {
  ...Object.fromEntries(
    (['timeout', 'retry', 'hedge', 'circuitBreaker', 'rateLimit', 'bulkhead', 'coalesce'] as const).map((key) => [
      key,
      (options: Record<string, unknown>) => parsePolicy(key, 'place', options),
    ]),
  ),
  retryBudget: (options) => parsePolicy('retry', 'place', { budget: options }),
  hedgeAfter: (options) => parsePolicy('hedge', 'place', { after: options }),
  rateLimitOverride: (options) => parsePolicy('rateLimit', 'place', { overrides: { vip: { limit: 1, ...options } } }),
  systemProtection: (options) => parseSystemProtection('place', options),
  adaptive: (options) => adaptive(options),
  exponential: (options) => exponential(options),
  linear: (options) => linear(options),
  fibonacci: (options) => fibonacci(options),
  decorrelatedJitter: (options) => decorrelatedJitter(options),
};

const textOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
};

const optionsOf = (parse: Parse): string[] =>
  (/expected one of: (.*)$/.exec(textOf(() => parse({ noSuchOption: 1 })))?.[1] ?? '').split(', ');

const ALL = Object.entries(TAKERS).flatMap(([taker, parse]) =>
  optionsOf(parse).map((option) => [taker, option, parse] as const),
);

describe('every option', () => {
  it('is known to this table', () => {
    expect(ALL.length).toBeGreaterThan(60);
  });

  it.each(ALL)('%s.%s refuses a number that no machine carries, with place and value', (_, option, parse) => {
    const text = textOf(() => parse({ [option]: FAR }));
    expect(text).toContain(`'${option}'`);
    expect(text).toContain(`got ${FAR}`);
  });
});

describe('numbers that stand alone', () => {
  it.each([
    ['countWindow', () => countWindow({ size: 2e9, percentage: 50 }), "option 'size'", 'the highest is 1000000'],
    ['failureCount', () => failureCount(FAR), 'limit', 'the highest is 1000000000'],
    ['consecutiveFailures', () => consecutiveFailures(FAR), 'limit', 'the highest is 1000000000'],
    ['slowCallRate', () => slowCallRate({ slowerThan: FAR, percentage: 50 }), 'slowerThan', 'at most 2147483647'],
    ['fixed', () => fixed(FAR), 'ms', 'to 2147483647'],
    ['retry', () => parsePolicy('retry', 'place', FAR), 'maxAttempts', 'the highest is 1000000'],
    ['bulkhead', () => parsePolicy('bulkhead', 'place', FAR), 'maxConcurrent', 'the highest is 1000000'],
    ['timeout', () => parsePolicy('timeout', 'place', FAR), 'timeout', 'at most 2147483647'],
    [
      'override',
      () => parsePolicy('rateLimit', 'place', { overrides: { vip: FAR } }),
      "'vip'",
      'highest is 1000000000',
    ],
    ['buckets', () => parsePolicy('circuitBreaker', 'p', { rollingCountBuckets: 1e9 }), 'Buckets', 'highest is 10000'],
    ['warmUp', () => parsePolicy('rateLimit', 'p', { warmUp: { over: 1, coldFactor: FAR } }), 'warmUp', 'over'],
    ['recovery', () => parsePolicy('circuitBreaker', 'p', { recovery: { over: FAR, from: 0 } }), 'recovery', 'over'],
  ])('%s', (_, make, place, bound) => {
    const text = textOf(make);
    expect(text).toContain(place);
    expect(text).toContain(bound);
  });

  it('are bounded in rules, soon and with their path', () => {
    const before = performance.now();
    const { faults } = readRules({
      policies: { payments: { circuitBreaker: { trip: { countWindow: { size: 2e9, percentage: 50 } } } } },
    });

    expect(faults).toMatchObject([
      { path: 'policies.payments.circuitBreaker.trip', message: expect.stringContaining('1000000') },
    ]);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('pauses at the ends of the ranges', () => {
  it.each([exponential({ initial: 0, factor: 1_000_000, jitter: 'none' }), fibonacci({ initial: 0 })])(
    'are numbers, and soon there: $kind',
    (backoff) => {
      const before = performance.now();
      const pause = backoff.series(() => 0.5);

      for (let attempt = 1_000_000; attempt > 990_000; attempt--)
        expect(pause(attempt, undefined, {} as never)).toBe(0);
      expect(performance.now() - before).toBeLessThan(2_000);
    },
  );
});
