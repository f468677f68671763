import { Controller, Get, Injectable, UseInterceptors, type Type } from '@nestjs/common';
import {
  adaptive,
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitBreakerInterceptor,
  countWindow,
  decorrelatedJitter,
  exponential,
  failureRate,
  Coalesce,
  Fallback,
  Hedge,
  FallbackInterceptor,
  fixed,
  RateLimit,
  Recover,
  RecoverInterceptor,
  ResilienceConfigurationError,
  ResilienceInterceptor,
  ResilienceModule,
  Resilient,
  Retry,
  RetryInterceptor,
  Timeout,
  TimeoutInterceptor,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from './support/harness.js';

type Untyped = (...args: unknown[]) => MethodDecorator & ClassDecorator;
const untyped = (decorator: unknown): Untyped => decorator as Untyped;

/** A class whose method has one decorator with arguments that the compiler would refuse. */
function decorated(decorator: unknown, args: unknown[]): Type {
  @Injectable()
  class Orders {
    async place(): Promise<string> {
      return 'placed';
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, 'place') as TypedPropertyDescriptor<unknown>;
  untyped(decorator)(...args)(Orders.prototype, 'place', descriptor as never);
  Object.defineProperty(Orders.prototype, 'place', descriptor);
  return Orders;
}

const DECORATORS = {
  '@Timeout': Timeout,
  '@Retry': Retry,
  '@CircuitBreaker': CircuitBreaker,
  '@RateLimit': RateLimit,
  '@Bulkhead': Bulkhead,
  '@Hedge': Hedge,
  '@Coalesce': Coalesce,
  '@Fallback': Fallback,
  '@Recover': Recover,
  '@Resilient': Resilient,
} as const;

/** The decorator, its arguments, and what the message must name besides class, method and decorator. */
const WRONG: readonly [keyof typeof DECORATORS, unknown[], ...string[]][] = [
  ['@Timeout', [-1], '-1', 'milliseconds'],
  ['@Timeout', [0], '0', 'milliseconds'],
  ['@Timeout', [Number.NaN], 'NaN', 'milliseconds'],
  ['@Timeout', [Number.POSITIVE_INFINITY], 'Infinity', 'milliseconds'],
  ['@Timeout', [2 ** 31], '2147483648', 'milliseconds'],
  ['@Timeout', [true], 'true', 'milliseconds'],
  ['@Timeout', [null], 'null'],
  ['@Timeout', [{ perAttempt: '500' }], 'perAttempt', "'500'", 'milliseconds'],
  ['@Timeout', [{ total: -5 }], 'total', '-5', 'milliseconds'],
  ['@Timeout', [{ totl: 5 }], 'totl', '5', 'total'],
  ['@Timeout', [{}], 'milliseconds'],
  ['@Retry', [0], 'maxAttempts', '0'],
  ['@Retry', [-3], 'maxAttempts', '-3'],
  ['@Retry', [1.5], 'maxAttempts', '1.5'],
  ['@Retry', [Number.NaN], 'maxAttempts', 'NaN'],
  ['@Retry', [{ maxAttempts: '3' }], 'maxAttempts', "'3'"],
  ['@Retry', [{ attempts: 3 }], 'attempts', '3', 'maxAttempts'],
  ['@Retry', [{ backoff: 100 }], 'backoff', '100'],
  ['@Retry', [{ retryOn: 'Error' }], 'retryOn', "'Error'", 'error class'],
  ['@Retry', [{ maxDuration: -1 }], 'maxDuration', '-1'],
  ['@Retry', [{ maxRetryAfter: Number.NaN }], 'maxRetryAfter', 'NaN'],
  ['@Retry', [{ methods: ['get'] }], 'methods', 'get', 'capitals'],
  ['@Retry', [{ retryOnResult: 1 }], 'retryOnResult', '1', 'function'],
  ['@CircuitBreaker', [{ errorThresholdPercentage: 101 }], 'errorThresholdPercentage', '101', '100'],
  ['@CircuitBreaker', [{ errorThresholdPercentage: -1 }], 'errorThresholdPercentage', '-1'],
  ['@CircuitBreaker', [{ volumeThreshold: 1.5 }], 'volumeThreshold', '1.5'],
  ['@CircuitBreaker', [{ resetTimeout: '30s' }], 'resetTimeout', "'30s'", 'milliseconds'],
  ['@CircuitBreaker', [{ resetTimeout: Number.NaN }], 'resetTimeout', 'NaN'],
  ['@CircuitBreaker', [{ timeout: -1 }], 'timeout', '-1'],
  ['@CircuitBreaker', [{ treshold: 50 }], 'treshold', '50'],
  ['@CircuitBreaker', [{ trip: 'failureRate' }], 'trip', "'failureRate'", 'failureRate()'],
  ['@CircuitBreaker', [{ mode: 'shadow' }], 'mode', "'shadow'", 'metricsOnly'],
  ['@CircuitBreaker', [{ halfOpenCalls: 0 }], 'halfOpenCalls', '0'],
  ['@CircuitBreaker', [{ recovery: { over: -1, from: 0.1 } }], 'recovery', 'over'],
  ['@CircuitBreaker', [{ rollingCountBuckets: 0 }], 'rollingCountBuckets', '0'],
  ['@CircuitBreaker', [{ resetJitter: 2 }], 'resetJitter', '2'],
  ['@CircuitBreaker', ['payments', { volumeThreshold: -1 }], 'volumeThreshold', '-1'],
  ['@CircuitBreaker', [''], "''"],
  ['@CircuitBreaker', ['', {}], 'name', "''", 'non-empty'],
  ['@CircuitBreaker', [5], '5'],
  ['@CircuitBreaker', [{ trip: failureRate }], 'trip', 'function failureRate', 'call it: failureRate()'],
  ['@CircuitBreaker', [{ trip: countWindow }], 'trip', 'call it: countWindow()'],
  ['@CircuitBreaker', [{ resetTimeout: exponential }], 'resetTimeout', 'call it: exponential()'],
  ['@Retry', [{ backoff: exponential }], 'backoff', 'function exponential', 'call it: exponential()'],
  ['@Retry', [{ backoff: decorrelatedJitter }], 'backoff', 'call it: decorrelatedJitter()'],
  ['@Retry', ['', {}], 'name', "''", 'non-empty'],
  ['@Timeout', [''], 'name', "''", 'non-empty'],
  ['@RateLimit', ['', { limit: 5, per: 1_000 }], 'name', "''", 'non-empty'],
  ['@Bulkhead', ['', 5], 'name', "''", 'non-empty'],
  ['@Bulkhead', [adaptive], 'maxConcurrent', 'call it: adaptive()'],
  ['@Bulkhead', [{ maxConcurrent: adaptive }], 'maxConcurrent', 'call it: adaptive()'],
  ['@RateLimit', [], 'no built-in value', "'limit'"],
  ['@RateLimit', [{ limit: 5 }], 'no built-in value', "'per'"],
  ['@RateLimit', [5], '5', 'options object'],
  ['@RateLimit', [{ limit: 0, per: 1_000 }], 'limit', '0'],
  ['@RateLimit', [{ limit: 5, per: '1s' }], 'per', "'1s'", 'milliseconds'],
  ['@RateLimit', [{ limit: 5, per: 1_000, onLimit: 'wait' }], 'onLimit', "'wait'", "'queue'"],
  ['@RateLimit', [{ limit: 5, per: 1_000, maxWait: 10 }], 'maxWait', "onLimit: 'queue'"],
  ['@RateLimit', [{ limit: 5, per: 1_000, overrides: { vip: 9 } }], 'overrides', "'key'"],
  ['@RateLimit', [{ limit: 5, per: 1_000, key: () => 'k', overrides: { vip: -9 } }], 'overrides', "'vip'", '-9'],
  ['@RateLimit', [{ limit: 0.5, per: 1_000 }], 'limit', '0.5', 'at least 1'],
  ['@RateLimit', [{ limit: 5, per: 1_000, warmUp: { over: 0 } }], 'warmUp', 'over'],
  ['@RateLimit', [{ limit: 5, window: 1_000 }], 'window', 'per'],
  ['@Bulkhead', [0], 'maxConcurrent', '0'],
  ['@Bulkhead', [-1], 'maxConcurrent', '-1'],
  ['@Bulkhead', [{ maxConcurrent: '10' }], 'maxConcurrent', "'10'"],
  ['@Bulkhead', [{ maxConcurrent: 1, maxQueue: -1 }], 'maxQueue', '-1'],
  ['@Bulkhead', [{ maxConcurrent: 1, maxWait: 0 }], 'maxWait', '0'],
  ['@Bulkhead', [{ maxConcurent: 1 }], 'maxConcurent', '1', 'maxConcurrent'],
  ['@Bulkhead', [{ maxConcurrent: 1, abandonAfter: true }], 'abandonAfter', 'true'],
  ['@Hedge', [{ after: 0 }], 'after', '0'],
  ['@Hedge', [{ after: { percentile: 100 } }], 'after', 'percentile', '100'],
  ['@Hedge', [{ after: 50, maxAttempts: 1 }], 'maxAttempts', '1'],
  ['@Hedge', [{ after: 50, budget: { ratio: -1 } }], 'budget', 'ratio', '-1'],
  ['@Hedge', [{}], 'after', 'undefined'],
  ['@Retry', [{ budget: true }], 'budget', 'true'],
  ['@Coalesce', [{ key: 'id' }], 'key', "'id'"],
  ['@Coalesce', [{}], 'key', 'undefined'],
  ['@Fallback', [5], '5'],
  ['@Fallback', [[]], 'empty list'],
  ['@Fallback', [{}], 'use', 'value'],
  ['@Fallback', [{ use: 5 }], 'use', '5'],
  ['@Fallback', [{ use: () => 1, value: 1 }], 'use', 'value'],
  ['@Fallback', [{ value: 1, on: 'Error' }], 'on', "'Error'", 'error class'],
  ['@Fallback', [{ value: 1, skipon: Error }], 'skipon', 'skipOn'],
  ['@Fallback', ['missing'], 'missing', 'Orders'],
  ['@Fallback', [[{ use: 'missing', on: BulkheadFullException }]], 'missing'],
  ['@Fallback', [undefined], 'undefined'],
  ['@Recover', [5], '5'],
  ['@Recover', [{ log: 'no' }], 'log', "'no'"],
  ['@Recover', [{ use: 'missing' }], 'missing'],
  ['@Recover', [{ values: 1 }], 'values', 'value'],
  ['@Recover', [{ on: 1 }], 'on', '1'],
  ['@Resilient', [{ timeout: -1 }], 'timeout', '-1'],
  ['@Resilient', [{ retries: 3 }], 'retries', '3', 'retry'],
  ['@Resilient', [{ returns: 'stream' }], 'returns', "'stream'", 'observable'],
  ['@Resilient', [{ name: '' }], 'name', "''"],
  ['@Resilient', [{ fallback: 'place' }], 'fallback', 'place'],
  ['@Resilient', [5], '5'],
  ['@Resilient', [''], "''"],
];

const written = (args: readonly unknown[]): string =>
  args
    .map((arg) => JSON.stringify(arg, (_, value: unknown) => (typeof value === 'number' ? String(value) : value)))
    .join(', ');

describe('a wrong option', () => {
  it.each(WRONG.map(([label, args, ...parts]) => ({ label, args, parts, text: `${label}(${written(args)})` })))(
    'stops the start and is named, when it stands in $text',
    async ({ label, args, parts }) => {
      const error = await startUpError({
        imports: [ResilienceModule.forRoot()],
        providers: [decorated(DECORATORS[label], args)],
      });

      expect(error).toBeInstanceOf(ResilienceConfigurationError);
      for (const part of ['Orders', 'place', label, 'expected', ...parts]) expect(error.message).toContain(part);
    },
  );

  it.each<[string, object, string[]]>([
    ['timeout', { timeout: -1 }, ['-1']],
    ['timeout.total', { timeout: { total: 'x' } }, ['total', "'x'"]],
    ['retry', { retry: 0 }, ['maxAttempts', '0']],
    ['circuitBreaker', { circuitBreaker: { volumeThreshold: 'ten' } }, ['volumeThreshold', "'ten'"]],
    ['bulkhead', { bulkhead: { maxQueue: 1.5 } }, ['maxQueue', '1.5']],
    ['rateLimit', { rateLimit: { limit: -5 } }, ['limit', '-5']],
    ['hedge', { hedge: { after: '50' } }, ['after', "'50'"]],
    ['coalesce', { coalesce: { key: 'id' } }, ['key', "'id'"]],
    ['retry.budget', { retry: { budget: { min: 'ten' } } }, ['budget', 'min', "'ten'"]],
    ['fallback', { fallback: 'cached' }, ['cached']],
    ['recover', { recover: { use: 'cached' } }, ['cached']],
    ['an unknown policy', { timeouts: 5 }, ['timeouts', '5', 'timeout']],
    ['null', { timeout: null }, ['null']],
  ])('stops the start and is named, when it stands in policies.payments under %s', async (_, set, parts) => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot({ policies: { payments: set } })],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    for (const part of ['policies.payments', 'expected', ...parts]) expect(error.message).toContain(part);
  });

  it.each<[string, () => Type, string[]]>([
    ['TimeoutInterceptor.with(-1)', () => TimeoutInterceptor.with(-1), ['-1']],
    ['RetryInterceptor.with(0)', () => RetryInterceptor.with(0), ['maxAttempts', '0']],
    [
      'CircuitBreakerInterceptor.with()',
      () => CircuitBreakerInterceptor.with({ volumeThreshold: -1 }),
      ['volumeThreshold', '-1'],
    ],
    ['FallbackInterceptor.with()', () => FallbackInterceptor.with({ valu: 1 } as never), ['valu']],
    ["FallbackInterceptor.with('method')", () => FallbackInterceptor.with('cached' as never), ['cached']],
    ['RecoverInterceptor.with()', () => RecoverInterceptor.with({ log: 1 } as never), ['log', '1']],
    ['ResilienceInterceptor.with()', () => ResilienceInterceptor.with({ retry: -1 }), ['retry', '-1']],
    ["ResilienceInterceptor.with('unknown')", () => ResilienceInterceptor.with('unknown'), ['unknown']],
    ['TimeoutInterceptor without a value', () => TimeoutInterceptor, ['milliseconds']],
    ['FallbackInterceptor without a value', () => FallbackInterceptor, []],
  ])('stops the start and is named, when it stands in %s', async (_, interceptor, parts) => {
    @Controller()
    class OrdersController {
      @Get()
      @UseInterceptors(interceptor())
      place(): string {
        return 'placed';
      }
    }
    const error = await startUpError({ imports: [ResilienceModule.forRoot()], controllers: [OrdersController] });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    for (const part of ['OrdersController', 'place', 'Interceptor', 'expected', ...parts])
      expect(error.message).toContain(part);
  });

  it.each<[string, () => unknown]>([
    ['fixed(-1)', () => fixed(-1)],
    ['fixed(NaN)', () => fixed(Number.NaN)],
    ['exponential({ initial: -1 })', () => exponential({ initial: -1 })],
    ['exponential({ jitter: "half" })', () => exponential({ jitter: 'half' as never })],
    ['exponential({ inital: 1 })', () => exponential({ inital: 1 } as never)],
  ])('throws where it is written, when it stands in %s', (_, make) => {
    expect(make).toThrow(ResilienceConfigurationError);
  });
});

