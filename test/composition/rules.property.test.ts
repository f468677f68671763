import { Injectable, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  exponential,
  RateLimit,
  Resilient,
  ResilienceModule,
  ResilienceService,
  Retry,
  RuleSetError,
  Timeout,
  type RuleDocument,
} from 'nestjs-bulwark';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import type { Runtime } from '../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../lib/module/tokens.js';
import { runs } from '../support/runs.js';

@Injectable()
class Payments {
  @Resilient('payments')
  async charge(): Promise<string> {
    return 'charged';
  }

  @CircuitBreaker('ledger', { volumeThreshold: 1_000 })
  @Timeout({ total: 5_000 })
  async book(): Promise<string> {
    return 'booked';
  }

  @Retry({ backoff: exponential({ initial: 5 }), retryOn: TypeError })
  @RateLimit({ limit: 1e9, per: 1_000, key: () => 'k' })
  @Bulkhead(1_000)
  async print(): Promise<string> {
    return 'printed';
  }

  @Resilient(false)
  async bare(): Promise<string> {
    return 'bare';
  }
}

const optional = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
const ms = fc.integer({ min: 1, max: 60_000 });
const count = fc.integer({ min: 1, max: 50 });
const backoff = fc.oneof(
  fc.record({ fixed: ms }),
  fc.record({ exponential: optional({ initial: fc.integer({ min: 0, max: 50 }), factor: fc.constantFrom(1, 2, 3) }) }),
  fc.record({ linear: optional({ step: ms }) }),
  fc.record({ fibonacci: fc.constant({}) }),
  fc.record({ decorrelatedJitter: optional({ max: fc.integer({ min: 100, max: 9_999 }) }) }),
);
const simpleTrip = fc.oneof(
  fc.constant({ failureRate: {} }),
  fc.record({ consecutiveFailures: count }),
  fc.record({ failureCount: count }),
  fc.record({ countWindow: fc.record({ size: count, percentage: fc.constant(50) }) }),
  fc.record({ slowCallRate: fc.record({ slowerThan: ms, percentage: fc.constant(50) }) }),
);
const trip = fc.oneof(simpleTrip, fc.record({ anyOf: fc.array(simpleTrip, { minLength: 1, maxLength: 2 }) }));

const stateless = {
  timeout: fc.oneof(ms, fc.constant(false), optional({ perAttempt: ms, total: ms })),
  retry: fc.oneof(count, fc.constant(false), optional({ maxAttempts: count, backoff, maxDuration: ms })),
  hedge: fc.oneof(fc.constant(false), fc.record({ after: ms })),
  fallback: fc.oneof(fc.constant(false), fc.record({ value: fc.string() })),
  recover: fc.oneof(fc.constantFrom(true, false), fc.record({ value: fc.string() })),
};
const stateful = {
  circuitBreaker: fc.oneof(
    fc.constantFrom(true, false),
    optional({
      volumeThreshold: fc.integer({ min: 500, max: 900 }),
      rollingCountTimeout: ms,
      rollingCountBuckets: count,
      resetTimeout: fc.oneof(ms, backoff),
      halfOpenCalls: count,
      trip,
      mode: fc.constantFrom('normal', 'metricsOnly'),
      enabled: fc.boolean(),
    }),
  ),
  rateLimit: fc.oneof(
    fc.constant(false),
    fc.record({ limit: fc.constant(1e9), per: ms }),
    fc.record({ limit: fc.constant(1e9), per: ms, onLimit: fc.constant('queue'), maxWait: ms }),
  ),
  bulkhead: fc.oneof(
    count,
    fc.constant(false),
    optional({ maxConcurrent: fc.oneof(count, fc.constant({ adaptive: { max: 60 } })), maxQueue: count, maxWait: ms }),
  ),
};

const sensible: fc.Arbitrary<object> = optional({
  version: fc.oneof(fc.integer(), fc.string()),
  policies: optional({
    payments: optional({ ...stateless, ...stateful }),
    ledger: optional({ circuitBreaker: fc.record({ volumeThreshold: fc.constant(700) }) }),
  }),
  methods: optional({
    'Payments.charge': optional(stateless),
    'Payments.book': optional({ ...stateless, bulkhead: stateful.bulkhead }),
    'Payments.print': optional({
      ...stateless,
      ...stateful,
      rateLimit: fc.oneof(stateful.rateLimit, optional({ burst: fc.constant(1e9), per: ms, maxKeys: count })),
    }),
  }),
});

