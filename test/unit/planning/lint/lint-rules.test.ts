import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Mistakes } from '../../../../lib/errors/configuration.error.js';
import { nothingDeclared, type Declaration } from '../../../../lib/guarded/guarded-method.js';
import {
  adaptive,
  anyOf,
  consecutiveFailures,
  countWindow,
  decorrelatedJitter,
  exponential,
  failureCount,
  failureRate,
  fibonacci,
  fixed,
  linear,
  slowCallRate,
  type PolicySet,
  type TripStrategy,
} from '../../../../lib/index.js';
import type { PlannedPolicy } from '../../../../lib/pipeline/plan-init.js';
import { lintPlan } from '../../../../lib/planning/lint/lint-plan.js';
import type { LintSubject } from '../../../../lib/planning/lint/lint-rule.js';
import { LINT_CODES, type LintCode } from '../../../../lib/planning/lint/lint-rules.js';
import { planSteps, shown } from '../../../../lib/planning/plan-steps.js';
import { PolicySets } from '../../../../lib/planning/policy-sets.js';
import { NO_DEFINITIONS } from '../../../../lib/planning/resolution.js';
import { Resolver } from '../../../../lib/planning/resolver.js';
import { NO_RULES } from '../../../../lib/planning/rule-layer.js';
import type { SetKey } from '../../../../lib/policies/kinds.js';

const PLACE = 'Payments.charge';

interface Scene {
  /** Decorators of the method beside its set. */
  readonly own?: PolicySet;
  readonly policies?: Readonly<Record<string, PolicySet>>;
  /** The sets of the interceptors before it. */
  readonly around?: readonly PolicySet[];
  readonly siblings?: Readonly<Record<string, PolicySet>>;
  /** Those of the method (`own`) and of others. */
  readonly parameters?: Readonly<Record<string, readonly string[]>>;
  readonly subject?: Partial<LintSubject>;
}

/** What `plan()` shows of a method with a set, and decorators of its own. */
function planOf(set: PolicySet, { own = {}, policies = {} }: Scene, place = PLACE): PlannedPolicy[] {
  const sets = new PolicySets();
  sets.add('policies', policies);
  const decorators = Object.entries(own).map(([key, setting]): Declaration => ({
    key: key as SetKey,
    label: `@${key}`,
    setting,
  }));
  const declared = { ...nothingDeclared(), policies: decorators, resilient: { label: '@Resilient', set } };
  const resolution = new Resolver(sets, NO_DEFINITIONS, false, NO_RULES).resolve(place, [declared]);
  const mistakes = new Mistakes();
  const steps = planSteps(
    { instanceName: place, kind: 'promise' },
    resolution,
    { enabled: true, lenient: false },
    mistakes,
  );
  mistakes.throwAny(place);
  return shown(steps);
}

function warnings(set: PolicySet, scene: Scene = {}) {
  const subject: LintSubject = {
    place: PLACE,
    policies: planOf(set, scene),
    streams: false,
    handler: undefined,
    byInterceptor: false,
    idempotent: false,
    around: (scene.around ?? []).map((one) => planOf(one, {})),
    caller: undefined,
    siblings: (name) => {
      const sibling = scene.siblings?.[name];
      return sibling === undefined ? [] : [planOf(sibling, {}, `Payments.${name}`)];
    },
    parameters: () => scene.parameters?.own,
    parametersOf: (name) => scene.parameters?.[name],
    ...scene.subject,
  };
  return lintPlan(subject, new Set());
}

const codes = (set: PolicySet, scene?: Scene): LintCode[] => warnings(set, scene).map(({ code }) => code);
const calledBy = (verb: string, more: Partial<LintSubject> = {}): Scene => ({
  subject: { handler: { calledBy: verb, streams: false }, ...more },
});

