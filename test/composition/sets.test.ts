import { Injectable, SetMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  RateLimit,
  Recover,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Timeout,
  TimeoutException,
  type PlanEntry,
  type PlannedPolicy,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail, guard, hang, pass, settle, startApp, watch, type MethodGuard } from './scene.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const policyOf = (entry: PlanEntry | undefined, policy: PlannedPolicy['policy']): PlannedPolicy | undefined =>
  entry?.policies.find((one) => one.policy === policy);

/** The error with which an app with `providers` does not start. */
async function startFault(providers: (new (...args: never[]) => object)[], options: ResilienceModuleOptions = {}) {
  const starting = async (): Promise<void> => {
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot(options)],
      providers,
    }).compile();
    await module.init();
    await module.close();
  };
  return starting().then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('policies.default', () => {
  it('adds no policy to a method that asks for none of its kind', async () => {
    const scene = await guard([Retry(2)], () => 'value', {
      policies: { default: { timeout: 50, circuitBreaker: true, bulkhead: 1, recover: true, fallback: { value: 1 } } },
    });

    expect(scene.order()).toEqual(['retry']);
  });

  it.each<[string, MethodGuard]>([
    ['@Timeout()', Timeout()],
    ["@Timeout('payments'), a set without a timeout,", Timeout('payments')],
  ])('gives %s its value', async (_, timeout) => {
    const scene = await guard([timeout], hang, { policies: { default: { timeout: 50 }, payments: { retry: 2 } } });

    const call = watch(scene.call());
    await pass(50);

    expect(call.error).toBeInstanceOf(TimeoutException);
  });

  it('gives the options that the decorator leaves open, and the built-in defaults the others', async () => {
    const scene = await guard([CircuitBreaker({ volumeThreshold: 3 })], () => 'value', {
      policies: { default: { circuitBreaker: { volumeThreshold: 7, resetTimeout: 5_000 } } },
    });

    const breaker = policyOf(scene.plan(), 'circuitBreaker');
    expect(breaker?.options).toMatchObject({
      volumeThreshold: 3,
      resetTimeout: 5_000,
      errorThresholdPercentage: 50,
      timeout: 10_000,
    });
    expect(breaker?.sources.volumeThreshold).toContain('CircuitBreaker');
    expect(breaker?.sources.resetTimeout).toBe('policies.default');
    expect(breaker?.sources.errorThresholdPercentage).toMatch(/built-in|default/);
  });

  it('leaves every method alone, when its policy there is false and the method has options of its own', async () => {
    const scene = await guard([Retry(2)], () => 'value', { policies: { default: { retry: false } } });

    expect(scene.order()).toEqual(['retry']);
  });
});