/** Puts `value` somewhere into a copy of a document, by a random walk. */
function broken(document: object, way: readonly number[], key: string, value: unknown): unknown {
  const copy = structuredClone(document);
  let at = copy as Record<string, unknown>;
  for (const step of way) {
    const inner = Object.values(at).filter((one) => typeof one === 'object' && one !== null);
    if (inner.length === 0) break;
    at = inner[step % inner.length] as Record<string, unknown>;
  }
  const keys = Object.keys(at);
  const existing = keys[(way[0] ?? 0) % Math.max(1, keys.length)];
  at[key === '' && existing !== undefined ? existing : key] = value;
  return copy;
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(null, -1, 0, NaN, Infinity, 'x', '', true, [], {}, () => 1, 2 ** 40, new Date(0)),
  fc.anything({ maxDepth: 1 }),
);
const strangeKey = fc.constantFrom(
  '',
  '',
  '',
  'x',
  'limit',
  'maxWait',
  'timeout',
  'key',
  '__proto__',
  'constructor',
  'toString',
);
const mutated = fc
  .tuple(sensible, fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), strangeKey, junk)
  .map(([document, way, key, value]) => broken(document, way, key, value));

it('any document is applied, or refused with a path; never half', { timeout: 600_000 }, async () => {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ policies: { payments: { circuitBreaker: true, timeout: 1_000 } } })],
    providers: [Payments],
  }).compile();
  Logger.overrideLogger(false);
  await module.init();
  onTestFinished(() => module.close());
  const { rules } = module.get(ResilienceService);
  const resilience = module.get(ResilienceService);
  const payments = module.get(Payments);
  const { instances } = module.get<Runtime>(RUNTIME);
  const state = (): unknown => ({
    plan: resilience.plan(),
    current: rules.current,
    breakers: instances
      .breakers()
      .map(({ name, core }) => [name, core.options, core.machine.recorded, core.machine.epoch]),
    bulkheads: instances.bulkheads().map(({ name, options, limit }) => [name, options, limit]),
  });
  const asked = { applied: 0, refused: 0 };

  await fc.assert(
    fc.asyncProperty(fc.oneof(sensible, mutated), async (given) => {
      const before = state();
      const faults = rules.validate(given as RuleDocument);
      expect(isDeepStrictEqual(state(), before)).toBe(true);
      if (faults.length > 0) {
        asked.refused++;
        let thrown: unknown;
        try {
          rules.apply(given as RuleDocument, { by: 'fc' });
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(RuleSetError);
        for (const { path } of faults) expect((thrown as RuleSetError).message).toContain(`- ${path}: `);
        expect(faults.every(({ path }) => path !== '')).toBe(true);
        expect(isDeepStrictEqual(state(), before)).toBe(true);
        return;
      }
      asked.applied++;
      const promised = rules.diff(given as RuleDocument);
      expect(rules.apply(given as RuleDocument, { by: 'fc' })).toEqual(promised);
      expect(rules.current).toEqual(given);
      expect(rules.apply(given as RuleDocument, { by: 'fc' })).toEqual([]);
      // What the plan shows is what the instances run by.
      for (const { policies: planned } of resilience.plan()) {
        for (const { policy, name, options } of planned) {
          if (policy === 'bulkhead') {
            const live = instances.bulkheads().find((one) => one.name === name);
            expect(live?.options.maxQueue).toBe(options.maxQueue);
          }
          if (policy !== 'circuitBreaker') continue;
          const live = instances.breaker(name)?.core.options;
          expect(live).toMatchObject({ volumeThreshold: options.volumeThreshold, mode: options.mode });
          expect(live?.trip.name).toBe(options.trip);
        }
      }
      const said = JSON.parse(JSON.stringify(given)) as RuleDocument;
      const refund = said.methods?.['Payments.book']?.timeout;
      if (typeof refund === 'number') {
        const entry = resilience.plan().find(({ methodName }) => methodName === 'book');
        expect(entry?.policies).toContainEqual(expect.objectContaining({ options: { perAttempt: refund } }));
      }
      expect(await Promise.all([payments.charge(), payments.book(), payments.print()])).toEqual([
        'charged',
        'booked',
        'printed',
      ]);
    }),
    { numRuns: runs(1_000, 10_000), endOnFailure: true },
  );
  expect(asked.applied).toBeGreaterThan(100);
  expect(asked.refused).toBeGreaterThan(100);
});