type Case = readonly [what: string, set: PolicySet, scene?: Scene];
const tripping = (trip: TripStrategy, maxAttempts: number): PolicySet => ({
  circuitBreaker: { trip },
  retry: maxAttempts,
});
const withBackoff = (backoff: ReturnType<typeof fixed>, maxAttempts = 2): PolicySet => ({
  retry: { maxAttempts, backoff },
});
const answering = (own: readonly string[], cached: readonly string[]): [PolicySet, Scene] => [
  {},
  { own: { fallback: 'cached' as never }, parameters: { own, cached } },
];
const WINDOW = countWindow({ size: 100, percentage: 50 });
const SLOW = slowCallRate({ slowerThan: 500, percentage: 50 });
const shared = (name: string): PolicySet => ({ name, circuitBreaker: true, timeout: 100 });
const byDefault = { policies: { default: { timeout: 2_000 } } };

const FIRES: Readonly<Record<LintCode, readonly Case[]>> = {
  'not-idempotent': [
    ['a retry on a POST handler', { retry: 3 }, calledBy('POST')],
    ['a retry on a PATCH handler', { retry: 2 }, calledBy('PATCH')],
    ['a retry on a handler of every method', { retry: 2 }, calledBy('ALL')],
    ['a retry on a handler of events', { retry: 3 }, calledBy('EVENT')],
    ['a retry on a mutation', { retry: 3 }, calledBy('MUTATION')],
    ['a hedge on a POST handler', { hedge: { after: 50 } }, calledBy('POST')],
    [
      'an interceptor that is told to repeat POST',
      { retry: { methods: ['GET', 'POST'] } },
      calledBy('POST', { byInterceptor: true }),
    ],
    ['an interceptor before a handler of events', { retry: 3 }, calledBy('EVENT', { byInterceptor: true })],
  ],
  'inner-timeout-longer': [
    ['an attempt that may take longer than all of them', { timeout: { perAttempt: 1_001, total: 1_000 } }],
    ['a breaker that lends such a limit', { circuitBreaker: { timeout: 5_000 }, timeout: { total: 1_000 } }],
    ['a limit longer than that of an interceptor', { timeout: 3_000 }, { around: [{ timeout: 2_000 }] }],
    ['a total longer than an interceptor allows', { timeout: { total: 9_000 } }, { around: [{ timeout: 2_000 }] }],
    [
      'policies.default that contradicts itself, where nothing else is said',
      { timeout: {} },
      { policies: { default: { timeout: { perAttempt: 2_000, total: 1_000 } } } },
    ],
  ],
  'retries-past-limit': [
    [
      'a third attempt for which there is no time',
      { retry: { maxAttempts: 3 }, timeout: { perAttempt: 500, total: 1_000 } },
    ],
    [
      'pauses that leave no time',
      {
        retry: { maxAttempts: 3, backoff: exponential({ initial: 400, jitter: 'equal' }) },
        timeout: { perAttempt: 400, total: 1_400 },
      },
    ],
    [
      'attempts for which an interceptor leaves no time',
      { retry: 3, circuitBreaker: { timeout: 1_000 } },
      { around: [{ timeout: { total: 2_000 } }] },
    ],
    [
      'attempts for which no caller leaves time',
      { retry: 3, timeout: 1_000 },
      { subject: { caller: { ms: 2_000, option: 'deadlines.max', source: 'forRoot' } } },
    ],
  ],
  'retries-multiply': [
    ['two interceptors that retry GET', { retry: 2 }, { ...calledBy('GET'), around: [{ retry: 3 }] }],
    [
      'two that retry an idempotent POST',
      { retry: 2 },
      { ...calledBy('POST', { idempotent: true, byInterceptor: true }), around: [{ retry: 3 }] },
    ],
  ],
  'retries-open-breaker': [
    ['failures in a row', tripping(consecutiveFailures(2), 3)],
    ['a count of failures', tripping(failureCount(2), 3)],
    ['a rate that is judged early', { circuitBreaker: { volumeThreshold: 2 }, retry: 3 }],
    ['a rate that is judged at once', { circuitBreaker: { volumeThreshold: 0 }, retry: 2 }],
    ['more attempts than the default judges', { circuitBreaker: true, retry: 11 }],
    ['a small window', tripping(countWindow({ size: 4, percentage: 50 }), 5)],
    ['a window that is judged early', tripping(countWindow({ size: 40, percentage: 50, minimum: 4 }), 5)],
    ['one of several strategies', tripping(anyOf(failureRate(), consecutiveFailures(4)), 5)],
  ],
  'backoff-without-jitter': [
    ['fixed pauses', withBackoff(fixed(50))],
    ['linear pauses', withBackoff(linear())],
    ['fibonacci pauses', withBackoff(fibonacci())],
    ['exponential pauses without jitter', withBackoff(exponential({ jitter: 'none' }))],
  ],
  'fallback-same-breaker': [
    [
      'a fallback by a method with the same breaker',
      { name: 'payments', circuitBreaker: true },
      { own: { fallback: 'cached' as never }, siblings: { cached: shared('payments') } },
    ],
    [
      'a recovery by such a method',
      { name: 'payments', circuitBreaker: true },
      { own: { recover: { use: 'cached' } as never }, siblings: { cached: shared('payments') } },
    ],
    [
      'the second of a list of fallbacks',
      { name: 'payments', circuitBreaker: true },
      {
        own: { fallback: ['other', 'cached'] as never },
        siblings: { other: { timeout: 5 }, cached: shared('payments') },
      },
    ],
  ],
  'fallback-misses-error': [
    ['an error where the signal comes', ...answering(['currency', 'signal'], ['currency', 'error'])],
    ['one where an optional parameter comes', ...answering(['currency', 'days'], ['_currency', '_err'])],
    ['one where a pattern is taken apart', ...answering(['currency', ''], ['currency', 'error'])],
    [
      'a recovery',
      {},
      { own: { recover: { use: 'cached' } as never }, parameters: { own: ['id'], cached: ['exception'] } },
    ],
  ],
  'unbounded-queue': [
    ['a rate limit that lets all wait', { name: 'mail', rateLimit: { limit: 1, per: 1_000, onLimit: 'queue' } }],
    ['a bulkhead with a huge queue', { name: 'mail', bulkhead: { maxConcurrent: 10, maxQueue: 100_000 } }],
    ['one that lets all wait for ever', { bulkhead: { maxConcurrent: 10, maxQueue: 1_001, maxWait: Infinity } }],
    ['one whose limit adapts', { bulkhead: { maxConcurrent: adaptive({ max: 20 }), maxQueue: 10_000 } }],
  ],
  'wait-without-queue': [['a wait, and nowhere to wait', { bulkhead: { maxConcurrent: 2, maxWait: 100 } }]],
  'wait-past-limit': [
    [
      'a wait for a turn that is longer than the limit',
      { rateLimit: { limit: 1, per: 100, onLimit: 'queue', maxWait: 2_000 }, timeout: 1_000 },
    ],
    [
      'a wait for a slot that is longer',
      { bulkhead: { maxConcurrent: 1, maxQueue: 5, maxWait: 2_000 }, timeout: 1_000 },
    ],
    [
      'the same by decorators of one method',
      {},
      { own: { bulkhead: { maxConcurrent: 1, maxQueue: 5, maxWait: 2_000 }, timeout: { total: 1_000 } } },
    ],
  ],
  'hedge-never-begins': [
    ['a hedge as late as the limit', { hedge: { after: 100 }, timeout: 100 }],
    ['one later than all attempts', { hedge: { after: 600 }, timeout: { total: 500 } }],
    ['a percentile that waits longer at least', { hedge: { after: { percentile: 95, min: 300 } }, timeout: 200 }],
    ["one later than the breaker's default", { hedge: { after: 10_000 }, circuitBreaker: true }],
  ],
  'slow-calls-never': [
    [
      'slow calls that are cut before',
      { circuitBreaker: { trip: slowCallRate({ slowerThan: 1_001, percentage: 50 }) }, timeout: 1_000 },
    ],
  ],
  'options-unused-by-trip': [
    ['a rate beside a window of calls', { circuitBreaker: { trip: WINDOW, errorThresholdPercentage: 5 } }],
    ['a volume beside failures in a row', { circuitBreaker: { trip: consecutiveFailures(5), volumeThreshold: 2 } }],
    ['a rate of failures beside one of slow calls', { circuitBreaker: { trip: SLOW, errorThresholdPercentage: 5 } }],
    [
      'a volume beside several that do not read it',
      { circuitBreaker: { trip: anyOf(WINDOW, failureCount(3)), volumeThreshold: 2 } },
    ],
    [
      'an option of an instance, under the strategy of all',
      { name: 'rates', circuitBreaker: { volumeThreshold: 2 } },
      { policies: { default: { circuitBreaker: { trip: WINDOW } } } },
    ],
    [
      'policies.default that contradicts itself',
      { circuitBreaker: true },
      { policies: { default: { circuitBreaker: { trip: WINDOW, volumeThreshold: 2 } } } },
    ],
  ],
  'percentage-as-share': [
    ['half of the calls', { circuitBreaker: { errorThresholdPercentage: 0.5 } }],
    ['all of them', { circuitBreaker: { errorThresholdPercentage: 1 } }],
    ['half of the probes', { circuitBreaker: { halfOpenErrorThresholdPercentage: 0.5 } }],
    ['a fifth of a window', { circuitBreaker: { trip: countWindow({ size: 10, percentage: 0.2 }) } }],
    [
      'a fifth of a window among others, judged early',
      { circuitBreaker: { trip: anyOf(countWindow({ size: 10, percentage: 0.2, minimum: 5 }), failureRate()) } },
    ],
    [
      'half of the calls that may be slow',
      { circuitBreaker: { trip: slowCallRate({ slowerThan: 500, percentage: 0.5 }) } },
    ],
    ['a percentile of a hedge', { hedge: { after: { percentile: 0.95 } } }],
  ],
  'timeout-in-seconds': [
    ['five seconds', { timeout: 5 }],
    ['half a second of all attempts', { timeout: { total: 0.5 } }],
    ['two seconds of a breaker', { circuitBreaker: { timeout: 2 } }],
    ['five seconds of an open breaker', { circuitBreaker: { resetTimeout: 5 } }],
    ['five seconds of a probe', { circuitBreaker: { halfOpenMaxWait: 5 } }],
    ['a window of ten seconds', { circuitBreaker: { rollingCountTimeout: 10 } }],
    ['five seconds of retries', { retry: { maxDuration: 5 } }],
    ['five seconds of another server', { retry: { maxRetryAfter: 5 } }],
  ],
};