describe('a named set', () => {
  const policies = {
    default: { retry: { maxAttempts: 5, backoff: fixed(10) }, timeout: 1_000 },
    payments: { retry: { maxAttempts: 2 }, timeout: { total: 400 }, circuitBreaker: { volumeThreshold: 4 } },
  } satisfies ResilienceModuleOptions['policies'];

  it('goes before policies.default, and the decorator’s own options before both', async () => {
    const scene = await guard([Retry('payments', { maxRetryAfter: 7 })], fail(), { policies });

    const retry = policyOf(scene.plan(), 'retry');

    expect(retry?.options).toMatchObject({ maxAttempts: 2, maxRetryAfter: 7 });
    expect(retry?.sources).toMatchObject({ maxAttempts: 'policies.payments', backoff: 'policies.default' });
    expect(retry?.sources.maxRetryAfter).toContain('Retry');
  });

  it('leaves to policies.default what it does not name', async () => {
    const scene = await guard([Bulkhead('payments')], () => 'value', {
      policies: { ...policies, default: { bulkhead: { maxConcurrent: 3 } } },
    });

    const bulkhead = policyOf(scene.plan(), 'bulkhead');

    expect(bulkhead).toMatchObject({ name: 'payments', options: { maxConcurrent: 3, maxQueue: 0 } });
    expect(bulkhead?.sources).toMatchObject({ maxConcurrent: 'policies.default' });
  });

  it('is one instance for all methods that name it', async () => {
    @Injectable()
    class Service {
      @CircuitBreaker('payments')
      async charge(): Promise<never> {
        throw new Error('down');
      }

      @Resilient('payments')
      async refund(): Promise<string> {
        return 'refunded';
      }
    }
    const scene = await startApp([Service], {
      policies: { payments: { circuitBreaker: { volumeThreshold: 1, timeout: false } } },
    });
    const service = scene.get(Service);

    await service.charge().catch(() => {});

    await expect(service.refund()).rejects.toBeInstanceOf(CircuitOpenException);
    expect(scene.resilience.circuitBreakers().map(({ name }) => name)).toEqual(['payments']);
  });

  it('is the definition of another decorator, when `policies` has none', async () => {
    @Injectable()
    class Service {
      @CircuitBreaker('elsewhere')
      async user(): Promise<void> {}

      @CircuitBreaker('elsewhere', { volumeThreshold: 4 })
      async definer(): Promise<void> {}
    }
    const scene = await startApp([Service]);

    expect(policyOf(scene.plan('user'), 'circuitBreaker')).toMatchObject({
      name: 'elsewhere',
      options: { volumeThreshold: 4 },
    });
  });

  it('stops the start, when nobody defines it, and names the place and the name', async () => {
    class Service {
      @CircuitBreaker('paymnets')
      async charge(): Promise<void> {}
    }
    const fault = await startFault([Service], { policies });

    expect(fault).toBeInstanceOf(ResilienceConfigurationError);
    expect((fault as Error).message).toMatch(/Service\.charge.*paymnets.*payments/s);
  });

  it.each<[string, MethodGuard]>([
    ['@CircuitBreaker', CircuitBreaker('payments', { volumeThreshold: 9 })],
    ['@RateLimit', RateLimit('payments', { limit: 2 })],
    ['@Bulkhead', Bulkhead('payments', { maxConcurrent: 2 })],
  ])('stops the start, when %s gives options to a stateful policy that stands there', async (_, decorator) => {
    class Service {
      async charge(): Promise<void> {}
    }
    decorateMethod(Service, 'charge', decorator);

    const fault = await startFault([Service], {
      policies: {
        payments: { circuitBreaker: { volumeThreshold: 4 }, rateLimit: { limit: 4, per: 1_000 }, bulkhead: 5 },
      },
    });

    expect(fault).toBeInstanceOf(ResilienceConfigurationError);
    expect((fault as Error).message).toContain('Service.charge');
  });

  it('stops the start, when two decorators define one name differently', async () => {
    class Service {
      @Bulkhead('slots', { maxConcurrent: 1 })
      async one(): Promise<void> {}

      @Bulkhead('slots', { maxConcurrent: 2 })
      async other(): Promise<void> {}
    }
    const fault = await startFault([Service]);

    expect(fault).toBeInstanceOf(ResilienceConfigurationError);
    expect((fault as Error).message).toContain('slots');
  });
});

describe('a timeout used bare', () => {
  it('stops the start, when neither the named set nor policies.default has one', async () => {
    class Service {
      @Timeout()
      async charge(): Promise<void> {}
    }
    const fault = await startFault([Service]);

    expect(fault).toBeInstanceOf(ResilienceConfigurationError);
    expect((fault as Error).message).toContain('Service.charge');
  });
});

describe('false', () => {
  const policies = {
    default: { timeout: 50, retry: { maxAttempts: 3, backoff: fixed(1) } },
    payments: { timeout: 50, retry: 3, circuitBreaker: { timeout: false }, bulkhead: 2 },
  } satisfies ResilienceModuleOptions['policies'];

  it.each<[string, MethodGuard, string[]]>([
    ['@Timeout(false)', Timeout(false), ['retry', 'circuitBreaker', 'bulkhead']],
    ['@Retry(false)', Retry(false), ['circuitBreaker', 'timeout.perAttempt', 'bulkhead']],
    ['@CircuitBreaker(false)', CircuitBreaker(false), ['retry', 'timeout.perAttempt', 'bulkhead']],
    ['@Bulkhead(false)', Bulkhead(false), ['retry', 'circuitBreaker', 'timeout.perAttempt']],
  ])('%s turns that policy of the set off', async (_, off, left) => {
    const scene = await guard([off, Resilient('payments')], () => 'value', { policies });

    expect(scene.order()).toEqual(left);
  });

  it('@RateLimit(false) turns that policy of the set off', async () => {
    const scene = await guard(
      [RateLimit(false), Resilient({ name: 'own', bulkhead: 1, rateLimit: false })],
      () => 'value',
    );
    const limited = { limit: 1, per: 1_000 };
    const ofSet = await guard([RateLimit(false), Resilient('api')], () => 'value', {
      policies: { api: { rateLimit: limited, bulkhead: 1 } },
    });

    expect([scene.order(), ofSet.order()]).toEqual([['bulkhead'], ['bulkhead']]);
  });

  it.each<[string, MethodGuard]>([
    ['@Recover(false)', Recover(false)],
    ['@Fallback(false)', Fallback(false)],
  ])('%s turns that policy of the set off', async (_, off) => {
    const scene = await guard([off, Resilient({ recover: true, fallback: { value: 1 } })], () => 'value');

    expect(scene.order()).toHaveLength(1);
  });

  it('in a set stands against policies.default', async () => {
    const scene = await guard([Resilient({ timeout: false, retry: false, bulkhead: 3, name: 'own' })], () => 'value', {
      policies,
    });

    expect(scene.order()).toEqual(['bulkhead']);
  });

  it('in a named set turns the policy off for the decorator that names the set alone', async () => {
    const scene = await guard([Retry('patient'), Bulkhead(1)], () => 'value', {
      policies: { ...policies, patient: { retry: false } },
    });

    expect(scene.order()).toEqual(['bulkhead']);
  });

  it('@Resilient(false) exempts the method from its class', async () => {
    @Injectable()
    @Retry(2)
    @Resilient('payments')
    class Service {
      async guarded(): Promise<void> {}

      @Resilient(false)
      async exempt(): Promise<void> {}
    }
    const scene = await startApp([Service], { policies });

    expect(scene.order('guarded')).toEqual(['retry', 'circuitBreaker', 'timeout.perAttempt', 'bulkhead']);
    expect(scene.order('exempt')).toEqual([]);
  });
});

