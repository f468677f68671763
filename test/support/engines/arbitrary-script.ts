import fc from 'fast-check';
import type { End, Errors, Kind, Manner, Order, Script, Stack, Step, Substitute } from './script.js';

/**
 * Spans of the policies are primes, each policy with its own: two that end in the same millisecond would leave the order
 * to chance, and no user can count on it.
 */
const PASSES = [1, 5, 12, 18, 32, 54, 75, 103, 220, 1_100];

const sometimes = <T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(undefined) }, { weight: percent, arbitrary });

const errors: fc.Arbitrary<Errors> = fc.constantFrom('all', 'all', 'DOWN', 'TIMEOUT', 'CIRCUIT_OPEN');
const substitute = fc.record({
  answers: fc.constantFrom<Substitute>(
    'value',
    'value',
    'handler',
    'slow handler',
    'throwing handler',
    'rejecting handler',
    'method',
  ),
  on: errors,
});

const timeout = fc.oneof(
  fc.record({ perAttempt: fc.constantFrom(31, 53) }),
  fc.record({ total: fc.constantFrom(97, 211) }),
  fc.record({ perAttempt: fc.constantFrom(31, 53), total: fc.constantFrom(97, 211) }),
);

const retry = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  backoff: fc.constantFrom({ fixed: 0 }, { fixed: 17 }, { exponential: { initial: 7, jitter: 'full' } }),
  again: fc.boolean(),
  budget: fc.constantFrom(false, false, { ratio: 0.5, perSecond: 1, min: 1 }),
  maxDuration: fc.constantFrom(undefined, undefined, 59),
});

const hedge = fc.record({
  after: fc.constantFrom(11, 13),
  maxAttempts: fc.integer({ min: 2, max: 3 }),
  budget: fc.constant<false>(false),
});

const circuitBreaker = fc.record({
  timeout: fc.constantFrom<number | false>(false, false, 47),
  volumeThreshold: fc.integer({ min: 1, max: 3 }),
  resetTimeout: fc.constantFrom(37, 61, 101),
  resetJitter: fc.constantFrom(0, 0, 0.5),
  rollingCountTimeout: fc.constantFrom(1_000, 10_000),
  rollingCountBuckets: fc.constantFrom(1, 10),
  halfOpenCalls: fc.integer({ min: 1, max: 2 }),
  halfOpenErrorThresholdPercentage: fc.constantFrom(0, 50),
  halfOpenMaxWait: fc.constantFrom(30_000, 67),
  recovery: fc.constantFrom(undefined, undefined, { over: 500, from: 0.5 }),
  mode: fc.constantFrom('normal', 'normal', 'normal', 'metricsOnly'),
  trip: fc.constantFrom(
    undefined,
    { consecutiveFailures: 1 },
    { consecutiveFailures: 2 },
    { failureCount: 2 },
    { countWindow: { size: 3, percentage: 50 } },
    { slowCallRate: { slowerThan: 20, percentage: 50 } },
  ),
  answers: fc.boolean(),
  bad: fc.boolean(),
  filters: fc.boolean(),
  keyed: fc.constantFrom(false, false, false, true),
});

const rateLimit = fc
  .record({
    limit: fc.integer({ min: 1, max: 3 }),
    per: fc.constantFrom(83, 163),
    onLimit: fc.constantFrom('reject', 'queue', 'queue'),
    maxWait: fc.constantFrom(undefined, 43, 151),
    mode: fc.constantFrom('normal', 'normal', 'normal', 'metricsOnly'),
    keyed: fc.boolean(),
  })
  .map(({ maxWait, ...options }) => (options.onLimit === 'queue' ? { ...options, maxWait } : options));

const bulkhead = fc.record({
  maxConcurrent: fc.integer({ min: 1, max: 2 }),
  maxQueue: fc.integer({ min: 0, max: 3 }),
  maxWait: fc.constantFrom(undefined, 19, 29),
  abandonAfter: fc.constantFrom<number | false>(71, 60_000, false),
  mode: fc.constantFrom('normal', 'normal', 'normal', 'metricsOnly'),
  ranked: fc.boolean(),
});

const outside = {
  recover: sometimes(20, substitute),
  fallback: sometimes(30, fc.array(substitute, { minLength: 1, maxLength: 2 })),
};
const forAll = {
  ...outside,
  timeout: sometimes(45, timeout),
  retry: sometimes(50, retry),
  circuitBreaker: sometimes(60, circuitBreaker),
  rateLimit: sometimes(35, rateLimit),
  bulkhead: sometimes(55, bulkhead),
};
/** A hedge and a single flight are for methods that give a promise. */
const forPromises = {
  ...forAll,
  coalesce: sometimes(25, fc.record({ scope: fc.constantFrom<'instance' | 'class'>('instance', 'class') })),
  hedge: sometimes(30, hedge),
};

