import { Controller, Get, Injectable, Module, UseInterceptors } from '@nestjs/common';
import {
  CircuitBreaker,
  consecutiveFailures,
  exponential,
  Fallback,
  fixed,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutInterceptor,
  type TripStrategy,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, startUpError } from './support/harness.js';

describe('what is wrong', () => {
  it('is told all at once, when options, decorators and interceptors are', async () => {
    @Injectable()
    class Orders {
      @Timeout(-1)
      @Retry({ maxAttempts: 0, maxRetryAfter: -5 })
      async place(): Promise<void> {}
      @CircuitBreaker('nobody')
      async cancel(): Promise<void> {}
      // The compiler would refuse it.
      @((Fallback as unknown as (name: string) => MethodDecorator)('missing'))
      async list(): Promise<void> {}
    }
    @Controller()
    class Pages {
      @Get()
      @UseInterceptors(TimeoutInterceptor.with(-7))
      page(): string {
        return 'page';
      }
    }

    const error = (await startUpError({
      imports: [
        ResilienceModule.forRoot({
          enabled: 'no',
          policies: { a: { timeout: 'soon', retry: -3 }, b: { bulkheads: 3 } },
        } as never),
        ResilienceModule.forFeature({ policies: { c: { timeout: -9 } } }),
      ],
      providers: [Orders],
      controllers: [Pages],
    })) as ResilienceConfigurationError;

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    for (const part of [
      "'no'",
      'policies.a.timeout',
      'policies.a.retry',
      "'bulkheads'",
      'c.timeout',
      'Orders.place, @Timeout',
      "'maxAttempts'",
      "'maxRetryAfter'",
      "'nobody'",
      "'missing'",
      'Pages.page',
    ])
      expect(error.message).toContain(part);
    expect(error.mistakes).toHaveLength(11);
  });

  it('is our error, when forFeature() or the module itself is imported without a root', async () => {
    @Module({ imports: [ResilienceModule.forFeature({ policies: {} })] })
    class Feature {}

    for (const imports of [[Feature], [ResilienceModule]]) {
      const error = await startUpError({ imports });
      expect(error).toBeInstanceOf(ResilienceConfigurationError);
      expect(error.message).toContain('forRoot()');
    }
  });

  it.each([
    ['a Map', new Map()],
    ['a Date', new Date(0)],
    ['a RegExp', /x/],
    ['an array', []],
  ])('is %s in the place of options', async (_, options) => {
    class Orders {
      @CircuitBreaker(options as never)
      async place(): Promise<void> {}
    }

    const error = await startUpError({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    expect(error.message).toContain('expected an options object');
  });
});

describe('two definitions of a name', () => {
  const strategy = (): TripStrategy => ({ name: 'own', shouldTrip: () => false });
  const once = strategy();
  it.each<[string, () => object, boolean]>([
    ['consecutiveFailures(3)', () => ({ trip: consecutiveFailures(3) }), true],
    ['exponential()', () => ({ resetTimeout: exponential({ initial: 7 }) }), true],
    ['one strategy', () => ({ trip: once }), true],
    ['two strategies that read alike', () => ({ trip: strategy() }), false],
    ['two closures', () => ({ key: (one: string) => one }), false],
  ])('with %s', async (_, options, alike) => {
    class Orders {
      @CircuitBreaker('x', options())
      async place(): Promise<void> {}
      @CircuitBreaker('x', options())
      async cancel(): Promise<void> {}
    }
    const starting = initialise({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    if (alike) await starting;
    else expect((await rejection(starting)).message).toContain('another definition');
  });
});

describe("a decorator's own options", () => {
  it('stay its own, when policies define the name', async () => {
    class Orders {
      attempts = 0;
      @Retry('p', { maxAttempts: 7, backoff: fixed(0) })
      async often(): Promise<void> {
        this.attempts++;
        throw new Error('down');
      }
      @Retry('p')
      async asSaid(): Promise<void> {
        this.attempts++;
        throw new Error('down');
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ policies: { p: { retry: { maxAttempts: 2, backoff: fixed(0) } } } })],
      providers: [Orders],
    });
    const orders = module.get(Orders);
    const attemptsOf = async (call: () => Promise<unknown>): Promise<number> => {
      orders.attempts = 0;
      await rejection(call());
      return orders.attempts;
    };
    const work = async (): Promise<never> => {
      orders.attempts++;
      throw new Error('down');
    };

    expect(await attemptsOf(() => orders.asSaid())).toBe(2);
    expect(await attemptsOf(() => orders.often())).toBe(7);
    expect(await attemptsOf(() => module.get(ResilienceService).execute('p', work))).toBe(2);
  });
});

describe('plan() and the log of the start', () => {
  it('show interceptors too', async () => {
    @Controller()
    class Pages {
      @Get()
      @UseInterceptors(TimeoutInterceptor.with(700))
      page(): string {
        return 'page';
      }
    }
    const { module, log } = await initialise({ imports: [ResilienceModule.forRoot()], controllers: [Pages] });

    expect(module.get(ResilienceService).plan()).toMatchObject([
      { className: 'Pages', methodName: 'page', interceptor: 'TimeoutInterceptor', policies: [{ policy: 'timeout' }] },
    ]);
    expect(log.ofBulwark('debug').join()).toContain('Pages.page by TimeoutInterceptor: timeout perAttempt 700 ms');
  });
});