describe('@Resilient', () => {
  const policies = {
    default: { timeout: 50, retry: { maxAttempts: 2, backoff: fixed(10) } },
    payments: { retry: { maxAttempts: 4, backoff: fixed(10) }, bulkhead: { maxConcurrent: 2 } },
  } satisfies ResilienceModuleOptions['policies'];

  it('without a name takes policies.default as a whole', async () => {
    const scene = await guard([Resilient()], fail(), { policies });

    const call = watch(scene.call());
    await pass(10);

    expect(call.settled).toBe(true);
    expect(scene.runs()).toBe(2);
    expect(scene.order()).toEqual(['retry', 'timeout.perAttempt']);
  });

  it('with a name takes that set, and its values before those of policies.default', async () => {
    const scene = await guard([Resilient('payments')], fail(), { policies });

    const call = watch(scene.call());
    await pass(30);

    expect(call.settled).toBe(true);
    expect(scene.runs()).toBe(4);
    expect(scene.order()).toEqual(['retry', 'bulkhead']);
    expect(policyOf(scene.plan(), 'bulkhead')?.name).toBe('payments');
  });

  it('with a set takes what is written there', async () => {
    const scene = await guard([Resilient({ retry: 3, fallback: () => 'substitute', recover: true })], fail(), {
      policies,
    });

    const call = watch(scene.call());
    await pass(20);

    expect(call.value).toBe('substitute');
    expect(scene.runs()).toBe(3);
    expect(policyOf(scene.plan(), 'retry')?.sources).toMatchObject({ backoff: 'policies.default' });
  });

  it('gives way key for key to the other decorators of the method', async () => {
    const scene = await guard([Resilient('payments'), Retry(2), Timeout(70)], fail(), { policies });

    expect(policyOf(scene.plan(), 'retry')?.options.maxAttempts).toBe(2);
    expect(scene.order()).toEqual(['retry', 'timeout.perAttempt', 'bulkhead']);
  });

  it('names the stateful policies of a set that has a name, and each method’s own of one without', async () => {
    @Injectable()
    class Service {
      @Resilient({ name: 'shared', bulkhead: 1 })
      async named(): Promise<void> {}

      @Resilient({ bulkhead: 1 })
      async nameless(): Promise<void> {}

      @Resilient({ bulkhead: 'elsewhere' })
      async reference(): Promise<void> {}

      @Bulkhead('elsewhere', { maxConcurrent: 9 })
      async definer(): Promise<void> {}
    }
    const scene = await startApp([Service]);

    expect(policyOf(scene.plan('named'), 'bulkhead')?.name).toBe('shared');
    expect(policyOf(scene.plan('nameless'), 'bulkhead')?.name).toBe('Service.nameless');
    expect(policyOf(scene.plan('reference'), 'bulkhead')).toMatchObject({
      name: 'elsewhere',
      options: { maxConcurrent: 9 },
    });
  });

  it('without a name stops the start, when there is no policies.default', async () => {
    class Service {
      @Resilient()
      async charge(): Promise<void> {}
    }

    expect(await startFault([Service])).toBeInstanceOf(ResilienceConfigurationError);
  });

  it('stops the start, when it names a set that nobody defines', async () => {
    class Service {
      @Resilient('paymnets')
      async charge(): Promise<void> {}
    }
    const fault = await startFault([Service], { policies });

    expect((fault as Error).message).toMatch(/Service\.charge.*paymnets.*payments/s);
  });

  it('stops the start, when a set names a method as its fallback', async () => {
    const fault = await startFault([], { policies: { payments: { fallback: 'cached' as never } } });

    expect(fault).toBeInstanceOf(ResilienceConfigurationError);
    expect((fault as Error).message).toContain('payments');
  });

  it('stands on a method once only', async () => {
    class Service {
      @Resilient('payments')
      @Resilient()
      async charge(): Promise<void> {}
    }

    expect(await startFault([Service], { policies })).toBeInstanceOf(ResilienceConfigurationError);
  });
});

