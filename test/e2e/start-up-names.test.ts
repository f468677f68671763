import { Injectable, type Type } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Hedge,
  Fallback,
  fixed,
  RateLimit,
  Recover,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Signal,
  Timeout,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from './support/harness.js';

async function errorOf(types: Type[], options?: ResilienceModuleOptions): Promise<ResilienceConfigurationError> {
  const error = await startUpError({ imports: [ResilienceModule.forRoot(options)], providers: types });
  expect(error).toBeInstanceOf(ResilienceConfigurationError);
  return error as ResilienceConfigurationError;
}

describe('a name', () => {
  it.each<[string, () => MethodDecorator]>([
    ['@CircuitBreaker', () => CircuitBreaker('paymens') as MethodDecorator],
    ['@RateLimit', () => RateLimit('paymens') as MethodDecorator],
    ['@Bulkhead', () => Bulkhead('paymens') as MethodDecorator],
    ['@Retry', () => Retry('paymens') as MethodDecorator],
    ['@Hedge', () => Hedge('paymens') as MethodDecorator],
    ['@Timeout', () => Timeout('paymens') as MethodDecorator],
    ['@Resilient', () => Resilient('paymens') as MethodDecorator],
  ])('stops the start, when %s uses one that nobody defines', async (label, decorator) => {
    @Injectable()
    class Orders {
      @decorator()
      async place(): Promise<void> {}
    }

    const error = await errorOf([Orders], { policies: { payments: { timeout: 100 } } });

    for (const part of ['Orders.place', label, "'paymens'", 'payments']) expect(error.message).toContain(part);
  });

  it('is known, when another decorator defines it', async () => {
    @Injectable()
    class Orders {
      @CircuitBreaker('payments', { volumeThreshold: 7 })
      async place(): Promise<void> {}
      @CircuitBreaker('payments')
      async cancel(): Promise<void> {}
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    await module.get(Orders).place();
    await module.get(Orders).cancel();

    const [breaker, ...others] = module.get(ResilienceService).circuitBreakers();
    expect(others).toEqual([]);
    expect([breaker?.name, breaker?.stats.successes]).toEqual(['payments', 2]);
  });

  it('stops the start and names both places, when two decorators define it differently', async () => {
    @Injectable()
    class Orders {
      @CircuitBreaker('payments', { volumeThreshold: 7 })
      async place(): Promise<void> {}
      @CircuitBreaker('payments', { volumeThreshold: 8 })
      async cancel(): Promise<void> {}
    }

    const error = await errorOf([Orders]);

    for (const part of ['payments', 'Orders.place', 'Orders.cancel']) expect(error.message).toContain(part);
  });

  it('is no fault, when two decorators define it alike', async () => {
    @Injectable()
    class Orders {
      @CircuitBreaker('payments', { volumeThreshold: 7 })
      async place(): Promise<void> {}
      @CircuitBreaker('payments', { volumeThreshold: 7 })
      async cancel(): Promise<void> {}
    }

    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    expect(module.get(ResilienceService).circuitBreakers()).toHaveLength(1);
  });

  it.each<[string, () => MethodDecorator]>([
    ['@CircuitBreaker', () => CircuitBreaker('payments', { volumeThreshold: 7 }) as MethodDecorator],
    ['@RateLimit', () => RateLimit('payments', { limit: 7 }) as MethodDecorator],
    ['@Bulkhead', () => Bulkhead('payments', { maxConcurrent: 7 }) as MethodDecorator],
  ])('stops the start, when %s gives options to a stateful policy that policies names', async (label, decorator) => {
    @Injectable()
    class Orders {
      @decorator()
      async place(): Promise<void> {}
    }

    const error = await errorOf([Orders], {
      policies: { payments: { circuitBreaker: {}, rateLimit: { limit: 3, per: 1_000 }, bulkhead: 3 } },
    });

    for (const part of ['Orders.place', label, 'payments', 'policies']) expect(error.message).toContain(part);
  });

  it('takes own options over those of the set, when the policy keeps no state', async () => {
    @Injectable()
    class Orders {
      attempts = 0;
      @Retry('often', { maxAttempts: 4 })
      async place(): Promise<void> {
        this.attempts++;
        throw new Error('down');
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ policies: { often: { retry: { maxAttempts: 9, backoff: fixed(0) } } } })],
      providers: [Orders],
    });

    await module
      .get(Orders)
      .place()
      .catch(() => undefined);

    expect(module.get(Orders).attempts).toBe(4);
  });
});