const PASSES: Readonly<Record<LintCode, readonly Case[]>> = {
  'not-idempotent': [
    ['a GET handler', { retry: 3 }, calledBy('GET')],
    ['a PUT handler', { retry: 3 }, calledBy('PUT')],
    ['a message that waits for an answer', { retry: 3 }, calledBy('MESSAGE')],
    ['what no client calls', { retry: 3 }],
    ['one attempt', { retry: 1 }, calledBy('POST')],
    ['an idempotent handler', { retry: 3, hedge: { after: 5 } }, calledBy('POST', { idempotent: true })],
    ['an interceptor, which leaves POST alone', { retry: 3 }, calledBy('POST', { byInterceptor: true })],
    ['an interceptor that hedges, likewise', { hedge: { after: 5 } }, calledBy('ALL', { byInterceptor: true })],
    ['an interceptor before a mutation', { retry: 3 }, calledBy('MUTATION', { byInterceptor: true })],
  ],
  'inner-timeout-longer': [
    ['limits that are alike', { timeout: { perAttempt: 1_000, total: 1_000 } }],
    [
      'the time to each item of a stream',
      { timeout: { perAttempt: 9_000, total: 1_000 } },
      { subject: { streams: true } },
    ],
    ["the breaker's default limit", { circuitBreaker: true, timeout: { total: 1_000 } }],
    ['policies.default, narrowed at one place', { timeout: { total: 1_000 } }, byDefault],
    ['policies.default before a narrow interceptor', { timeout: {} }, { ...byDefault, around: [{ timeout: 500 }] }],
    ['a shorter limit inside', { timeout: 500 }, { around: [{ timeout: 2_000 }] }],
  ],
  'retries-past-limit': [
    ['a last attempt that can begin', { retry: 3, timeout: { perAttempt: 499, total: 1_000 } }],
    [
      'pauses that chance can make short',
      {
        retry: { maxAttempts: 3, backoff: exponential({ initial: 5_000 }) },
        timeout: { perAttempt: 400, total: 1_000 },
      },
    ],
    ['attempts without a limit', { retry: 9, timeout: { total: 1_000 } }],
    ["the breaker's default limit", { retry: 3, circuitBreaker: true, timeout: { total: 1_000 } }],
    ['policies.default, narrowed at one place', { retry: 3, timeout: { total: 3_000 } }, byDefault],
    ['one attempt', { retry: 1, timeout: { perAttempt: 1_000, total: 1_000 } }],
  ],
  'retries-multiply': [
    ['one interceptor that retries', { retry: 2 }, { ...calledBy('GET'), around: [{ timeout: 100 }] }],
    [
      'two that leave POST alone',
      { retry: 2 },
      { ...calledBy('POST', { byInterceptor: true }), around: [{ retry: 3 }] },
    ],
    ['one that makes a single attempt', { retry: 1 }, { ...calledBy('GET'), around: [{ retry: 3 }] }],
  ],
  'retries-open-breaker': [
    ['as many failures as attempts', tripping(consecutiveFailures(3), 3)],
    ['the defaults', { circuitBreaker: true, retry: {} }],
    ['a strategy of its own', tripping({ name: 'consecutiveFailures', shouldTrip: () => false }, 3)],
    ['a full window', tripping(countWindow({ size: 5, percentage: 50 }), 5)],
    ['one that only counts', { circuitBreaker: { trip: consecutiveFailures(1), mode: 'metricsOnly' }, retry: 3 }],
    ['one that is off', { circuitBreaker: { trip: consecutiveFailures(1), enabled: false }, retry: 3 }],
    ['one that warms up', { circuitBreaker: { volumeThreshold: 1, allowWarmUp: true }, retry: 3 }],
    ['slow calls', tripping(slowCallRate({ slowerThan: 5, percentage: 50 }), 30)],
  ],
  'backoff-without-jitter': [
    ['no pauses', withBackoff(fixed(0))],
    ['the default', { retry: 5 }],
    ['half of it left to chance', withBackoff(exponential({ jitter: 'equal' }))],
    ['decorrelated jitter', withBackoff(decorrelatedJitter())],
    ['a function', { retry: { backoff: () => 50 } }],
    ['one attempt', withBackoff(fixed(50), 1)],
  ],
  'fallback-same-breaker': [
    [
      'a fallback with another breaker',
      { name: 'payments', circuitBreaker: true },
      { own: { fallback: 'cached' as never }, siblings: { cached: shared('cache') } },
    ],
    [
      'breakers without a name, each of its method',
      { circuitBreaker: true },
      { own: { fallback: 'cached' as never }, siblings: { cached: { circuitBreaker: true } } },
    ],
    [
      'a fallback without a breaker',
      { name: 'payments', circuitBreaker: true },
      { own: { fallback: 'cached' as never }, siblings: { cached: { timeout: 5 } } },
    ],
    [
      'a handler',
      { name: 'payments', circuitBreaker: true, fallback: () => 1 },
      { siblings: { cached: shared('payments') } },
    ],
  ],
  'fallback-misses-error': [
    ['the error after all parameters', ...answering(['currency', 'signal'], ['currency', 'signal', 'error'])],
    ['no parameters', ...answering(['currency'], [])],
    ['the parameters of the call alone', ...answering(['currency', 'days'], ['currency', 'days'])],
    ['another name of what comes there', ...answering(['event', 'text'], ['e', 'reason'])],
    ['an error that is an argument', ...answering(['id', 'lastError'], ['id', 'error'])],
    ['one about an error', ...answering(['id', 'cause'], ['id', 'error'])],
    ['two errors, the second of the fallback', ...answering(['id', 'problem'], ['id', 'error', 'why'])],
    ['what only sounds like one', ...answering(['id', 'strict'], ['id', 'throwOnError'])],
    ['parameters that nobody knows', {}, { own: { fallback: 'cached' as never } }],
  ],
  'unbounded-queue': [
    ['a wait with a bound', { rateLimit: { limit: 1, per: 1_000, onLimit: 'queue', maxWait: 5_000 } }],
    ['a limit in time', { rateLimit: { limit: 1, per: 1_000, onLimit: 'queue' }, timeout: { total: 90_000 } }],
    ["the breaker's limit", { rateLimit: { limit: 1, per: 1_000, onLimit: 'queue' }, circuitBreaker: true }],
    ['a limit that refuses', { rateLimit: { limit: 1, per: 1_000 } }],
    ['one that only counts', { rateLimit: { limit: 1, per: 1_000, onLimit: 'queue', mode: 'metricsOnly' } }],
    ['a long queue with a bound', { bulkhead: { maxConcurrent: 10, maxQueue: 100_000, maxWait: 500 } }],
    ['a queue that fits its slots', { bulkhead: { maxConcurrent: 10, maxQueue: 1_000 } }],
    ['one after another', { bulkhead: { maxConcurrent: 1, maxQueue: 999 } }],
    [
      'the limit of an interceptor',
      { bulkhead: { maxConcurrent: 10, maxQueue: 100_000 } },
      { around: [{ timeout: 1_000 }] },
    ],
  ],
  'wait-without-queue': [
    ['a wait in a queue', { bulkhead: { maxConcurrent: 2, maxQueue: 1, maxWait: 100 } }],
    ['a wait that is said for all', { bulkhead: 5 }, { policies: { default: { bulkhead: { maxWait: 500 } } } }],
    ['a queue that somebody has taken away', { bulkhead: { maxConcurrent: 2, maxQueue: 0, maxWait: 100 } }],
    ['a wait for ever, for calls inside of a call', { bulkhead: { maxConcurrent: 2, maxWait: Infinity } }],
  ],
  'wait-past-limit': [
    ['a wait as long as the limit', { bulkhead: { maxConcurrent: 1, maxQueue: 5, maxWait: 1_000 }, timeout: 1_000 }],
    [
      'a wait for ever, which says nothing',
      { bulkhead: { maxConcurrent: 1, maxQueue: 5, maxWait: Infinity }, timeout: 1_000 },
    ],
    [
      'what methods with different limits share',
      { timeout: 1_000, bulkhead: 'pool' },
      { policies: { pool: { bulkhead: { maxConcurrent: 1, maxQueue: 5, maxWait: 2_000 } } } },
    ],
    [
      'the limit that is there for all',
      { bulkhead: { maxConcurrent: 1, maxQueue: 5, maxWait: 9_000 }, timeout: {} },
      byDefault,
    ],
  ],
  'hedge-never-begins': [
    ['a hedge before the limit', { hedge: { after: 99 }, timeout: 100 }],
    ['no limit', { hedge: { after: 60_000 } }],
    ['a percentile that may be shorter', { hedge: { after: { percentile: 95, max: 900 } }, timeout: 200 }],
  ],
  'slow-calls-never': [
    [
      'calls that are slow before they are cut',
      { circuitBreaker: { trip: slowCallRate({ slowerThan: 999, percentage: 50 }) }, timeout: 1_000 },
    ],
    [
      'failures that count beside them',
      {
        circuitBreaker: { trip: anyOf(slowCallRate({ slowerThan: 9_000, percentage: 50 }), failureRate()) },
        timeout: 1_000,
      },
    ],
    ['no limit', { circuitBreaker: { trip: slowCallRate({ slowerThan: 9_000, percentage: 50 }), timeout: false } }],
  ],
  'options-unused-by-trip': [
    ['the default, which reads them', { circuitBreaker: { errorThresholdPercentage: 5, volumeThreshold: 2 } }],
    ['a volume beside slow calls', { circuitBreaker: { trip: SLOW, volumeThreshold: 2 } }],
    [
      'a rate beside several, one of which reads it',
      {
        circuitBreaker: {
          trip: anyOf(countWindow({ size: 9, percentage: 50, minimum: 4 }), failureRate()),
          errorThresholdPercentage: 5,
        },
      },
    ],
    [
      'a strategy of its own, which may read it',
      { circuitBreaker: { trip: { name: 'lonely', shouldTrip: () => false }, volumeThreshold: 2 } },
    ],
    ['the window, which counts for other things', { circuitBreaker: { trip: WINDOW, rollingCountTimeout: 5_000 } }],
    [
      'options of all, under the strategy of an instance',
      { name: 'rates', circuitBreaker: { trip: WINDOW } },
      { policies: { default: { circuitBreaker: { volumeThreshold: 2 } } } },
    ],
  ],
  'percentage-as-share': [
    ['a few calls of a long window', { circuitBreaker: { trip: countWindow({ size: 1_000, percentage: 0.5 }) } }],
    ['a percentile', { hedge: { after: { percentile: 95 } } }],
    ['no failure at all', { circuitBreaker: { errorThresholdPercentage: 0 } }],
    ['a few percent', { circuitBreaker: { errorThresholdPercentage: 2 } }],
    ['a breaker that only counts', { circuitBreaker: { errorThresholdPercentage: 0.5, mode: 'metricsOnly' } }],
  ],
  'timeout-in-seconds': [
    ['the limit of a cache nearby', { timeout: 10 }],
    ['a breaker that tries again at once', { circuitBreaker: { resetTimeout: 0 } }],
    ['a server that is not waited for', { retry: { maxRetryAfter: 0 } }],
    ['a hedge of a cache, or a rate of few', { hedge: { after: 5 }, rateLimit: { limit: 5, per: 1 } }],
    ['none', { circuitBreaker: { timeout: false } }],
  ],
};

