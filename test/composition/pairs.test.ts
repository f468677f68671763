import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  Recover,
  Retry,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail, guard, hang, pass, watch, type MethodGuard, type Work } from './scene.js';

/** The policies in the order of the contract, outermost first. */
const ORDER = [
  'recover',
  'fallback',
  'timeout.total',
  'retry',
  'circuitBreaker',
  'timeout.perAttempt',
  'bulkhead',
] as const;
type Place = (typeof ORDER)[number];

const BREAKER = { volumeThreshold: 1, resetTimeout: 60_000, resetJitter: 0, timeout: false } as const;
const DOWN = new Error('down');
const SUBSTITUTE_DOWN = new Error('substitute down');

/** One policy as the pairs use it, unless a pair says otherwise. */
const GUARDS: Record<Place, () => MethodGuard> = {
  recover: () => Recover(),
  fallback: () => Fallback(() => 'substitute'),
  'timeout.total': () => Timeout({ total: 100 }),
  retry: () => Retry({ maxAttempts: 3, backoff: fixed(100) }),
  circuitBreaker: () => CircuitBreaker(BREAKER),
  'timeout.perAttempt': () => Timeout(50),
  bulkhead: () => Bulkhead(1),
};

/** What one call ended with. */
type Outcome = { value: unknown } | { error: unknown };

interface Pair {
  outer: Place;
  inner: Place;
  /** What it shows. */
  title: string;
  /** Guards that differ from {@link GUARDS}. */
  guards?: Partial<Record<Place, () => MethodGuard>>;
  work: Work;
  /** How many calls are made; each begins `every` ms after the one before it. @default 1 */
  calls?: number;
  /** @default 0: all at once */
  every?: number;
  /** How long is waited for the end, from the last call on, ms. */
  within: number;
  outcomes: Outcome[];
  runs: number;
  events: string[];
  breaker?: { state: string; failures?: number; successes?: number; timeouts?: number; rejects?: number };
}

const timeoutOf = (scope: 'perAttempt' | 'total', queued = false): Outcome => ({
  error: expect.objectContaining({
    constructor: TimeoutException,
    code: 'TIMEOUT',
    queued,
    details: expect.objectContaining({ scope }),
  }),
});
const refusalOf = (type: typeof BulkheadFullException | typeof CircuitOpenException): Outcome => ({
  error: expect.any(type),
});