const end: fc.Arbitrary<End> = fc.constantFrom<End>(
  'answer',
  'answer',
  'answer',
  'empty',
  'again',
  'bad',
  'down',
  'down',
  'down',
  'client',
  'busy',
  'declined',
  'nothing',
);
const manner: fc.Arbitrary<Manner> = fc.constantFrom<Manner>(
  'waits',
  'waits',
  'waits',
  'waits',
  'obeys its signal',
  'obeys its signal',
  'answers',
  'rejects',
  'throws',
  'nests',
);

/** What rules say of each policy; each names one or two of them. */
const ruled = fc.oneof(
  fc.record({ fallback: fc.constantFrom<unknown>(false, { value: 'by rule' }) }),
  fc.record({ timeout: fc.constantFrom<unknown>(false, 41, { total: 89 }) }),
  fc.record({ retry: fc.constantFrom<unknown>(false, 2, { maxAttempts: 5, backoff: { fixed: 3 } }) }),
  fc.record({ hedge: fc.constantFrom<unknown>(false, { after: 23 }) }),
  fc.record({
    circuitBreaker: fc.constantFrom<unknown>(
      false,
      true,
      { enabled: false },
      { trip: { consecutiveFailures: 1 } },
      { resetTimeout: 79, halfOpenCalls: 2 },
      { mode: 'metricsOnly' },
    ),
  }),
  fc.record({
    rateLimit: fc.constantFrom<unknown>(false, { limit: 5, per: 107 }, { onLimit: 'reject' }, { maxWait: 9 }),
  }),
  fc.record({
    bulkhead: fc.constantFrom<unknown>(false, 1, 3, { maxQueue: 0 }, { maxWait: 9 }, { mode: 'metricsOnly' }),
  }),
);
const rule = fc.tuple(ruled, sometimes(40, ruled)).map(([one, other]) => ({ ...one, ...other }));

const nth = fc.nat(5);
const ms = fc.constantFrom(...PASSES);
const call: fc.Arbitrary<Step> = fc.record({
  does: fc.constant('call' as const),
  key: fc.constantFrom('a', 'a', 'b'),
  priority: fc.nat(2),
  by: fc.constantFrom<'method' | 'execute'>('method', 'method', 'method', 'execute'),
  signal: fc.boolean(),
});
const order = fc.constantFrom<Order>(
  'forceOpen',
  'forceClose',
  'reset',
  'reset',
  'disable',
  'enable',
  'enable',
  'restore',
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 100, arbitrary: call },
  { weight: 70, arbitrary: fc.record({ does: fc.constant('settle' as const), run: nth, end }) },
  { weight: 15, arbitrary: fc.record({ does: fc.constant('emit' as const), run: nth, end }) },
  { weight: 15, arbitrary: fc.record({ does: fc.constant('abort' as const), call: nth }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('leave' as const), call: nth }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('pull' as const), call: nth }) },
  { weight: 60, arbitrary: fc.record({ does: fc.constant('pass' as const), ms }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('block' as const), ms, run: nth, end }) },
  { weight: 10, arbitrary: fc.record({ does: fc.constant('rules' as const), set: sometimes(75, rule) }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('order' as const), order }) },
  { weight: 2, arbitrary: fc.constant<Step>({ does: 'shut down' }) },
);

function scriptOf(kinds: Kind[], stack: Record<string, fc.Arbitrary<unknown>>, most: number): fc.Arbitrary<Script> {
  const script = fc.record({
    stack: fc.record(stack) as fc.Arbitrary<Stack>,
    kind: fc.constantFrom(...kinds),
    gives: fc.constantFrom('value', 'promise', 'observable', 'iterable'),
    manners: fc.array(manner, { minLength: 1, maxLength: 6 }),
    eager: fc.boolean(),
    signal: fc.constantFrom(true, true, false),
    answersRefusals: fc.boolean(),
    steps: fc.array(step, { minLength: 4, maxLength: most, size: 'max' }),
  });
  return script.map((one) => (one.manners.includes('nests') ? { ...one, stack: withoutSlow(one.stack) } : one));
}

/** Which of two calls, one inside the other, asks its handler first in an instant in which both end, is nobody's promise. */
function withoutSlow({ recover, fallback, ...others }: Stack): Stack {
  const quick = <S extends { answers: Substitute }>(one: S): S =>
    one.answers === 'slow handler' ? { ...one, answers: 'handler' } : one;
  return {
    ...others,
    ...(recover === undefined ? {} : { recover: quick(recover) }),
    ...(fallback === undefined ? {} : { fallback: fallback.map(quick) }),
  };
}

export const arbitraryScript: fc.Arbitrary<Script> = fc.oneof(
  { weight: 1, arbitrary: scriptOf(['sync'], outside, 8) },
  { weight: 10, arbitrary: scriptOf(['promise', 'promise', 'learned'], forPromises, 40) },
  { weight: 6, arbitrary: scriptOf(['observable', 'iterable'], forAll, 40) },
);
