import { applyDecorators, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  Fallback,
  fixed,
  Hedge,
  RateLimit,
  Recover,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { lastValueFrom, Observable, throwError } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialise } from '../e2e/support/harness.js';
import { ProcessFaults, revoked, strict } from '../support/hostile.js';
import type { MethodGuard } from './scene.js';

const boom = (): never => {
  throw new ReferenceError('do not look');
};
const getter = (key: PropertyKey, target: object = {}): object => Object.defineProperty(target, key, { get: boom });

/** Values that throw when they are looked at. */
const HOSTILE: Readonly<Record<string, () => unknown>> = {
  'a strict proxy': strict,
  'a revoked proxy': revoked,
  'a promise behind a proxy': () => new Proxy(Promise.resolve('fine'), {}),
  'a promise whose then throws': () => Object.assign(Promise.resolve('fine'), { then: boom }),
  'a promise whose constructor throws': () => getter('constructor', Promise.resolve('fine')),
  'a promise whose finally and catch throw': () =>
    Object.assign(Promise.resolve('fine'), { finally: boom, catch: boom }),
  'what only inherits from Promise': () => Object.create(Promise.prototype) as unknown,
  'a thenable whose then cannot be read': () => getter('then'),
  'a thenable whose then throws': () => ({ then: boom }),
  'a thenable that answers twice': () => ({
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      resolve('fine');
      reject(new Error('twice'));
      boom();
    },
  }),
  'streams that cannot be looked at': () => getter(Symbol.asyncIterator, getter('subscribe')),
  'a prototype that cannot be read': () => new Proxy({}, { getPrototypeOf: boom }),
  'a status that throws': () =>
    [
      'status',
      'statusCode',
      'response',
      'code',
      'cause',
      'headers',
      'retryAfterMs',
      'name',
      'message',
      'stack',
    ].reduce<object>((error, key) => getter(key, error), {
      getStatus: boom,
      getError: boom,
      toString: boom,
      [Symbol.toPrimitive]: boom,
    }),
  'an error without text': () => Object.assign(new Error('x'), { toString: boom, name: Symbol('x'), message: {} }),
};

const ALL: readonly MethodGuard[] = [
  Bulkhead(2),
  CircuitBreaker({ volumeThreshold: 1_000 }),
  RateLimit({ limit: 1_000, per: 1_000 }),
  Timeout({ perAttempt: 1_000, total: 2_000 }),
  Retry({ maxAttempts: 2, backoff: fixed(0) }),
  Hedge({ after: 500 }),
  Coalesce({ key: () => 'all' }),
];
const GUARDS: Readonly<Record<string, readonly MethodGuard[]>> = {
  'no policy that waits': [Retry(false)],
  'a bulkhead': [Bulkhead(2)],
  'an adaptive bulkhead and a breaker': [
    Bulkhead(2),
    CircuitBreaker({ volumeThreshold: 1_000, isFailure: () => false }),
  ],
  'a time limit': [Timeout({ perAttempt: 1_000, total: 2_000 })],
  'a retry': [Retry({ maxAttempts: 2, backoff: fixed(0), retryOn: TypeError, retryOnResult: () => false })],
  'a fallback': [Fallback([{ value: 'substitute', on: RangeError }, (error) => Promise.reject(error)])],
  'every policy': ALL,
};

async function scene(guards: readonly MethodGuard[], body: (signal?: AbortSignal) => unknown) {
  @Injectable()
  class Service {
    @applyDecorators(...guards)
    @Resilient({ returns: 'promise' })
    declared(@Signal() signal?: AbortSignal): Promise<unknown> {
      return body(signal) as Promise<unknown>;
    }

    // What it gives is learned.
    @applyDecorators(...guards)
    learned(@Signal() signal?: AbortSignal) {
      return body(signal) as Promise<unknown>;
    }
  }
  Reflect.deleteMetadata('design:returntype', Service.prototype, 'learned');
  const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Service] });
  return { service: module.get(Service), resilience: module.get(ResilienceService) };
}

function expectIdle(resilience: ResilienceService): void {
  for (const bulkhead of resilience.bulkheads()) expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
  for (const { breaker } of resilience.circuitBreakers()) expect(breaker.core.inFlight).toBe(0);
}

async function endOf(promise: PromiseLike<unknown>): Promise<{ status: string; outcome: unknown }> {
  const [end] = await Promise.allSettled([promise]);
  return { status: end.status, outcome: end.status === 'fulfilled' ? end.value : end.reason };
}

const faults = new ProcessFaults();
beforeAll(() => faults.watch());
afterAll(() => faults.ignore());

