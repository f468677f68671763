import { describe, expect, it } from 'vitest';
import { readRules } from '../../../lib/rules/read-rules.js';

const pathsOf = (document: unknown): string[] => readRules(document).faults.map(({ path }) => path);
const inPayments = (rules: unknown): unknown => ({ policies: { payments: rules } });

describe('readRules', () => {
  it.each([
    [{ retry: { backoff: { fixed: 5 } } }],
    [{ retry: { backoff: { decorrelatedJitter: {} } } }],
    [{ circuitBreaker: { trip: { anyOf: [{ failureRate: {} }, { countWindow: { size: 5, percentage: 50 } }] } } }],
    [{ circuitBreaker: { resetTimeout: { exponential: { initial: 1_000 } } } }],
    [{ bulkhead: { maxConcurrent: { adaptive: { max: 10 } } } }],
    [{ fallback: { value: null }, recover: { value: [1] } }],
    [{ timeout: undefined, retry: false }],
    [{ circuitBreaker: { trip: { countWindow: { size: 5, percentage: 50, minimum: 2 } } } }],
    [{ circuitBreaker: { halfOpenCalls: 4, halfOpenErrorThresholdPercentage: 25 } }],
  ])('takes %j', (rules) => {
    expect(pathsOf(inPayments(rules))).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ retry: { backoff: { fixed: 'x' } } }, 'policies.payments.retry.backoff'],
    [{ retry: { backoff: { fixed: 1, linear: {} } } }, 'policies.payments.retry.backoff'],
    [{ retry: { backoff: { linear: 5 } } }, 'policies.payments.retry.backoff.linear'],
    [{ circuitBreaker: { trip: { anyOf: [{ failureCount: 0 }] } } }, 'policies.payments.circuitBreaker.trip'],
    [{ circuitBreaker: { trip: 'failureRate' } }, 'policies.payments.circuitBreaker.trip'],
    [{ circuitBreaker: { trip: { constructor: 1 } } }, 'policies.payments.circuitBreaker.trip'],
    [{ circuitBreaker: { answerOn: 'Error' } }, 'policies.payments.circuitBreaker.answerOn'],
    [{ retry: { answerOn: [] } }, 'policies.payments.retry.answerOn'],
    [
      { circuitBreaker: { trip: { countWindow: { size: 5, percentage: 50, minimum: 6 } } } },
      'policies.payments.circuitBreaker.trip',
    ],
    [{ circuitBreaker: { trip: { countWindow: null } } }, 'policies.payments.circuitBreaker.trip.countWindow'],
    [{ fallback: 'stale' }, 'policies.payments.fallback'],
    [{ recover: { use: 'method' } }, 'policies.payments.recover.use'],
    [{ circuitBreaker: 'shared' }, 'policies.payments.circuitBreaker'],
    [{ hedge: { after: 5, budget: { ratio: -1 } } }, 'policies.payments.hedge.budget'],
    [{ rateLimit: { overrides: { vip: -1 } } }, 'policies.payments.rateLimit.overrides'],
    [{ timeout: null }, 'policies.payments.timeout'],
    [{ timeout: [5] }, 'policies.payments.timeout'],
    [{ timeout: new Date(0) }, 'policies.payments.timeout'],
    [{ timeout: 5n }, 'policies.payments.timeout'],
    [[], 'policies.payments'],
  ])('refuses %o with its path', (rules, path) => {
    expect(pathsOf(inPayments(rules))).toContain(path);
  });

  it('refuses what contains itself, and what is too deep', () => {
    const round: Record<string, unknown> = {};
    round.round = round;
    let deep: unknown = {};
    for (let level = 0; level < 100_000; level++) deep = { deep };

    expect(pathsOf({ policies: round })).toEqual(['policies.round']);
    expect(pathsOf(deep)).toHaveLength(1);
  });

  it('says once what is wrong, without saying twice where', () => {
    const [fault] = readRules(inPayments({ retry: { maxAttempts: 0 } })).faults;

    expect(fault).toEqual({
      path: 'policies.payments.retry.maxAttempts',
      message: 'expected a whole number of at least 1, got 0',
      value: 0,
    });
  });

  it('finds what differs, whatever the form', () => {
    const one = readRules(inPayments({ timeout: 5, retry: false })).rules;
    const other = readRules({ version: 2, ...(inPayments({ timeout: { perAttempt: 5 }, retry: {} }) as object) }).rules;

    expect(other.changesTo(one)).toEqual([{ path: 'policies.payments.retry', from: false, to: true }]);
    expect(one.changesTo(one)).toEqual([]);
  });
});

describe('a document that is code', () => {
  const boom = (): never => {
    throw new Error('do not look');
  };
  const revoked = (): unknown => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };

  it.each<[string, unknown, string]>([
    ['with a getter', Object.defineProperty({}, 'policies', { get: boom, enumerable: true }), 'document'],
    [
      'with a getter inside',
      inPayments(Object.defineProperty({}, 'timeout', { get: boom, enumerable: true })),
      'policies.payments',
    ],
    ['behind a proxy', new Proxy({}, { ownKeys: boom, get: boom, getPrototypeOf: boom }), 'document'],
    ['behind a proxy that was revoked', revoked(), 'document'],
    ['behind a proxy inside', inPayments(new Proxy({ timeout: 5 }, {})), 'policies.payments'],
  ])('is a fault %s, and not read', (_, document, path) => {
    expect(readRules(document).faults).toMatchObject([{ path: path, message: expect.stringContaining('plain data') }]);
  });
});