const PAIRS: Pair[] = [
  {
    outer: 'recover',
    inner: 'fallback',
    title: 'catches the failure of a fallback',
    guards: { fallback: () => Fallback(() => Promise.reject(SUBSTITUTE_DOWN)) },
    work: () => Promise.reject(DOWN),
    within: 0,
    outcomes: [{ value: undefined }],
    runs: 1,
    events: ['fallback fallback', 'recover recovered'],
  },
  {
    outer: 'recover',
    inner: 'timeout.total',
    title: 'catches the total timeout',
    work: hang,
    within: 100,
    outcomes: [{ value: undefined }],
    runs: 1,
    events: ['timeout timeout', 'recover recovered'],
  },
  {
    outer: 'recover',
    inner: 'retry',
    title: 'catches what is left when the attempts have run out, once',
    work: fail(),
    within: 200,
    outcomes: [{ value: undefined }],
    runs: 3,
    events: ['retry retry', 'retry retry', 'retry retrySuppressed', 'recover recovered'],
  },
  {
    outer: 'recover',
    inner: 'circuitBreaker',
    title: 'catches failures and refusals, and the breaker counts the failure all the same',
    work: fail(),
    calls: 2,
    every: 10,
    within: 0,
    outcomes: [{ value: undefined }, { value: undefined }],
    runs: 1,
    events: [
      'circuitBreaker failure',
      'circuitBreaker stateChange',
      'recover recovered',
      'circuitBreaker refused',
      'recover recovered',
    ],
    breaker: { state: 'open', failures: 1, rejects: 1 },
  },
  {
    outer: 'recover',
    inner: 'timeout.perAttempt',
    title: 'catches the timeout of the attempt',
    work: hang,
    within: 50,
    outcomes: [{ value: undefined }],
    runs: 1,
    events: ['timeout timeout', 'recover recovered'],
  },
  {
    outer: 'recover',
    inner: 'bulkhead',
    title: 'catches the refusal of a full bulkhead',
    work: hang,
    calls: 2,
    within: 0,
    outcomes: [{ error: 'pending' }, { value: undefined }],
    runs: 1,
    events: ['bulkhead refused', 'recover recovered'],
  },
  {
    outer: 'fallback',
    inner: 'timeout.total',
    title: 'answers after the total timeout',
    work: hang,
    within: 100,
    outcomes: [{ value: 'substitute' }],
    runs: 1,
    events: ['timeout timeout', 'fallback fallback'],
  },
  {
    outer: 'fallback',
    inner: 'retry',
    title: 'answers once all attempts have failed, not after each',
    work: fail(),
    within: 200,
    outcomes: [{ value: 'substitute' }],
    runs: 3,
    events: ['retry retry', 'retry retry', 'retry retrySuppressed', 'fallback fallback'],
  },
  {
    outer: 'fallback',
    inner: 'circuitBreaker',
    title: 'answers failures and refusals, and the breaker counts the failure all the same',
    work: fail(),
    calls: 2,
    every: 10,
    within: 0,
    outcomes: [{ value: 'substitute' }, { value: 'substitute' }],
    runs: 1,
    events: [
      'circuitBreaker failure',
      'circuitBreaker stateChange',
      'fallback fallback',
      'circuitBreaker refused',
      'fallback fallback',
    ],
    breaker: { state: 'open', failures: 1, rejects: 1 },
  },
  {
    outer: 'fallback',
    inner: 'timeout.perAttempt',
    title: 'answers after the timeout of the attempt',
    work: hang,
    within: 50,
    outcomes: [{ value: 'substitute' }],
    runs: 1,
    events: ['timeout timeout', 'fallback fallback'],
  },
  {
    outer: 'fallback',
    inner: 'bulkhead',
    title: 'answers the refusal of a full bulkhead',
    work: hang,
    calls: 2,
    within: 0,
    outcomes: [{ error: 'pending' }, { value: 'substitute' }],
    runs: 1,
    events: ['bulkhead refused', 'fallback fallback'],
  },
  {
    outer: 'timeout.total',
    inner: 'retry',
    title: 'ends the attempts with the last error when the next pause would pass the total',
    guards: {
      'timeout.total': () => Timeout({ total: 250 }),
      retry: () => Retry({ maxAttempts: 9, backoff: fixed(100) }),
    },
    work: () => Promise.reject(DOWN),
    within: 200,
    outcomes: [{ error: DOWN }],
    runs: 3,
    events: ['retry retry', 'retry retry', 'retry retrySuppressed'],
  },
  {
    outer: 'timeout.total',
    inner: 'retry',
    title: 'cuts an attempt that is still running, and no other follows',
    guards: {
      'timeout.total': () => Timeout({ total: 250 }),
      retry: () => Retry({ maxAttempts: 9, backoff: fixed(100) }),
    },
    work: (run) => (run === 1 ? Promise.reject(DOWN) : hang()),
    within: 250,
    outcomes: [timeoutOf('total')],
    runs: 2,
    events: ['retry retry', 'timeout timeout', 'retry retrySuppressed'],
  },
  {
    outer: 'timeout.total',
    inner: 'circuitBreaker',
    title: 'counts as a failure of the attempt that it cuts',
    work: hang,
    within: 100,
    outcomes: [timeoutOf('total')],
    runs: 1,
    events: ['timeout timeout', 'circuitBreaker failure', 'circuitBreaker stateChange'],
    breaker: { state: 'open', failures: 1, timeouts: 1 },
  },
  {
    outer: 'timeout.total',
    inner: 'timeout.perAttempt',
    title: 'leaves the end to the shorter limit of the attempt',
    guards: { 'timeout.total': () => Timeout({ total: 100, perAttempt: 50 }), 'timeout.perAttempt': () => () => {} },
    work: hang,
    within: 50,
    outcomes: [timeoutOf('perAttempt')],
    runs: 1,
    events: ['timeout timeout'],
  },
  {
    outer: 'timeout.total',
    inner: 'timeout.perAttempt',
    title: 'ends an attempt whose own limit is longer',
    guards: { 'timeout.total': () => Timeout({ total: 50, perAttempt: 100 }), 'timeout.perAttempt': () => () => {} },
    work: hang,
    within: 50,
    outcomes: [timeoutOf('total')],
    runs: 1,
    events: ['timeout timeout'],
  },
  {
    outer: 'timeout.total',
    inner: 'bulkhead',
    title: 'ends the wait for a slot, as a refusal since the method never began',
    guards: { bulkhead: () => Bulkhead({ maxConcurrent: 1, maxQueue: 1 }) },
    work: hang,
    calls: 2,
    within: 100,
    outcomes: [timeoutOf('total'), timeoutOf('total', true)],
    runs: 1,
    events: ['timeout timeout', 'timeout timeout'],
  },
  {
    outer: 'retry',
    inner: 'circuitBreaker',
    title: 'has each attempt counted, and ends when the breaker has opened',
    guards: {
      retry: () => Retry({ maxAttempts: 9, backoff: fixed(100) }),
      circuitBreaker: () => CircuitBreaker({ ...BREAKER, volumeThreshold: 2 }),
    },
    work: fail(),
    within: 200,
    outcomes: [refusalOf(CircuitOpenException)],
    runs: 2,
    events: [
      'circuitBreaker failure',
      'retry retry',
      'circuitBreaker failure',
      'circuitBreaker stateChange',
      'retry retry',
      'circuitBreaker refused',
      'retry retrySuppressed',
    ],
    breaker: { state: 'open', failures: 2, rejects: 1 },
  },
  {
    outer: 'retry',
    inner: 'circuitBreaker',
    title: 'has a success after a failure counted as one of each',
    guards: { circuitBreaker: () => CircuitBreaker({ ...BREAKER, volumeThreshold: 9 }) },
    work: (run) => (run === 1 ? Promise.reject(DOWN) : 'value'),
    within: 100,
    outcomes: [{ value: 'value' }],
    runs: 2,
    events: ['circuitBreaker failure', 'retry retry', 'circuitBreaker success'],
    breaker: { state: 'closed', failures: 1, successes: 1 },
  },
  {
    outer: 'retry',
    inner: 'timeout.perAttempt',
    title: 'makes a timed-out attempt again, each with the whole limit',
    work: hang,
    within: 350,
    outcomes: [timeoutOf('perAttempt')],
    runs: 3,
    events: [
      'timeout timeout',
      'retry retry',
      'timeout timeout',
      'retry retry',
      'timeout timeout',
      'retry retrySuppressed',
    ],
  },
  {
    outer: 'retry',
    inner: 'bulkhead',
    title: 'does not repeat a refusal',
    work: hang,
    calls: 2,
    within: 0,
    outcomes: [{ error: 'pending' }, refusalOf(BulkheadFullException)],
    runs: 1,
    events: ['bulkhead refused'],
  },
  {
    outer: 'circuitBreaker',
    inner: 'timeout.perAttempt',
    title: 'counts a timed-out attempt as a failure and a timeout',
    work: hang,
    within: 50,
    outcomes: [timeoutOf('perAttempt')],
    runs: 1,
    events: ['timeout timeout', 'circuitBreaker failure', 'circuitBreaker stateChange'],
    breaker: { state: 'open', failures: 1, timeouts: 1 },
  },
  {
    outer: 'circuitBreaker',
    inner: 'bulkhead',
    title: 'does not count a refusal of the bulkhead',
    work: hang,
    calls: 2,
    within: 0,
    outcomes: [{ error: 'pending' }, refusalOf(BulkheadFullException)],
    runs: 1,
    events: ['bulkhead refused', 'circuitBreaker ignored'],
    breaker: { state: 'closed', failures: 0, successes: 0 },
  },
  {
    outer: 'timeout.perAttempt',
    inner: 'bulkhead',
    title: 'bounds the wait for a slot too, and the timed-out work keeps its slot',
    guards: { bulkhead: () => Bulkhead({ maxConcurrent: 1, maxQueue: 1 }) },
    work: hang,
    calls: 2,
    within: 50,
    outcomes: [timeoutOf('perAttempt'), timeoutOf('perAttempt', true)],
    runs: 1,
    events: ['timeout timeout', 'timeout timeout'],
  },
];