describe.each(Object.entries(HOSTILE))('%s', (_, make) => {
  it.each(Object.entries(GUARDS))(
    'comes through as a result under %s, as an await would give it',
    async (_name, guards) => {
      const value = make();
      const { service, resilience } = await scene(guards, () => value);
      const awaited = await endOf((async () => await value)());

      for (let made = 0; made < 4; made++) {
        const end = await endOf(service.declared());

        expect(end.status).toBe(awaited.status);
        if (end.status === 'fulfilled') expect(Object.is(end.outcome, awaited.outcome)).toBe(true);
      }

      expect(await faults.take()).toEqual([]);
      expectIdle(resilience);
    },
  );

  it.each(Object.entries(GUARDS))(
    'comes through as an error under %s, and gives everything back',
    async (_name, guards) => {
      const error = make();
      const { service, resilience } = await scene(guards, () => Promise.reject(error));

      for (let made = 0; made < 4; made++) {
        const end = await endOf(service.declared());

        expect(end.status).toBe('rejected');
        expect(Object.is(end.outcome, error)).toBe(true);
      }

      expect(await faults.take()).toEqual([]);
      expectIdle(resilience);
    },
  );

  it.each(Object.entries(GUARDS))('thrown at once comes through under %s', async (_name, guards) => {
    const error = make();
    const { service, resilience } = await scene(guards, () => {
      throw error;
    });

    expect(Object.is((await endOf(service.declared())).outcome, error)).toBe(true);
    expect(await faults.take()).toEqual([]);
    expectIdle(resilience);
  });

  it.each(Object.entries(GUARDS))('as the reason of an abort ends the call under %s', async (_name, guards) => {
    const reason = make();
    const { service, resilience } = await scene(
      guards,
      (signal) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('cut')))),
    );
    const controller = new AbortController();

    const running = endOf(service.declared(controller.signal));
    controller.abort(reason);
    const late = endOf(service.declared(AbortSignal.abort(reason)));

    expect((await running).status).toBe('rejected');
    expect(Object.is((await late).outcome, reason)).toBe(true);
    expect(await faults.take()).toEqual([]);
    expectIdle(resilience);
  });

  it('is recovered from, in a method of each kind, and nothing escapes', async () => {
    const value = make();
    @Injectable()
    class Service {
      @Recover({ value: 'recovered' })
      async rejects(): Promise<unknown> {
        throw value;
      }
      @Recover(() => value as string)
      async answers(): Promise<unknown> {
        throw new Error('down');
      }
      @Recover({ value })
      async answersByValue(): Promise<unknown> {
        throw new Error('down');
      }
      @Recover({ value: 'recovered' })
      @Fallback({ value })
      async falls(): Promise<unknown> {
        throw new Error('down');
      }
      @Recover({ value: 'recovered' })
      @Retry(2)
      gives(): Promise<unknown> {
        return value as Promise<unknown>;
      }
      @Recover({ value: 'recovered' })
      throws(): string {
        throw value;
      }
      @Recover({ value: 'recovered' })
      @Retry(1)
      fails(): Observable<unknown> {
        return throwError(() => value);
      }
      @Recover({ value: 'recovered' })
      @Retry(1)
      emits(): Observable<unknown> {
        return new Observable((subscriber) => {
          subscriber.next(value);
          subscriber.complete();
        });
      }
      @Recover({ value })
      @Retry(1)
      substitutes(): Observable<unknown> {
        return throwError(() => new Error('down'));
      }
      @Recover({ value: 'recovered' })
      @Retry(1)
      async *iterates(): AsyncGenerator<unknown> {
        yield 'first';
        throw value;
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Service] });
    const service = module.get(Service);

    const ends = [
      endOf(service.rejects()),
      endOf(service.answers()),
      endOf(service.answersByValue()),
      endOf(service.falls()),
      endOf(service.gives()),
      endOf(lastValueFrom(service.fails())),
    ];

    expect((await Promise.all(ends)).map(({ status }) => status)).toEqual(ends.map(() => 'fulfilled'));
    expect(service.throws()).toBe('recovered');
    const emitted: unknown[] = [];
    await new Promise<void>((complete) => service.emits().subscribe({ next: (item) => emitted.push(item), complete }));
    expect(Object.is(emitted[0], value)).toBe(true);
    await new Promise<void>((end) => service.substitutes().subscribe({ complete: end, error: () => end() }));
    const items: unknown[] = [];
    for await (const item of service.iterates()) items.push(item);
    expect(items).toEqual(['first', 'recovered']);
    expect(await faults.take()).toEqual([]);
  });

  it('can be what a method without a declared kind gives, or throws', async () => {
    const value = make();
    const { service, resilience } = await scene([Bulkhead(2), CircuitBreaker()], () => value);

    for (let made = 0; made < 2; made++) await endOf((async () => service.learned())());

    expect(await faults.take()).toEqual([]);
    expectIdle(resilience);
  });

  it('can be an argument of which keys and costs are made, and an option', async () => {
    const value = make();
    @Injectable()
    class Service {
      @RateLimit({
        limit: 100,
        per: 1_000,
        key: (one: unknown) => one as string,
        cost: (one: unknown) => one as number,
      })
      @CircuitBreaker({ key: (one: unknown) => one as string })
      @Coalesce({ key: (one: unknown) => one as string })
      @Bulkhead({ maxConcurrent: 1, maxQueue: 4, priority: ({ args }) => args[0] as number })
      async load(one: unknown): Promise<string> {
        await new Promise((resolve) => setImmediate(resolve));
        return one === undefined ? 'none' : 'fine';
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Service] });
    const service = module.get(Service);

    const ends = await Promise.all([
      endOf(service.load(value)),
      endOf(service.load(value)),
      endOf(service.load(value)),
    ]);

    expect(ends).toEqual(ends.map(() => ({ status: 'fulfilled', outcome: 'fine' })));
    expect(await faults.take()).toEqual([]);
    expectIdle(module.get(ResilienceService));
  });

  it('can be given to execute() as its signal and its options', async () => {
    const { resilience } = await scene([Retry(2)], () => 'fine');
    const value = make() as AbortSignal;

    const calls = [
      () => resilience.execute({ retry: 2 }, () => 'fine', { signal: value }),
      () => resilience.execute({ retry: 2 }, () => 'fine', value as object),
      () => resilience.execute(value as object, () => 'fine'),
    ];

    for (const call of calls) {
      const promise = call();
      await endOf(promise);
    }
    expect(await faults.take()).toEqual([]);
  });
});

