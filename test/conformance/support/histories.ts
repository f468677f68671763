import * as fc from 'fast-check';
import type { NaiveOptions, Trip, Verdict } from './naive-breaker.js';

/** How the guarded method ends, with what that means. */
export const ENDINGS = {
  value: 'success',
  'another 4xx': 'success',
  error: 'failure',
  'a result that isFailure names': 'failure',
  'an error that errorFilter names': 'ignored',
  'a refusal inside': 'ignored',
  'the caller aborts': 'ignored',
} as const satisfies Record<string, Verdict>;

export type Ending = keyof typeof ENDINGS;

/** What an operator can do. */
export type Operation = 'open' | 'forceOpen' | 'forceClose' | 'reset' | 'disable' | 'enable';

export type Step =
  | { readonly do: 'begin' }
  | { readonly do: 'end'; readonly which: number; readonly as: Ending }
  | { readonly do: 'call'; readonly as: Ending }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'passExactly'; readonly span: 'bucket' | 'window' | 'resetTimeout' | 'halfOpenMaxWait' }
  /** Opens by hand and lets the reset time pass. */
  | { readonly do: 'toHalfOpen' }
  | { readonly do: Operation };

export interface History {
  readonly options: NaiveOptions;
  /** Where in its bucket the breaker is made, ms. */
  readonly offset: number;
  /** Whether somebody hears the events. */
  readonly listening: boolean;
  readonly steps: readonly Step[];
}

const percentage = fc.constantFrom(1, 34, 50, 67, 100);
const smallCount = fc.integer({ min: 1, max: 4 });

const trip: fc.Arbitrary<Trip> = fc.oneof(
  fc.constant<Trip>({ rule: 'failureRate' }),
  fc.record({ rule: fc.constant('consecutiveFailures' as const), limit: smallCount }),
  fc.record({ rule: fc.constant('failureCount' as const), limit: smallCount }),
  fc.record({ size: smallCount, percentage, minimum: smallCount }).map(({ minimum, size, ...rest }) => ({
    rule: 'countWindow' as const,
    ...rest,
    size,
    minimum: Math.min(minimum, size),
  })),
);

const options: fc.Arbitrary<NaiveOptions> = fc.record({
  trip,
  rollingCountTimeout: fc.constantFrom(100, 200, 1_000),
  rollingCountBuckets: fc.integer({ min: 1, max: 5 }),
  errorThresholdPercentage: percentage,
  volumeThreshold: fc.integer({ min: 0, max: 5 }),
  resetTimeout: fc.constantFrom(0, 50, 300, 1_000),
  halfOpenCalls: fc.integer({ min: 1, max: 4 }),
  halfOpenErrorThresholdPercentage: fc.oneof(fc.constant(0), percentage),
  halfOpenMaxWait: fc.constantFrom(40, 100, 500),
  mode: fc.constantFrom('normal', 'normal', 'metricsOnly'),
});

const ending = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Ending>('error') },
  { weight: 4, arbitrary: fc.constant<Ending>('value') },
  { weight: 3, arbitrary: fc.constantFrom(...(Object.keys(ENDINGS) as Ending[])) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ do: 'begin' }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat({ max: 4 }), as: ending }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('call' as const), as: ending }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'toHalfOpen' }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('passExactly' as const),
      span: fc.constantFrom('bucket', 'window', 'resetTimeout', 'halfOpenMaxWait'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom<Operation[]>('open', 'forceOpen', 'forceClose', 'reset', 'disable', 'enable'),
    }),
  },
);

/** Random lives of a breaker. */
export const histories: fc.Arbitrary<History> = fc.record({
  options,
  offset: fc.integer({ min: 0, max: 999 }),
  listening: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 60 }),
});