describe('a pair of policies', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is in this table for every two of the seven', () => {
    const expected = ORDER.flatMap((outer, index) => ORDER.slice(index + 1).map((inner) => `${outer} > ${inner}`));

    const listed = new Set(PAIRS.map(({ outer, inner }) => `${outer} > ${inner}`));

    expect(expected).toHaveLength(21);
    expect([...listed].sort()).toEqual(expected.sort());
  });

  for (const written of ['outer decorator on top', 'inner decorator on top'] as const) {
    describe(`written with the ${written}`, () => {
      it.each(PAIRS.map((pair) => [`${pair.outer} around ${pair.inner} ${pair.title}`, pair] as const))(
        '%s',
        async (_, pair) => {
          const innermostFirst = [guardOf(pair, pair.inner), guardOf(pair, pair.outer)];
          const guards = written === 'outer decorator on top' ? innermostFirst : innermostFirst.reverse();
          const scene = await guard(guards, pair.work);

          const calls = [watch(scene.call())];
          for (let made = 1; made < (pair.calls ?? 1); made++) {
            if (pair.every !== undefined) await pass(pair.every);
            calls.push(watch(scene.call()));
          }
          await pass(pair.within);

          const outcomes = calls.map(({ settled, error, value }) =>
            settled ? (error === undefined ? { value } : { error }) : { error: 'pending' },
          );
          expect(outcomes).toEqual(pair.outcomes);
          expect(scene.runs()).toBe(pair.runs);
          expect(scene.events).toEqual(pair.events);
          expect(scene.order()).toEqual(ORDER.filter((place) => place === pair.outer || place === pair.inner));
          if (pair.breaker !== undefined) {
            const { state, ...stats } = pair.breaker;
            expect(scene.breaker().state).toBe(state);
            expect(scene.breaker().stats).toMatchObject(stats);
          }
        },
      );
    });
  }
});

function guardOf({ guards }: Pair, place: Place): MethodGuard {
  return (guards?.[place] ?? GUARDS[place])();
}