describe('a policy', () => {
  it('stands on a method once only', async () => {
    class Service {
      @Retry(2)
      @Retry(3)
      async charge(): Promise<void> {}
    }
    const fault = await startFault([Service]);

    expect(fault).toBeInstanceOf(ResilienceConfigurationError);
    expect((fault as Error).message).toMatch(/Service.*@Retry/s);
  });
});

describe('a decorator on a class', () => {
  class Base {
    async inherited(): Promise<void> {}
  }

  @Injectable()
  @Retry({ maxAttempts: 2, backoff: fixed(10) })
  class Service extends Base {
    runs = 0;

    async promised(): Promise<void> {
      this.runs++;
      throw new Error('down');
    }

    // TypeScript writes the declared type only where some decorator stands.
    @SetMetadata('of', 'another library')
    declared(): Promise<void> {
      this.runs++;
      return Promise.reject(new Error('down'));
    }

    async *streamed(): AsyncGenerator<number> {
      yield 1;
    }

    @Retry({ maxAttempts: 4, backoff: fixed(10) })
    async own(): Promise<void> {
      this.runs++;
      throw new Error('down');
    }

    @Retry(false)
    async without(): Promise<void> {
      this.runs++;
      throw new Error('down');
    }

    @Timeout(50)
    async both(): Promise<void> {
      this.runs++;
      throw new Error('down');
    }

    @Fallback(() => 7)
    synchronousWithFallback(): number {
      this.runs++;
      throw new Error('down');
    }

    synchronous(): number {
      return 1;
    }

    unknown() {
      return Promise.resolve();
    }

    get accessor(): number {
      return 1;
    }

    async onModuleInit(): Promise<void> {}

    async onApplicationShutdown(): Promise<void> {}
  }

  const start = async () => {
    const scene = await startApp([Service]);
    return { scene, service: scene.get(Service) };
  };

  it.each([
    ['promised', 2],
    ['declared', 2],
    ['own', 4],
    ['without', 1],
    ['both', 2],
  ] as const)('gives %s %i attempts', async (method, runs) => {
    const { service } = await start();

    const call = watch(service[method]());
    await pass(1_000);

    expect(call.error).toMatchObject({ message: 'down' });
    expect(service.runs).toBe(runs);
  });

  it('adds its policies to those of the method', async () => {
    const { scene } = await start();

    expect(scene.order('both')).toEqual(['retry', 'timeout.perAttempt']);
    expect(scene.order('streamed')).toEqual(['retry']);
  });

  it.each(['synchronous', 'unknown', 'accessor', 'onModuleInit', 'onApplicationShutdown'])(
    'leaves %s out and says so in the plan with a reason',
    async (method) => {
      const { scene } = await start();

      const entry = scene.plan(method);

      expect(entry?.policies).toEqual([]);
      expect(entry?.uncovered).toEqual(expect.any(String));
      expect(entry?.uncovered).not.toBe('');
    },
  );

  it('leaves inherited methods alone', async () => {
    const { scene, service } = await start();

    await service.inherited();

    expect(scene.order('inherited')).toEqual([]);
  });

  it('keeps off a synchronous method that has a decorator of ours', async () => {
    const { scene, service } = await start();

    const answer = service.synchronousWithFallback();

    expect(answer).toBe(7);
    expect(scene.order('synchronousWithFallback')).toEqual(['fallback']);
  });

  it('leaves what is not covered as it was', async () => {
    const { service } = await start();

    expect(service.synchronous()).toBe(1);
    expect(service.accessor).toBe(1);
  });

  it('covers a method of unknown kind that has a decorator of ours', async () => {
    @Injectable()
    @Retry({ maxAttempts: 2, backoff: fixed(10) })
    class Mixed {
      runs = 0;

      @Timeout(50)
      unknown() {
        this.runs++;
        return Promise.reject<void>(new Error('down'));
      }
    }
    const scene = await startApp([Mixed]);
    const mixed = scene.get(Mixed);

    const call = watch(mixed.unknown());
    await pass(10);

    expect(call.settled).toBe(true);
    expect(mixed.runs).toBe(2);
    expect(scene.order('unknown', 'Mixed')).toEqual(['retry', 'timeout.perAttempt']);
  });

  it('gives each method a breaker of its own, and one to all that a name is given', async () => {
    @Injectable()
    @CircuitBreaker({ volumeThreshold: 1, timeout: false })
    class Own {
      async one(): Promise<void> {
        throw new Error('down');
      }
      async other(): Promise<string> {
        return 'value';
      }
    }
    @Injectable()
    @CircuitBreaker('all', { volumeThreshold: 1, timeout: false })
    class Shared extends Object {
      async one(): Promise<void> {
        throw new Error('down');
      }
      async other(): Promise<string> {
        return 'value';
      }
    }
    const scene = await startApp([Own, Shared]);
    const [own, shared] = [scene.get(Own), scene.get(Shared)];

    await own.one().catch(() => {});
    await shared.one().catch(() => {});

    expect(await own.other()).toBe('value');
    await expect(shared.other()).rejects.toBeInstanceOf(CircuitOpenException);
    expect(
      scene.resilience
        .circuitBreakers()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['Own.one', 'Own.other', 'all']);
  });

  it('takes a set, which the decorators of a method override', async () => {
    @Injectable()
    @Resilient('payments')
    class Guarded {
      async plain(): Promise<void> {}

      @Bulkhead(false)
      @Retry(7)
      async special(): Promise<void> {}

      @Resilient({ timeout: 70 })
      async replaced(): Promise<void> {}
    }
    const scene = await startApp([Guarded], { policies: { payments: { retry: 3, bulkhead: 2 } } });

    expect(scene.order('plain', 'Guarded')).toEqual(['retry', 'bulkhead']);
    expect(scene.order('special', 'Guarded')).toEqual(['retry']);
    expect(policyOf(scene.plan('special', 'Guarded'), 'retry')?.options.maxAttempts).toBe(7);
    expect(scene.order('replaced', 'Guarded')).toContain('timeout.perAttempt');
  });
});

