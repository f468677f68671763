import { HttpException, Injectable, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  Fallback,
  fixed,
  RateLimit,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Timeout,
  type PolicySet,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Runtime } from '../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../lib/module/tokens.js';
import { MAX_LOOSE_NAMES } from '../../lib/read-model/call-register.js';

@Injectable()
class Payments {
  @Resilient('payments')
  async charge(work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('search', { volumeThreshold: 1_000 })
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async find(work: () => unknown): Promise<unknown> {
    return work();
  }

  @Timeout(10)
  @Fallback({ value: 'substitute' })
  async slow(work: () => unknown): Promise<unknown> {
    return work();
  }

  @Bulkhead('pool', { maxConcurrent: 1, maxQueue: 1 })
  @RateLimit('rate', { limit: 100, per: 60_000 })
  async pooled(work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('tenants', { key: (tenant: string) => tenant, volumeThreshold: 1 })
  async ofTenant(_tenant: string, work: () => unknown): Promise<unknown> {
    return work();
  }
}

async function start(...providers: Type[]) {
  const policies = { payments: { circuitBreaker: { volumeThreshold: 2 }, timeout: 1_000, retry: false as const } };
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ policies, log: false })],
    providers: [Payments, ...providers],
  }).compile();
  await module.init();
  onTestFinished(() => module.close());
  const { readModel } = module.get<Runtime>(RUNTIME);
  return { module, payments: module.get(Payments), service: module.get(ResilienceService), model: readModel };
}

const fail = (): never => {
  throw new Error('down');
};
const no = (): never => {
  throw new HttpException('no', 404);
};