describe('a fallback by the name of a method', () => {
  it('is refused at start, when the guarded method takes any number of arguments', async () => {
    @Injectable()
    class Stock {
      @Fallback('none')
      async total(_first: string, ..._more: string[]): Promise<number> {
        throw new Error('down');
      }
      none(): number {
        return 0;
      }
    }

    const error = await startUpError({ imports: [ResilienceModule.forRoot()], providers: [Stock] });

    expect(error.message).toMatch(/Stock\.total, @Fallback.*rest parameter.*expected a handler/s);
  });
});

describe('a wait of a bulkhead', () => {
  it('needs no queue where a decorator takes that of all away', async () => {
    @Injectable()
    class Orders {
      @Bulkhead({ maxQueue: 0 })
      async place(): Promise<string> {
        return 'placed';
      }
    }
    const policies = { default: { bulkhead: { maxQueue: 5, maxWait: 100 } } };

    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ policies })], providers: [Orders] });

    expect(await module.get(Orders).place()).toBe('placed');
  });
});

describe('a policy set without a name', () => {
  it('stops the start', async () => {
    const error = await startUpError({ imports: [ResilienceModule.forRoot({ policies: { '': { retry: 2 } } })] });

    expect(error.message).toBe("policies.: the name of a set: expected a non-empty string, got ''");
  });
});