describe('plan()', () => {
  it('tells for every method the policies in their order, with options, names and sources', async () => {
    @Injectable()
    class Service {
      @Bulkhead(5)
      @Retry('payments', { maxAttempts: 2 })
      @CircuitBreaker('payments')
      @Timeout()
      async charge(): Promise<void> {}
    }
    const scene = await startApp([Service], {
      policies: { default: { timeout: 800 }, payments: { circuitBreaker: { resetTimeout: 5_000 } } },
    });

    const [entry, ...others] = scene.resilience.plan();

    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      className: 'Service',
      methodName: 'charge',
      policies: [
        { policy: 'retry', options: { maxAttempts: 2 } },
        { policy: 'circuitBreaker', name: 'payments', options: { resetTimeout: 5_000 } },
        { policy: 'timeout', name: 'Service.charge', options: { perAttempt: 800 } },
        { policy: 'bulkhead', name: 'Service.charge', options: { maxConcurrent: 5, maxQueue: 0 } },
      ],
    });
    expect(entry?.policies.map(({ sources }) => sources)).toEqual([
      expect.objectContaining({ maxAttempts: expect.stringContaining('Retry') }),
      expect.objectContaining({ resetTimeout: 'policies.payments' }),
      { perAttempt: 'policies.default' },
      expect.objectContaining({ maxConcurrent: expect.stringContaining('Bulkhead') }),
    ]);
  });

  it('says that the limit of an attempt is that of the breaker', async () => {
    const scene = await guard([CircuitBreaker({ timeout: 70 })], () => 'value');

    const timeout = policyOf(scene.plan(), 'timeout');

    expect(timeout?.options).toEqual({ perAttempt: 70 });
    expect(timeout?.sources.perAttempt).toMatch(/circuitBreaker/i);
  });
});