describe('the read model', () => {
  it('counts nothing until somebody wants it, and no more when all have left', async () => {
    const { payments, model } = await start();
    await payments.charge(() => 1);
    const [leave, leaveToo] = [model.countCalls(), model.countCalls()];

    await payments.charge(() => 1);
    leave();
    leave();
    await payments.charge(() => 1);
    leaveToo();
    await payments.charge(() => 1);

    expect(model.countsOf('payments').outcomes.success).toBe(2);
  });

  it('counts each call once, by what its caller got', async () => {
    const { payments, model, service } = await start();
    model.countCalls();
    const results = [
      payments.charge(() => 1),
      payments.charge(fail),
      payments.charge(fail),
      payments.slow(fail),
      payments.slow(() => new Promise(() => undefined)),
      payments.find(no),
      service.execute({ name: 'inline', timeout: 1_000 }, () => 1),
    ];
    await Promise.allSettled(results);
    await payments.charge(() => 1).catch(() => undefined);

    const outcomes = Object.fromEntries(
      [...model.counts()].map(([name, counts]) => [
        name,
        Object.fromEntries(Object.entries(counts.outcomes).filter(([, count]) => count > 0)),
      ]),
    );
    expect(outcomes).toEqual({
      payments: { success: 1, failure: 2, refused: 1 },
      'Payments.slow': { fallback: 2 },
      search: { client_error: 1 },
      inline: { success: 1 },
    });
    expect(model.countsOf('Payments.slow').fallbacks).toEqual({ failure: 1, timeout: 1, refused: 0 });
    expect(model.countsOf('Payments.slow').timeouts).toEqual({ perAttempt: 1, total: 0 });
    expect(model.countsOf('payments').refusals).toEqual({ circuitBreaker: 1 });
    expect(model.countsOf('payments').transitions).toEqual({ open: 1 });
    expect(model.countsOf('payments').callDurations.failure.count).toBe(2);
  });

  it('counts retries under the name of their call', async () => {
    const { payments, model } = await start();
    model.countCalls();
    let runs = 0;

    await payments.find(() => (++runs < 3 ? fail() : runs));
    await payments.find(fail).catch(() => undefined);

    const counts = model.countsOf('search');
    expect(counts.retries).toBe(4);
    expect(counts.retriedCalls).toEqual({ success: 1, failure: 1 });
    expect(counts.retriesSuppressed).toEqual({ maxAttempts: 1 });
    expect(counts.attemptDurations.failure.count).toBe(5);
    expect(counts.attemptDurations.success.count).toBe(1);
  });

  it('counts waits and refusals under the name of the policy, never of a key', async () => {
    const { payments, model } = await start();
    model.countCalls();
    let end!: () => void;
    const first = payments.pooled(() => new Promise<void>((resolve) => (end = resolve)));
    const second = payments.pooled(() => 1);
    const third = payments.pooled(() => 1);
    await third.catch(() => undefined);
    end();
    await Promise.all([first, second]);
    await payments.ofTenant('acme', fail).catch(() => undefined);
    await payments.ofTenant('acme', fail).catch(() => undefined);

    expect(model.countsOf('pool').refusals).toEqual({ bulkhead: 1 });
    expect(model.countsOf('pool').waits.bulkhead?.count).toBe(1);
    expect(model.countsOf('tenants').refusals).toEqual({ circuitBreaker: 1 });
    expect(model.countsOf('tenants').transitions).toEqual({ open: 1 });
    expect([...model.counts()].map(([name]) => name).filter((name) => name.includes('['))).toEqual([]);
  });

  it('counts what policies in the shadow would have refused', async () => {
    const { model, service } = await start();
    model.countCalls();
    const shadow = { mode: 'metricsOnly' } as const;
    const trip = consecutiveFailures(1);
    const call = (name: string, set: PolicySet, work: () => unknown) =>
      service.execute({ ...set, name }, work).catch(() => undefined);
    const rate: PolicySet = { rateLimit: { limit: 1, per: 60_000, ...shadow } };
    const breaker: PolicySet = { circuitBreaker: { trip, ...shadow } };
    const bulkhead: PolicySet = { bulkhead: { maxConcurrent: 1, ...shadow } };

    for (let i = 0; i < 3; i++) await call('rate-shadow', rate, () => 1);
    for (let i = 0; i < 2; i++) await call('breaker-shadow', breaker, fail);
    await call('pool-shadow', bulkhead, () => call('pool-shadow', bulkhead, () => 1));

    expect(model.countsOf('rate-shadow').shadowRefusals).toEqual({ rateLimit: 2 });
    expect(model.countsOf('breaker-shadow').shadowRefusals).toEqual({ circuitBreaker: 1 });
    expect(model.countsOf('pool-shadow').shadowRefusals).toEqual({ bulkhead: 1 });
    expect(model.countsOf('rate-shadow')).toMatchObject({ refusals: {}, outcomes: { success: 3, refused: 0 } });
  });

  it('knows nothing of methods that are exempt', async () => {
    @Injectable()
    @Resilient('payments')
    class Mixed {
      @Resilient(false)
      async exempt(): Promise<number> {
        return 1;
      }

      async guarded(): Promise<number> {
        return this.exempt();
      }
    }
    const { model, module } = await start(Mixed);
    model.countCalls();
    await module.get(Mixed).guarded();

    expect([...model.counts()].map(([name]) => name)).toEqual(['payments']);
  });

  it('shows every instance, what it guards and how it is', async () => {
    const { payments, service } = await start();
    await payments.charge(fail).catch(() => undefined);
    await payments.charge(fail).catch(() => undefined);
    await payments.ofTenant('acme', () => 1);

    const instances = new Map(service.instances().map((one) => [one.name, one]));

    expect(instances.get('payments')).toMatchObject({
      guards: ['Payments.charge'],
      breaker: { state: 'open', failureRatio: 1, calls: 2, thresholdRatio: 0.5, metricsOnly: false },
    });
    expect(instances.get('payments')?.breaker?.probesAt).toBeGreaterThan(Date.now());
    expect(instances.get('tenants')).toMatchObject({ breaker: { keys: { closed: 1, open: 0 } } });
    expect(instances.get('pool')).toMatchObject({
      policies: ['bulkhead'],
      bulkhead: { active: 0, waiting: 0, limit: 1, abandoned: 0 },
    });
    expect(instances.get('rate')).toMatchObject({ rateLimit: { available: 100, waiting: 0, limit: 100, per: 60_000 } });
    expect(instances.get('search')?.budget?.tokens).toBeGreaterThan(0);
    expect(service.rateLimits().map(({ name, available }) => [name, available])).toEqual([['rate', 100]]);
    expect(service.retryBudgets().length).toBeGreaterThan(0);
  });

  it('counts only so many names of sets by themselves', async () => {
    const { model, service } = await start();
    model.countCalls();

    for (let i = 0; i < MAX_LOOSE_NAMES + 5; i++) await service.execute({ name: `set-${i}`, timeout: 100 }, () => i);

    const counts = new Map(model.counts());
    expect(counts.size).toBe(MAX_LOOSE_NAMES + 1);
    expect(counts.get('other')?.outcomes.success).toBe(5);
  });
});
