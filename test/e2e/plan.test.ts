import { Controller, Get, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  exponential,
  Fallback,
  Recover,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Timeout,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise } from './support/harness.js';

const options: ResilienceModuleOptions = {
  policies: {
    default: { timeout: 2_000, retry: { maxAttempts: 5 } },
    payments: { circuitBreaker: { volumeThreshold: 7 }, timeout: { total: 900 } },
  },
};

@Injectable()
class Orders {
  @Bulkhead('slots', { maxConcurrent: 3 })
  @Timeout({ perAttempt: 100, total: 500 })
  @CircuitBreaker('orders', { errorThresholdPercentage: 30 })
  @Retry({ backoff: exponential({ initial: 10 }) })
  @Fallback({ value: 1 })
  @Recover()
  async everything(): Promise<number> {
    return 1;
  }

  @Resilient('payments')
  @Timeout({ total: 300 })
  async overridden(): Promise<void> {}

  @Timeout()
  async byDefault(): Promise<void> {}

  @CircuitBreaker()
  async withBreakersTimeout(): Promise<void> {}

  @CircuitBreaker({ timeout: false })
  async withoutTimeout(): Promise<void> {}

  @CircuitBreaker({ timeout: 3_000 })
  @Timeout(false)
  async timeoutOff(): Promise<void> {}

  async plain(): Promise<void> {}
}

@Controller()
class OrdersController {
  @Get()
  @Timeout(100)
  async list(): Promise<void> {}
}

async function planned() {
  const { module, log } = await initialise({
    imports: [ResilienceModule.forRoot(options)],
    providers: [Orders],
    controllers: [OrdersController],
  });
  const plan = module.get(ResilienceService).plan();
  const policiesOf = (method: string) => plan.find(({ methodName }) => methodName === method)?.policies ?? [];
  return { plan, policiesOf, log };
}

describe('plan()', () => {
  it('has an entry for each decorated method of every provider and controller, when the app has started', async () => {
    const { plan } = await planned();

    expect(plan.map(({ className, methodName }) => `${className}.${methodName}`).sort()).toEqual([
      'Orders.byDefault',
      'Orders.everything',
      'Orders.overridden',
      'Orders.timeoutOff',
      'Orders.withBreakersTimeout',
      'Orders.withoutTimeout',
      'OrdersController.list',
    ]);
  });

  it('shows the policies outermost first, when they were written in another order', async () => {
    const { policiesOf } = await planned();

    const order = policiesOf('everything').map(({ policy, options: resolved }) =>
      policy === 'timeout' ? `timeout.${Object.keys(resolved).join()}` : policy,
    );

    expect(order).toEqual([
      'recover',
      'fallback',
      'timeout.total',
      'retry',
      'circuitBreaker',
      'timeout.perAttempt',
      'bulkhead',
    ]);
  });

  it('shows resolved options and where each came from, when they come from several places', async () => {
    const { policiesOf } = await planned();
    const find = (policy: string) => policiesOf('everything').find((one) => one.policy === policy);

    expect(find('retry')).toMatchObject({
      name: 'Orders.everything',
      options: { maxAttempts: 5, maxRetryAfter: 60_000, backoff: { kind: 'exponential', initial: 10 } },
      sources: {
        maxAttempts: 'policies.default',
        maxRetryAfter: 'built-in',
        backoff: expect.stringContaining('@Retry'),
      },
    });
    expect(find('circuitBreaker')).toMatchObject({
      name: 'orders',
      options: { errorThresholdPercentage: 30, volumeThreshold: 10, resetTimeout: 30_000 },
      sources: { errorThresholdPercentage: expect.stringContaining('@CircuitBreaker'), volumeThreshold: 'built-in' },
    });
    expect(find('bulkhead')).toMatchObject({ name: 'slots', options: { maxConcurrent: 3, maxQueue: 0 } });
  });

  it('shows what overrides a set, when a decorator stands beside @Resilient', async () => {
    const { policiesOf } = await planned();

    expect(policiesOf('overridden')).toMatchObject([
      { policy: 'timeout', options: { total: 300 }, sources: { total: expect.stringContaining('@Timeout') } },
      {
        policy: 'circuitBreaker',
        name: 'payments',
        options: { volumeThreshold: 7 },
        sources: { volumeThreshold: 'policies.payments' },
      },
      { policy: 'timeout', options: { perAttempt: 2_000 }, sources: { perAttempt: 'policies.default' } },
    ]);
  });

  it('shows the value of policies.default, when a timeout is bare', async () => {
    const { policiesOf } = await planned();

    expect(policiesOf('byDefault')).toMatchObject([
      { policy: 'timeout', options: { perAttempt: 2_000 }, sources: { perAttempt: 'policies.default' } },
    ]);
  });

  it.each([
    ["the breaker's timeout is the limit", 'withBreakersTimeout', 10_000],
    ["the breaker's timeout is false", 'withoutTimeout', undefined],
    ['@Timeout(false) stands beside it', 'timeoutOff', undefined],
  ])('shows the limit of an attempt that a breaker brings, when %s', async (_, method, limit) => {
    const { policiesOf } = await planned();

    const perAttempt = policiesOf(method).find(({ policy }) => policy === 'timeout')?.options.perAttempt;

    expect(perAttempt).toBe(limit);
  });

  it('is logged once at debug, one line a method, when the app starts', async () => {
    const { log, plan } = await planned();

    const lines = log.ofBulwark('debug');

    expect(lines).toHaveLength(plan.length);
    for (const { className, methodName } of plan)
      expect(lines.filter((line) => line.includes(`${className}.${methodName}`))).toHaveLength(1);
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
    const everything = lines.find((line) => line.includes('everything')) ?? '';
    expect(everything).toMatch(/recover.*fallback.*timeout.*retry.*circuitBreaker.*timeout.*bulkhead/);
  });

  it('lets nobody change the policies, when its answer is changed', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot(options)], providers: [Orders] });
    const service = module.get(ResilienceService);
    const before = JSON.stringify(service.plan());

    for (const { policies } of service.plan()) {
      for (const { options: resolved } of policies) Reflect.set(resolved, 'maxAttempts', -1);
      Reflect.set(policies, 'length', 0);
    }

    expect(JSON.stringify(service.plan())).toBe(before);
  });
});
