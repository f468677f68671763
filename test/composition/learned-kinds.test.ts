import { Injectable, Logger } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  Coalesce,
  Fallback,
  fixed,
  Hedge,
  RateLimit,
  Recover,
  Resilient,
  Retry,
  Signal,
  Timeout,
  TimeoutException,
  type PolicySet,
} from 'nestjs-bulwark';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import {
  firstValueFrom,
  from,
  isObservable,
  lastValueFrom,
  Observable,
  Subject,
  toArray,
  type ObservedValueOf,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { hang, pass, settle, startApp, watch } from './scene.js';

type Body = (run: number, signal?: AbortSignal) => unknown;
type Guard = (...args: never[]) => unknown;

/** A service as a compiler without metadata leaves it: nothing but the code says what `call` gives. */
async function unknownKind(guards: Guard[], body: Body, { onClass = [] as Guard[], options = {} } = {}) {
  let runs = 0;
  class Service {
    call(signal?: AbortSignal): unknown {
      return body(++runs, signal);
    }
  }
  Signal()(Service.prototype, 'call', 0);
  const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, 'call') as PropertyDescriptor;
  for (const guard of [...guards].reverse())
    (guard as unknown as MethodDecorator)(Service.prototype, 'call', descriptor);
  Object.defineProperty(Service.prototype, 'call', descriptor);
  for (const guard of onClass) (guard as unknown as ClassDecorator)(Service);
  Injectable()(Service);
  const scene = await startApp([Service], options);
  const warnings = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  const service = scene.get(Service);
  return Object.assign(scene, {
    call: (signal?: AbortSignal) => service.call(signal),
    promised: (signal?: AbortSignal) => service.call(signal) as Promise<unknown>,
    streamed: () => service.call() as Observable<unknown>,
    runs: () => runs,
    warnings: () => warnings.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith('Service.call')),
  });
}

