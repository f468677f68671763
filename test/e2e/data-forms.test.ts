import { Injectable } from '@nestjs/common';
import {
  adaptive,
  anyOf,
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  countWindow,
  decorrelatedJitter,
  exponential,
  failureCount,
  failureRate,
  fibonacci,
  fixed,
  linear,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  RetryInterceptor,
  slowCallRate,
  type PolicySet,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from './support/harness.js';

/** What YAML can hold, and what code would write in its place. */
const FORMS: readonly [data: PolicySet, code: PolicySet][] = [
  [{ retry: { backoff: { fixed: 5 } } }, { retry: { backoff: fixed(5) } }],
  [{ retry: { backoff: { linear: { initial: 5 } } } }, { retry: { backoff: linear({ initial: 5 }) } }],
  [{ retry: { backoff: { exponential: { initial: 50 } } } }, { retry: { backoff: exponential({ initial: 50 }) } }],
  [{ retry: { backoff: { fibonacci: {} } } }, { retry: { backoff: fibonacci({}) } }],
  [{ retry: { backoff: { decorrelatedJitter: {} } } }, { retry: { backoff: decorrelatedJitter({}) } }],
  [{ circuitBreaker: { trip: { failureRate: {} } } }, { circuitBreaker: { trip: failureRate() } }],
  [{ circuitBreaker: { trip: { failureCount: 7 } } }, { circuitBreaker: { trip: failureCount(7) } }],
  [{ circuitBreaker: { trip: { consecutiveFailures: 5 } } }, { circuitBreaker: { trip: consecutiveFailures(5) } }],
  [
    { circuitBreaker: { trip: { countWindow: { size: 10, percentage: 40 } } } },
    { circuitBreaker: { trip: countWindow({ size: 10, percentage: 40 }) } },
  ],
  [
    { circuitBreaker: { trip: { slowCallRate: { slowerThan: 100, percentage: 40 } } } },
    { circuitBreaker: { trip: slowCallRate({ slowerThan: 100, percentage: 40 }) } },
  ],
  [
    { circuitBreaker: { trip: { anyOf: [{ failureCount: 7 }, { failureRate: {} }] } } },
    { circuitBreaker: { trip: anyOf(failureCount(7), failureRate()) } },
  ],
  [
    { circuitBreaker: { resetTimeout: { exponential: { initial: 500 } } } },
    { circuitBreaker: { resetTimeout: exponential({ initial: 500 }) } },
  ],
  [{ bulkhead: { maxConcurrent: { adaptive: { max: 50 } } } }, { bulkhead: { maxConcurrent: adaptive({ max: 50 }) } }],
  [{ bulkhead: { adaptive: { max: 50 } } }, { bulkhead: adaptive({ max: 50 }) }],
  [{ retry: { budget: { ratio: 0.5 } } }, { retry: { budget: { ratio: 0.5 } } }],
  [{ hedge: { after: { percentile: 90 } } }, { hedge: { after: { percentile: 90 } } }],
];

const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

async function plansOf(policies: PolicySet, where: 'forRoot' | 'forFeature'): Promise<unknown> {
  @Injectable()
  class Clients {
    @Resilient('upstream')
    async call(): Promise<void> {}
  }
  const imports =
    where === 'forRoot'
      ? [ResilienceModule.forRoot({ policies: { upstream: policies } })]
      : [ResilienceModule.forRoot(), ResilienceModule.forFeature({ policies: { upstream: policies } })];
  const { module } = await initialise({ imports, providers: [Clients] });
  return module.get(ResilienceService).plan();
}

describe('options as data', () => {
  it.each(FORMS)('%j mean in forRoot() and forFeature() what code means', async (data, code) => {
    const expected = await plansOf(code, 'forRoot');

    const [root, feature] = [
      await plansOf(throughJson(data), 'forRoot'),
      await plansOf(throughJson(data), 'forFeature'),
    ];

    expect(root).toEqual(expected);
    expect(feature).toEqual(expected);
  });

  it('are taken by decorators and execute() as well', async () => {
    @Injectable()
    class Clients {
      @Retry({ backoff: { exponential: { initial: 50 } } })
      @CircuitBreaker('upstream', { trip: { consecutiveFailures: 2 } })
      @Bulkhead({ adaptive: { max: 7 } })
      async call(): Promise<void> {
        throw new Error('down');
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Clients] });
    const resilience = module.get(ResilienceService);
    const set: PolicySet = { name: 'inline', circuitBreaker: { trip: { consecutiveFailures: 1 } } };

    await resilience.execute(set, () => Promise.reject(new Error('down'))).catch(() => undefined);

    expect(resilience.circuitBreaker('inline').state).toBe('open');
    expect(resilience.plan()[0]?.policies.map(({ options }) => options)).toMatchObject([
      { backoff: { kind: 'exponential', initial: 50 } },
      { trip: 'consecutiveFailures(2)' },
      {},
      { maxConcurrent: { kind: 'adaptive', max: 7 } },
    ]);
    expect(() => RetryInterceptor.with({ backoff: { fixed: 5 } })).not.toThrow();
  });

  it('give the system protection its limit', async () => {
    const systemProtection = { concurrency: { adaptive: { initial: 33 } } };
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ systemProtection })] });
    const app = module.createNestApplication({ logger: false });
    await app.init();

    expect(module.get(ResilienceService).systemProtection?.limit).toBe(33);
    await app.close();
  });

  it.each<[PolicySet, string[]]>([
    [
      { retry: { backoff: { exponential: { factor: -1 } } } },
      ['policies.upstream.retry.backoff', "option 'factor'", '-1'],
    ],
    [{ circuitBreaker: { trip: { failureCount: 0 } } }, ['policies.upstream.circuitBreaker.trip', '0']],
    [
      { circuitBreaker: { trip: { countWindow: null as never } } },
      ['policies.upstream.circuitBreaker.trip.countWindow', 'null'],
    ],
    [{ retry: { backoff: { expontial: {} } as never } }, ['policies.upstream.retry', 'exponential()', 'expontial']],
    [{ bulkhead: { adaptive: { max: 0 } } }, ['policies.upstream.bulkhead.maxConcurrent', "option 'max'", '0']],
  ])('that are wrong name their place: %j', async (policies, told) => {
    const { message } = await startUpError({
      imports: [ResilienceModule.forRoot({ policies: { upstream: policies } })],
    });

    for (const part of told) expect(message).toContain(part);
  });
});