const named = (cases: Readonly<Record<LintCode, readonly Case[]>>) =>
  LINT_CODES.flatMap((code) => cases[code].map(([what, set, scene]) => ({ code, what, set, scene })));

describe('what the start looks for', () => {
  it.each(named(FIRES))('is $code: $what', ({ code, set, scene }) => {
    // A set that keeps state has the name of the method where it has none of its own.
    expect(codes(set, scene)).toEqual([code]);
  });

  it.each(named(PASSES))('is not $code: $what', ({ code, set, scene }) => {
    expect(codes(set, scene)).not.toContain(code);
  });

  it.each<[string, PolicySet]>([
    ['every policy with what is built in', { retry: {}, circuitBreaker: true, bulkhead: {}, recover: true }],
    ['limits beside it', { retry: {}, circuitBreaker: true, bulkhead: {}, timeout: { total: 2_000 } }],
  ])('is nothing in %s', (_, set) => {
    expect(codes(set, calledBy('GET'))).toEqual([]);
  });
});

describe('docs/lint.md', () => {
  it('lists everything that is looked for, in its order', () => {
    const page = readFileSync(new URL('../../../../docs/lint.md', import.meta.url), 'utf8');

    expect([...page.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code)).toEqual(LINT_CODES);
  });
});

describe('a warning', () => {
  it('says the place, what is wrong, what was expected, what is there and how to silence it', () => {
    const [warning] = warnings({ timeout: { perAttempt: 2_000, total: 1_000 } });

    expect(warning).toEqual({
      code: 'inner-timeout-longer',
      policy: 'timeout',
      expected: 'perAttempt below total 1000 ms (@Resilient)',
      value: 'perAttempt 2000 ms (@Resilient)',
      text:
        'Payments.charge, timeout: perAttempt never ends anything, since the shorter total around it always does: ' +
        'expected perAttempt below total 1000 ms (@Resilient); got perAttempt 2000 ms (@Resilient) ' +
        "(inner-timeout-longer; forRoot({ lint: { off: ['inner-timeout-longer'] } }) silences this)",
    });
  });

  it('says what silences it at its place, where something does', () => {
    const [warning] = warnings({ retry: 3 }, calledBy('POST'));

    expect(warning?.text).toContain('@Idempotent() on it says that it may be');
    expect(warning?.value).toBe('a handler of POST requests with up to 3 attempts');
  });

  it('does not come where its code is off', () => {
    const policies = planOf({ timeout: { perAttempt: 2_000, total: 1_000 } }, {});
    const subject = { place: PLACE, policies, streams: false, around: [] } as unknown as LintSubject;

    expect(lintPlan(subject, new Set(['inner-timeout-longer']))).toEqual([]);
  });
});