describe('forFeature', () => {
  it('adds named sets for the whole app', async () => {
    class Service {
      @Resilient('feature')
      async call(): Promise<void> {}
    }
    const module = await Test.createTestingModule({
      imports: [
        ResilienceModule.forRoot({ policies: { default: { retry: { maxAttempts: 2, backoff: fixed(7) } } } }),
        ResilienceModule.forFeature({ policies: { feature: { retry: { maxAttempts: 5 } } } }),
      ],
      providers: [Service],
    }).compile();
    await module.init();

    const [entry] = module.get(ResilienceService).plan();

    expect(policyOf(entry, 'retry')).toMatchObject({
      options: { maxAttempts: 5 },
      sources: { maxAttempts: 'policies.feature', backoff: 'policies.default' },
    });
    await module.close();
  });

  it.each([
    ['policies.default', { default: { retry: 2 } }],
    ['a name that the root has defined otherwise', { payments: { retry: 9 } }],
  ])('stops the start, when it defines %s', async (_, policies) => {
    const starting = (async () => {
      const module = await Test.createTestingModule({
        imports: [
          ResilienceModule.forRoot({ policies: { payments: { retry: 2 } } }),
          ResilienceModule.forFeature({ policies }),
        ],
      }).compile();
      await module.init();
    })();

    await expect(starting).rejects.toBeInstanceOf(ResilienceConfigurationError);
  });
});

describe('execute()', () => {
  const policies = {
    default: { timeout: 50 },
    payments: {
      retry: { maxAttempts: 2, backoff: fixed(10) },
      circuitBreaker: { volumeThreshold: 2, timeout: false as const },
    },
  } satisfies ResilienceModuleOptions['policies'];

  it('runs any function under a named set, attempts and state included', async () => {
    const { resilience } = await startApp([], { policies });
    const attempts: number[] = [];

    const call = watch(
      resilience.execute('payments', ({ attempt }) => {
        attempts.push(attempt);
        throw new Error('down');
      }),
    );
    await pass(10);

    expect(call.error).toMatchObject({ message: 'down' });
    expect(attempts).toEqual([1, 2]);
    expect(resilience.circuitBreaker('payments').state).toBe('open');
  });

  it('shares the instances with the methods that name the set', async () => {
    class Service {
      @CircuitBreaker('payments')
      async charge(): Promise<string> {
        return 'charged';
      }
    }
    const scene = await startApp([Service], { policies });

    const call = watch(scene.resilience.execute('payments', fail()));
    await pass(10);

    expect(call.settled).toBe(true);
    await expect(scene.get(Service).charge()).rejects.toBeInstanceOf(CircuitOpenException);
  });

  it('hands its arguments to handlers and its signal to the work', async () => {
    const { resilience } = await startApp([]);
    const caller = new AbortController();
    const reason = new Error('gone');
    let signal: AbortSignal | undefined;

    const answer = await resilience.execute({ fallback: (_, { args }) => args[0] as number }, fail(), {
      args: [42],
    });
    const call = watch(
      resilience.execute(
        { timeout: 1_000 },
        (given) => {
          signal = given.signal;
          return hang();
        },
        { signal: caller.signal },
      ),
    );
    caller.abort(reason);
    await settle();

    expect(answer).toBe(42);
    expect(call.error).toBe(reason);
    expect(signal?.reason).toBe(reason);
  });

  it.each([
    ['an unknown name', 'nobody'],
    ['a set with a breaker and no name', { circuitBreaker: true as const }],
    ['a set with a bulkhead and no name', { bulkhead: 1 }],
    ['a wrong option', { retry: -1 }],
  ])('rejects %s', async (_, set) => {
    const { resilience } = await startApp([], { policies });

    await expect(resilience.execute(set, () => 1)).rejects.toBeInstanceOf(ResilienceConfigurationError);
  });

  it('keeps the state of a set with a name, also when the set is written anew for each call', async () => {
    const { resilience } = await startApp([]);
    const set = () => ({ name: 'anew', circuitBreaker: { volumeThreshold: 1, timeout: false as const } });

    await resilience.execute(set(), fail()).catch(() => {});

    await expect(resilience.execute(set(), () => 1)).rejects.toBeInstanceOf(CircuitOpenException);
  });
});

/** Puts a decorator on a method of a class that stands already. */
function decorateMethod(type: new () => object, name: string, decorator: MethodGuard): void {
  const prototype = type.prototype as object;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  (decorator as MethodDecorator)(prototype, name, descriptor);
  Object.defineProperty(prototype, name, descriptor);
}