const lazy = (work: () => Promise<unknown>): { begun: number } & PromiseLike<unknown> => {
  const thenable = {
    begun: 0,
    then<A, B>(resolve?: ((value: unknown) => A) | null, reject?: ((error: unknown) => B) | null) {
      thenable.begun++;
      return work().then(resolve, reject);
    },
  };
  return thenable as never;
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a method that says nothing of what it gives', () => {
  it('is guarded from its first call on, when it gives a promise', async () => {
    const scene = await unknownKind([Timeout(50)], hang);

    const first = watch(scene.promised());
    await pass(50);
    const second = watch(scene.promised());
    await pass(50);

    expect(first.error).toBeInstanceOf(TimeoutException);
    expect(second.error).toBeInstanceOf(TimeoutException);
    expect(scene.plan()).toMatchObject({ learned: 'promise', policies: [{ policy: 'timeout' }] });
    expect(scene.plan()).not.toHaveProperty('uncovered');
  });

  it('shows that it is not known yet, when nobody has called it', async () => {
    const scene = await unknownKind([Timeout(50)], hang);

    expect(scene.plan()).toMatchObject({ learned: 'pending', policies: [{ policy: 'timeout' }] });
  });

  it('repeats its first call, when that fails', async () => {
    const scene = await unknownKind([Retry({ maxAttempts: 3, backoff: fixed(0) })], (run) =>
      run < 3 ? Promise.reject(new Error('down')) : Promise.resolve(run),
    );

    const call = watch(scene.promised());
    await pass(0);

    expect(call.value).toBe(3);
    expect(scene.runs()).toBe(3);
  });

  it('hands its first attempt a signal that its time limit aborts', async () => {
    const seen: (AbortSignal | undefined)[] = [];
    const scene = await unknownKind([Timeout(50)], (_, signal) => {
      seen.push(signal);
      return hang();
    });

    watch(scene.promised());
    await settle();
    const before = seen[0]?.aborted;
    await pass(50);

    expect(before).toBe(false);
    expect(seen[0]?.reason).toBeInstanceOf(TimeoutException);
  });

  it('runs a lazy thenable once, and guards it as a promise', async () => {
    const builder = lazy(() => Promise.resolve('rows'));
    const scene = await unknownKind([Timeout(50)], () => builder);

    const first = watch(scene.promised());
    await settle();

    expect(first.value).toBe('rows');
    expect(builder.begun).toBe(1);
    expect(scene.plan()?.learned).toBe('promise');
  });

  it('rejects with the reason of a caller that has gone already, and lets the failure of the work go', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    onTestFinished(() => void process.off('unhandledRejection', unhandled));
    const scene = await unknownKind([Timeout(50)], () => Promise.reject(new Error('late')));

    const call = watch(scene.promised(AbortSignal.abort('gone')));
    await settle();
    vi.useRealTimers();
    await new Promise(setImmediate);

    expect(call.error).toBe('gone');
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('is guarded as an Observable, whose first subscription takes the source that is there', async () => {
    let subscribed = 0;
    const scene = await unknownKind(
      [Timeout(50)],
      (run) =>
        new Observable((subscriber) => {
          subscribed++;
          subscriber.next(run);
          subscriber.complete();
        }),
    );

    const stream = scene.streamed();
    expect(isObservable(stream)).toBe(true);
    expect([scene.runs(), subscribed]).toEqual([1, 0]);
    expect(await lastValueFrom(stream)).toBe(1);
    expect(await lastValueFrom(stream)).toBe(2);
    expect([scene.runs(), subscribed]).toEqual([2, 2]);
    expect(scene.plan()?.learned).toBe('observable');
  });

  it('bounds the items of a learned Observable by time, the first call included', async () => {
    const scene = await unknownKind([Timeout(50)], () => new Observable(() => undefined));

    const first = watch(firstValueFrom(scene.streamed()));
    await pass(50);
    const second = watch(firstValueFrom(scene.streamed()));
    await pass(50);

    expect([first.error, second.error]).toEqual([expect.any(TimeoutException), expect.any(TimeoutException)]);
  });

  it('is guarded as an async iterable', async () => {
    const scene = await unknownKind([Retry({ maxAttempts: 2, backoff: fixed(0) })], (run) =>
      (async function* () {
        if (run === 1) throw new Error('down');
        yield* [1, 2];
      })(),
    );

    const items = watch(lastValueFrom(from(scene.call() as AsyncIterable<unknown>).pipe(toArray())));
    await pass(0);

    expect(items.value).toEqual([1, 2]);
    expect(scene.plan()?.learned).toBe('asyncIterable');
  });

  it('passes a plain value as it is, warns once, and learns from the next call', async () => {
    const scene = await unknownKind([Timeout(50)], (run) => (run < 3 ? run : hang()));

    expect([scene.call(), scene.call()]).toEqual([1, 2]);
    expect(scene.plan()).toMatchObject({
      learned: 'pending',
      uncovered: expect.stringMatching(/^it gave a number; expected/),
    });
    const third = watch(scene.promised());
    await pass(50);

    expect(third.error).toBeInstanceOf(TimeoutException);
    expect(scene.plan()).toMatchObject({ learned: 'promise' });
    expect(scene.plan()).not.toHaveProperty('uncovered');
    expect(scene.warnings()).toEqual([expect.stringMatching(/^Service\.call .*a number.*expected/)]);
  });

  it('passes a throw as it is, and learns from the next call', async () => {
    const scene = await unknownKind([Retry({ maxAttempts: 2, backoff: fixed(0) })], (run) => {
      if (run === 1) throw new Error('at once');
      return Promise.resolve(run);
    });

    expect(() => scene.call()).toThrow('at once');
    expect(scene.runs()).toBe(1);
    expect(await scene.call()).toBe(2);
    expect(scene.plan()?.learned).toBe('promise');
  });

  it('lets Fallback and Recover answer a throw at once', async () => {
    const answered = await unknownKind([Retry(2), Fallback({ value: 'substitute' })], () => {
      throw new Error('at once');
    });
    const recovered = await unknownKind([Retry(2), Recover({ value: 'recovered', log: false })], () => {
      throw new Error('at once');
    });

    expect(answered.call()).toBe('substitute');
    expect(recovered.call()).toBe('recovered');
  });

  it.each([
    ['a Node stream', () => new PassThrough(), 'a stream of Node'],
    ['a stream of the web', () => new ReadableStream(), 'a stream of the web'],
    ['a reader of lines', () => createInterface({ input: new PassThrough() }), 'an event emitter'],
    ['null', () => null, 'null'],
    ['an object', () => ({}), 'an object'],
  ])('passes %s as it is, with one warning', async (_, body, words) => {
    const scene = await unknownKind([Timeout(50)], body);

    scene.call();
    scene.call();

    expect(scene.plan()?.uncovered).toContain(`it gave ${words};`);
    expect(scene.warnings()).toHaveLength(1);
  });

  it('passes a stream as it is with one warning, when a policy of it cannot guard streams', async () => {
    const scene = await unknownKind([Hedge({ after: 10 })], () => from([1, 2]));

    const [first, second] = [scene.streamed(), scene.streamed()];

    expect(await lastValueFrom(first)).toBe(2);
    expect(await lastValueFrom(second)).toBe(2);
    expect(scene.warnings()).toEqual([expect.stringContaining('a hedge expects a method that gives a promise')]);
  });

  it('keeps what it has learned, when rules change its plan', async () => {
    const scene = await unknownKind([Timeout(50)], () => from([1]));
    await lastValueFrom(scene.streamed());

    scene.resilience.rules.apply({ methods: { 'Service.call': { timeout: 20 } } }, { by: 'test' });

    expect(isObservable(scene.call())).toBe(true);
    expect(scene.plan()).toMatchObject({ learned: 'observable', policies: [{ options: { perAttempt: 20 } }] });
  });

  it('goes by the set, when that says what it gives', async () => {
    const scene = await unknownKind([Resilient({ timeout: 50, returns: 'observable' })], () => from([1]));

    expect(scene.plan()).not.toHaveProperty('learned');
    expect(await lastValueFrom(scene.streamed())).toBe(1);
  });

  it('gives one answer to calls that are equal, the first included', async () => {
    const scene = await unknownKind(
      [Coalesce({ key: () => 'same' })],
      (run) => new Promise((r) => setTimeout(() => r(run), 10)),
    );

    const calls = [watch(scene.promised()), watch(scene.promised())];
    await pass(10);

    expect(calls.map(({ value }) => value)).toEqual([1, 1]);
  });
});

