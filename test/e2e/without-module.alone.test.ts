import { Injectable, Logger, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  RateLimit,
  RateLimitExceededException,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it, vi } from 'vitest';
import { initialise, RecordingLogger, rejection } from './support/harness.js';

const policies = { four: { retry: { maxAttempts: 4, backoff: fixed(0) } } };

@Injectable()
class Stock {
  attempts = 0;

  @Retry('four', { backoff: fixed(0) })
  async level(): Promise<number> {
    this.attempts++;
    throw new Error('the stock is down');
  }

  @CircuitBreaker('stock', { volumeThreshold: 1, resetTimeout: 60_000 })
  async reserve(): Promise<never> {
    this.attempts++;
    throw new Error('the stock is down');
  }
}

describe('a class without the module', () => {
  it('runs under its decorators alone and warns once a process, when it is built by new', async () => {
    const log = new RecordingLogger();
    Logger.overrideLogger(log);
    const [first, second] = [new Stock(), new Stock()];

    await rejection(first.level());
    await rejection(second.level());

    expect([first.attempts, second.attempts]).toEqual([3, 3]);
    expect(log.ofBulwark('warn')).toEqual([
      expect.stringMatching(
        /^Stock\.level\(\) was called on an instance that no ResilienceModule provides: .*forRoot\(\) in the root module/,
      ),
    ]);
  });

  it('skips a policy without a value, when it is built by new', async () => {
    class Unbounded {
      @Timeout()
      async load(): Promise<string> {
        return 'loaded';
      }
    }

    expect(await new Unbounded().load()).toBe('loaded');
  });

  it('has the rate limit of its decorator, and none where that gives no value, when it is built by new', async () => {
    class Limited {
      @RateLimit({ limit: 1, per: 60_000 })
      async load(): Promise<string> {
        return 'loaded';
      }
      @RateLimit({ limit: 1 })
      async partly(): Promise<string> {
        return 'loaded';
      }
    }
    const limited = new Limited();
    await Promise.all([limited.load(), limited.partly(), limited.partly()]);

    expect(await rejection(limited.load())).toBeInstanceOf(RateLimitExceededException);
  });

  it('shares no breaker with another instance, when both are built by new', async () => {
    const [first, second] = [new Stock(), new Stock()];

    await rejection(first.reserve());

    expect(await rejection(first.reserve())).toBeInstanceOf(CircuitOpenException);
    expect(await rejection(second.reserve())).not.toBeInstanceOf(CircuitOpenException);
  });

  it('runs under its decorators alone, when Nest makes it without ResilienceModule', async () => {
    const { module } = await initialise({ providers: [Stock] });
    const stock = module.get(Stock);

    await rejection(stock.level());

    expect(stock.attempts).toBe(3);
  });

  it('still calls the method, when it is called without an instance', async () => {
    class Detached {
      @Retry({ maxAttempts: 2, backoff: fixed(0) })
      async who(): Promise<unknown> {
        return this;
      }
    }
    const { who } = Detached.prototype;

    expect(await Reflect.apply(who, undefined, [])).toBeUndefined();
  });
});

describe('an auto-mocker', () => {
  /** Has every property that anybody asks for, as @golevelup/ts-vitest and automock make them. */
  const mockOfEverything = (): object =>
    new Proxy(
      {},
      {
        get: (_, key) => (key === 'then' ? undefined : vi.fn()),
        has: () => true,
        getPrototypeOf: () => Object.prototype,
      },
    );

  it('does not become the runtime, when the decorated class is tested without the module', async () => {
    @Injectable()
    class Rates {
      async rate(): Promise<number> {
        return 1.1;
      }
    }
    @Injectable()
    class Prices {
      constructor(readonly rates: Rates) {}
      @Retry({ maxAttempts: 2, backoff: fixed(0) })
      @CircuitBreaker()
      @Fallback('unknown')
      async price(sku: string): Promise<string> {
        return `${sku} costs 5`;
      }
      unknown(sku: string): string {
        return `${sku} is unknown`;
      }
    }
    const module = await Test.createTestingModule({ providers: [Prices] })
      .setLogger(new RecordingLogger())
      .useMocker(mockOfEverything)
      .compile();

    const prices = module.get(Prices);

    expect(vi.isMockFunction(prices.rates.rate)).toBe(true);
    expect(await prices.price('A1')).toBe('A1 costs 5');
  });

  it('leaves the policies in force, when the module is imported', async () => {
    const { module } = await initialise(
      { imports: [ResilienceModule.forRoot({ policies })], providers: [Stock] },
      (b) => b.useMocker(mockOfEverything),
    );

    await rejection(module.get(Stock).level());

    expect(module.get(Stock).attempts).toBe(4);
  });
});

describe('two apps in one process', () => {
  it('share no breaker and no policy, when both have the same classes', async () => {
    const [first, second] = await Promise.all([
      initialise({ imports: [ResilienceModule.forRoot({ policies })], providers: [Stock] }),
      initialise({
        imports: [ResilienceModule.forRoot({ policies: { four: { retry: { maxAttempts: 2, backoff: fixed(0) } } } })],
        providers: [Stock],
      }),
    ]);
    const [one, other] = [first.module.get(Stock), second.module.get(Stock)];

    await rejection(one.level());
    await rejection(other.level());
    expect([one.attempts, other.attempts]).toEqual([4, 2]);

    await rejection(one.reserve());
    const stateIn = ({ module }: typeof first) => module.get(ResilienceService).circuitBreaker('stock').state;
    expect([stateIn(first), stateIn(second)]).toEqual(['open', 'closed']);
  });
});

describe('a lazily loaded module', () => {
  it('is guarded by the app, when LazyModuleLoader loads it after the start', async () => {
    @Module({ providers: [Stock] })
    class LateModule {}
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ policies })] });

    const late = await module.get(LazyModuleLoader).load(() => LateModule);
    const stock = late.get(Stock);
    await rejection(stock.level());

    expect(stock.attempts).toBe(4);
  });

  it('fails at its first call, when its decorators are wrong', async () => {
    @Injectable()
    class Wrong {
      @Retry(-1)
      async load(): Promise<void> {}
    }
    @Module({ providers: [Wrong] })
    class LateModule {}
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ policies })] });
    const late = await module.get(LazyModuleLoader).load(() => LateModule);

    await expect(late.get(Wrong).load()).rejects.toThrow(/Wrong\.load.*-1/s);
  });
});