describe('a timeout without a value', () => {
  @Injectable()
  class Bare {
    @Timeout()
    async load(): Promise<never> {
      return new Promise(() => undefined);
    }
  }
  @Injectable()
  class Named {
    @Timeout('payments')
    async load(): Promise<never> {
      return new Promise(() => undefined);
    }
  }

  it.each<[string, Type, ResilienceModuleOptions]>([
    ['it is bare and there is no default', Bare, {}],
    ['the named set and default have none', Named, { policies: { payments: { retry: 2 }, default: { retry: 2 } } }],
  ])('stops the start, when %s', async (_, type, options) => {
    const error = await errorOf([type], options);

    for (const part of [`${type.name}.load`, '@Timeout', 'milliseconds']) expect(error.message).toContain(part);
  });

  it.each<[string, Type<Bare>, ResilienceModuleOptions]>([
    ['it is bare', Bare, { policies: { default: { timeout: 15 } } }],
    ['the named set has none', Named, { policies: { payments: { retry: 2 }, default: { timeout: 15 } } }],
  ])('falls back to policies.default, when %s', async (_, type, options) => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot(options)], providers: [type] });

    await expect(module.get(type).load()).rejects.toMatchObject({ code: 'TIMEOUT', details: { limitMs: 15 } });
  });
});

describe('a method', () => {
  it('stops the start, when it has a policy twice', async () => {
    @Injectable()
    class Orders {
      @Retry(2)
      @Timeout(100)
      @Retry(3)
      async place(): Promise<void> {}
    }

    const error = await errorOf([Orders]);

    for (const part of ['Orders.place', '@Retry', 'once']) expect(error.message).toContain(part);
  });

  it('stops the start, when a class has a policy twice', async () => {
    @Timeout(100)
    @Injectable()
    @Timeout(200)
    class Orders {
      async place(): Promise<void> {}
    }

    const error = await errorOf([Orders]);

    for (const part of ['Orders', '@Timeout', 'once']) expect(error.message).toContain(part);
  });

  it('stops the start, when @Signal() stands in it and no decorator of ours on it', async () => {
    @Injectable()
    class Orders {
      async place(@Signal() _signal?: AbortSignal): Promise<void> {}
    }

    const error = await errorOf([Orders]);

    for (const part of ['Orders.place', '@Signal']) expect(error.message).toContain(part);
  });

  it('starts, when @Signal() stands in a method that the decorator of its class covers', async () => {
    @Timeout(100)
    @Injectable()
    class Orders {
      async place(@Signal() signal?: AbortSignal): Promise<boolean> {
        return signal instanceof AbortSignal;
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    expect(await module.get(Orders).place()).toBe(true);
  });

  it.each<[string, () => ClassDecorator]>([
    ['@Fallback', () => Fallback('cached') as never],
    ['@Recover', () => Recover({ use: 'cached' }) as never],
  ])('stops the start, when %s on its class names a method', async (label, decorator) => {
    @Injectable()
    @decorator()
    class Orders {
      async place(): Promise<string> {
        throw new Error('down');
      }
      cached(): string {
        return 'cached';
      }
    }

    const error = await errorOf([Orders]);

    for (const part of ['Orders', label, 'cached', 'handler']) expect(error.message).toContain(part);
  });

  it('is checked, when nobody but a factory makes its class', async () => {
    class Orders {
      @Retry(-1)
      async place(): Promise<void> {}
    }

    const error = await startUpError({
      imports: [ResilienceModule.forRoot()],
      providers: [{ provide: 'orders', useFactory: () => new Orders() }],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain('Orders.place');
  });
});