describe('a method that calls itself while its kind is learned', () => {
  it('gives one answer to calls that are equal to those inside the first', async () => {
    let runs = 0;
    class Tree {
      walk(depth: number): unknown {
        if (depth > 0) {
          void this.walk(depth - 1);
          return Promise.resolve('root');
        }
        runs++;
        return new Promise((resolve) => setTimeout(() => resolve('leaf'), 10));
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Tree.prototype, 'walk') as PropertyDescriptor;
    (Coalesce({ key: (depth: number) => depth }) as unknown as MethodDecorator)(Tree.prototype, 'walk', descriptor);
    Object.defineProperty(Tree.prototype, 'walk', descriptor);
    Injectable()(Tree);
    const tree = (await startApp([Tree])).get(Tree);

    void tree.walk(1);
    const leaf = watch(tree.walk(0) as Promise<unknown>);
    await pass(10);

    expect(leaf.value).toBe('leaf');
    expect(runs).toBe(1);
  });
});

describe('the guards of a learning call', () => {
  it('count it and refuse nothing: a bulkhead', async () => {
    const scene = await unknownKind([Bulkhead('shared')], hang, {
      options: { policies: { shared: { bulkhead: { maxConcurrent: 1, maxQueue: 0 } } } },
    });
    watch(scene.resilience.execute('shared', hang));

    const first = watch(scene.promised());
    const second = watch(scene.promised());
    await settle();

    expect(first.settled).toBe(false);
    expect(second.error).toMatchObject({ code: 'BULKHEAD_FULL' });
    expect(scene.resilience.bulkheads()[0]?.active).toBe(2);
  });

  it('count it and let it not wait: a rate limit with a queue', async () => {
    const scene = await unknownKind([RateLimit({ limit: 1, per: 1_000, onLimit: 'queue' })], (run) =>
      run === 1 ? 'plain' : Promise.resolve(run),
    );

    scene.call();
    const learning = watch(scene.promised());
    await settle();
    const third = watch(scene.promised());
    await settle();

    expect(learning.value).toBe(2);
    expect(third.settled).toBe(false);
  });

  it('count it and refuse nothing: an open breaker', async () => {
    const set: PolicySet = { circuitBreaker: { trip: consecutiveFailures(1), resetTimeout: 60_000 } };
    const scene = await unknownKind([CircuitBreaker('shared')], (run) => Promise.resolve(run), {
      options: { policies: { shared: set } },
    });
    await scene.resilience.execute('shared', () => Promise.reject(new Error('down'))).catch(() => undefined);

    const first = watch(scene.promised());
    const second = watch(scene.promised());
    await settle();

    expect(first.value).toBe(1);
    expect(second.error).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('count a plain value and a throw, when the method asks for them itself', async () => {
    const scene = await unknownKind([CircuitBreaker()], (run) => {
      if (run === 2) throw new Error('down');
      return run;
    });

    scene.call();
    expect(() => scene.call()).toThrow('down');
    await settle();

    expect(scene.breaker().stats).toMatchObject({ fires: 2, successes: 1, failures: 1 });
  });

  it('hold nothing afterwards: a bulkhead around plain values, throws and streams', async () => {
    const bodies: Body[] = [
      () => 1,
      () => {
        throw new Error('down');
      },
      () => new PassThrough(),
      () => from([1]),
    ];
    for (const body of bodies) {
      const scene = await unknownKind([Bulkhead(1)], body);
      for (let i = 0; i < 3; i++) {
        try {
          scene.call();
        } catch {
          // Told to its caller.
        }
        await settle();
      }
      expect(scene.resilience.bulkheads().map(({ active, waiting }) => [active, waiting])).toEqual([[0, 0]]);
    }
  });
});

describe('a method that only its class covers', () => {
  const onClass = [Resilient({ timeout: 50, circuitBreaker: {} })];

  it('is guarded from its first call on, when it gives a native promise', async () => {
    const scene = await unknownKind([], hang, { onClass });

    const call = watch(scene.promised());
    await pass(50);

    expect(call.error).toBeInstanceOf(TimeoutException);
    expect(scene.plan()).toMatchObject({ learned: 'promise' });
    expect(scene.plan()).not.toHaveProperty('uncovered');
  });

  it('is guarded as an Observable, when it gives a plain one', async () => {
    const scene = await unknownKind([], () => new Observable(() => undefined), { onClass });

    const call = watch(firstValueFrom(scene.streamed()));
    await pass(50);

    expect(call.error).toBeInstanceOf(TimeoutException);
  });

  const lazyRows = lazy(() => Promise.resolve('rows'));
  const subject = new Subject<ObservedValueOf<Observable<number>>>();
  const items = (async function* () {
    yield 1;
  })();
  it.each([
    ['a thenable', lazyRows],
    ['a Subject', subject],
    ['an async iterable', items],
    ['a Node stream', new PassThrough()],
    ['a value', 7],
    ['a function', () => undefined],
  ])('passes %s as it is, without a warning, and shows it', async (_, value) => {
    const scene = await unknownKind([], () => value, { onClass });

    expect(scene.call()).toBe(value);
    expect(scene.call()).toBe(value);

    expect(scene.plan()).toMatchObject({ policies: [], uncovered: expect.any(String) });
    expect(scene.warnings()).toEqual([]);
    expect(lazyRows.begun).toBe(0);
  });

  it('lets a throw of a helper through, whatever the class recovers from', async () => {
    const scene = await unknownKind(
      [],
      () => {
        throw new Error('at once');
      },
      { onClass: [Recover({ log: false })] },
    );

    expect(() => scene.call()).toThrow('at once');
  });

  it('has no breaker that anybody sees, while it may be a mere helper', async () => {
    const scene = await unknownKind([], () => 7, { onClass });
    scene.call();

    expect(scene.resilience.circuitBreakers()).toEqual([]);
  });

  it('takes an async iterable too, when the set of the class says so', async () => {
    const scene = await unknownKind(
      [],
      () =>
        (async function* () {
          yield 1;
        })(),
      { onClass: [Resilient({ timeout: 50, returns: 'asyncIterable' })] },
    );

    const seen: unknown[] = [];
    for await (const item of scene.call() as AsyncIterable<unknown>) seen.push(item);

    expect(seen).toEqual([1]);
    expect(scene.plan()?.learned).toBe('asyncIterable');
  });

  it('may be called by its constructor, without a warning', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    @Injectable()
    @Timeout(50)
    class Built {
      readonly label: string;
      constructor() {
        this.label = this.helper();
      }
      helper() {
        return 'made';
      }
    }
    const scene = await startApp([Built]);

    expect(scene.get(Built).label).toBe('made');
    expect(warn.mock.calls.flat().filter((text) => String(text).includes('no ResilienceModule'))).toEqual([]);
  });
});

describe('plan()', () => {
  it('shows the inherited methods that a decorator on a subclass leaves out', async () => {
    class Base {
      async inherited(): Promise<number> {
        return 1;
      }
      async overridden(): Promise<number> {
        return 1;
      }
      async onModuleInit(): Promise<void> {}
    }
    @Injectable()
    @Timeout(50)
    class Sub extends Base {
      override async overridden(): Promise<number> {
        return 2;
      }
    }
    const scene = await startApp([Sub]);

    expect(scene.plan('inherited', 'Sub')).toMatchObject({
      policies: [],
      uncovered: 'inherited from Base: decorate it there, or override it',
    });
    expect(scene.plan('overridden', 'Sub')).not.toHaveProperty('uncovered');
    expect(scene.plan('onModuleInit', 'Sub')).toBeUndefined();
  });
});