describe('a signal behind a proxy', () => {
  it('is no signal, and hurts nobody', async () => {
    const { service } = await scene([Timeout(1_000)], () => 'fine');

    expect(await service.declared(new Proxy(new AbortController().signal, {}))).toBe('fine');
    expect(await faults.take()).toEqual([]);
  });
});

describe('a signal that refuses', () => {
  it.each([
    ['listeners', { addEventListener: { value: boom } }],
    ['to let go of listeners', { removeEventListener: { value: boom } }],
    ['to say twice whether it has aborted', { aborted: { get: onceOnly(() => false) } }],
  ])('%s is as none, and hurts nobody', async (_, properties) => {
    const { service, resilience } = await scene([Timeout(1_000), Bulkhead(1)], () => 'fine');
    const signal = (): AbortSignal => Object.defineProperties(new AbortController().signal, properties);

    expect(await service.declared(signal())).toBe('fine');
    expect(await resilience.execute({ timeout: 1_000 }, () => 'fine', { signal: signal() })).toBe('fine');
    expect(await faults.take()).toEqual([]);
    expectIdle(resilience);
  });
});

describe('a signal that is no AbortSignal of Node', () => {
  class Polyfill extends EventTarget {
    aborted = false;
    abort(): void {
      this.aborted = true;
      this.dispatchEvent(new Event('abort'));
    }
  }

  it('cuts the call as any other, before it and while it runs', async () => {
    const { service } = await scene([Timeout(60_000), Bulkhead(1)], () => new Promise(() => undefined));
    const [early, late] = [new Polyfill(), new Polyfill()];
    early.abort();

    const calls = [early, late].map((signal) => endOf(service.declared(signal as unknown as AbortSignal)));
    await new Promise(setImmediate);
    late.abort();

    for (const end of await Promise.all(calls))
      expect(end).toMatchObject({ status: 'rejected', outcome: { name: 'AbortError' } });
    expect(await faults.take()).toEqual([]);
  });
});

/** A getter that can be read once. */
function onceOnly<T>(read: () => T): () => T {
  let reads = 0;
  return () => (reads++ > 0 ? boom() : read());
}

describe('what a guarded method is called on', () => {
  class Client {
    @Timeout(1_000)
    call(): Promise<string> {
      return Promise.resolve('fine');
    }
  }
  const call = (self: unknown): Promise<string> => Client.prototype.call.call(self as Client);

  it.each<[string, () => unknown]>([
    ['a strict proxy', () => strict()],
    ['a revoked proxy', () => revoked()],
    ['a proxy that takes no property', () => new Proxy(new Client(), { defineProperty: () => false })],
    ['a proxy that throws at one', () => new Proxy(new Client(), { defineProperty: boom })],
    ['a proxy that swallows it', () => new Proxy({}, { defineProperty: () => true, isExtensible: () => true })],
    ['an object whose constructor throws', () => getter('constructor')],
    ['an object whose constructor is no class', () => ({ constructor: 'none' })],
    ['an object without a prototype', () => Object.create(null) as unknown],
    ['a frozen instance', () => Object.freeze(new Client())],
    ['a frozen function', () => Object.freeze(() => undefined)],
    ['nothing', () => undefined],
  ])('may be %s', async (_, make) => {
    const self = make();

    expect(await call(self)).toBe('fine');
    expect(await call(self)).toBe('fine');
    expect(await faults.take()).toEqual([]);
  });
});

describe('a listener of the signal of an attempt that throws', () => {
  it('is reported by Node, and the call ends as it would have', async () => {
    const { service, resilience } = await scene([Timeout(20), Bulkhead(1)], (signal) => {
      signal?.addEventListener('abort', () => boom());
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('cut'))));
    });

    faults.ignore();
    const told: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => told.push(error));
    const end = await endOf(service.declared());
    await faults.take();
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
    faults.watch();

    expect(end).toMatchObject({ status: 'rejected', outcome: { code: 'TIMEOUT' } });
    expect(told).toHaveLength(1);
    expectIdle(resilience);
  });
});
