import { Injectable, type Type } from '@nestjs/common';
import {
  Breaker,
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Timeout,
  exponential,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, startUpError } from './support/harness.js';

async function saidOf(decorate: MethodDecorator, options: ResilienceModuleOptions = {}): Promise<string> {
  @Injectable()
  class Orders {
    async load(): Promise<void> {}
  }
  Object.defineProperty(Orders.prototype, 'load', decorated(Orders, decorate));
  return (await startUpError({ imports: [ResilienceModule.forRoot(options)], providers: [Orders] })).message;
}

function decorated(type: Type, decorate: MethodDecorator): PropertyDescriptor {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, 'load') as PropertyDescriptor;
  decorate(type.prototype as object, 'load', descriptor);
  return descriptor;
}

describe('a name that nearly is one', () => {
  it.each<[string, MethodDecorator, ResilienceModuleOptions, string]>([
    ['an option', CircuitBreaker({ volumeTreshold: 5 } as never) as MethodDecorator, {}, 'volumeThreshold'],
    ['an option in other case', Retry({ maxattempts: 5 } as never) as MethodDecorator, {}, 'maxAttempts'],
    ['a set', Resilient('paymnets') as MethodDecorator, { policies: { payments: { retry: 3 } } }, 'payments'],
    ['a shared name', Retry('paymnets') as MethodDecorator, { policies: { payments: { retry: 3 } } }, 'payments'],
    [
      'a policy of a set',
      Retry() as MethodDecorator,
      { policies: { payments: { circuitBraker: {} } as never } },
      'circuitBreaker',
    ],
    ['an option of the module', Retry() as MethodDecorator, { polices: {} } as never, 'policies'],
  ])('is asked about: %s', async (_what, decorate, options, meant) => {
    expect(await saidOf(decorate, options)).toContain(`; did you mean '${meant}'?`);
  });

  it('is asked about by execute() and by rules', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ policies: { payments: { retry: 3 } } })],
    });
    const resilience = module.get(ResilienceService);

    const error = await rejection(resilience.execute('paymets', async () => 1));
    const faults = resilience.rules.validate({ policies: { paymets: { retry: 2 } } });

    expect(error).toMatchObject({ message: expect.stringContaining("did you mean 'payments'?") as string });
    expect(JSON.stringify(faults)).toContain("did you mean 'payments'?");
  });

  it('is another name, where it is far from all', async () => {
    expect(await saidOf(CircuitBreaker({ threshold: 5 } as never) as MethodDecorator)).not.toContain('did you mean');
  });
});

describe('an option of another library', () => {
  it.each<[string, MethodDecorator, string]>([
    ['slidingWindowSize', CircuitBreaker({ slidingWindowSize: 5 } as never) as MethodDecorator, 'countWindow'],
    [
      'waitDurationInOpenState',
      CircuitBreaker({ waitDurationInOpenState: 5 } as never) as MethodDecorator,
      'resetTimeout',
    ],
    ['halfOpenAfter', CircuitBreaker({ halfOpenAfter: 5 } as never) as MethodDecorator, 'resetTimeout'],
    [
      'failureThreshold',
      CircuitBreaker({ failureThreshold: 5 } as never) as MethodDecorator,
      'errorThresholdPercentage',
    ],
    ['maxFailures', CircuitBreaker({ maxFailures: 5 } as never) as MethodDecorator, 'failureCount(n)'],
    ['waitDuration', Retry({ waitDuration: 5 } as never) as MethodDecorator, 'backoff'],
    ['maxRetries', Retry({ maxRetries: 5 } as never) as MethodDecorator, 'maxAttempts'],
    ['ignoreExceptions', Retry({ ignoreExceptions: [] } as never) as MethodDecorator, 'abortOn'],
    ['limitForPeriod', RateLimit({ limitForPeriod: 5 } as never) as MethodDecorator, 'limit is'],
    ['ttl', RateLimit({ limit: 5, ttl: 5 } as never) as MethodDecorator, 'per is'],
    ['maxConcurrentCalls', Bulkhead({ maxConcurrentCalls: 5 } as never) as MethodDecorator, 'maxConcurrent is'],
    ['fallbackMethod', Fallback({ fallbackMethod: 'x' } as never) as MethodDecorator, 'use is'],
    ['timeoutDuration', Timeout({ timeoutDuration: 5 } as never) as MethodDecorator, 'perAttempt'],
  ])('is translated, and not guessed at: %s', async (option, decorate, here) => {
    const said = await saidOf(decorate);

    expect(said).toContain(`unknown option '${option}' (got`);
    expect(said).toContain(here);
    expect(said).toContain('expected one of');
    expect(said).not.toContain('did you mean');
  });

  it('is translated in a backoff', () => {
    expect(() => exponential({ maxDelay: 5 } as never)).toThrow(
      /unknown option 'maxDelay' \(got 5\): max is the longest pause/,
    );
  });
});

describe('a number in quotes', () => {
  it.each<[string, MethodDecorator]>([
    ['500', Timeout('500') as MethodDecorator],
    ['3', Retry('3') as MethodDecorator],
    ['10', Bulkhead('10') as MethodDecorator],
    ['5s', Timeout('5s') as MethodDecorator],
  ])("is told to be one: '%s'", async (text, decorate) => {
    expect(await saidOf(decorate)).toContain(
      `expected a number, got the string '${text}', which would be the name of a policy set`,
    );
  });

  it('is told to be one in a set', async () => {
    const policies = { payments: { bulkhead: '10' } };

    expect(await saidOf(Resilient('payments') as MethodDecorator, { policies })).toContain(
      "policies.payments.bulkhead: expected a number, got the string '10'",
    );
  });
});

describe('a name that nothing defines', () => {
  it('says how a decorator defines it', async () => {
    expect(await saidOf(CircuitBreaker('rates') as MethodDecorator)).toContain(
      "or by another decorator with options, as @CircuitBreaker('rates', {})",
    );
    expect(await saidOf(RateLimit('rates') as MethodDecorator)).toContain("as @RateLimit('rates', { ... })");
    expect(await saidOf(Timeout('rates') as MethodDecorator)).toMatch(/or by another decorator with options$/);
  });

  it('is defined so', async () => {
    @Injectable()
    class Rates {
      @CircuitBreaker('rates', {})
      async load(): Promise<number> {
        return 1;
      }
      @CircuitBreaker('rates')
      async again(): Promise<number> {
        return 2;
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Rates] });

    expect(await module.get(Rates).again()).toBe(2);
  });
});

describe('new Breaker()', () => {
  it('says that it wants a name first', () => {
    expect(() => new Breaker({ timeout: 5 } as never)).toThrow(
      /^new Breaker\(\): name: expected a non-empty string, got \{"timeout":5\}/,
    );
    expect(() => new Breaker(null as never)).toThrow(/^new Breaker\(\): name: expected a non-empty string, got null/);
  });

  it('expects no option that it refuses', () => {
    expect(() => new Breaker('rates', { unknown: 1 } as never)).toThrow(
      /expected one of: timeout, (?!.*(key|maxKeys|scope)\b)/,
    );
  });
});
