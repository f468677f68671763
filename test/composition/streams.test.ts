import { applyDecorators, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  Recover,
  Resilient,
  Retry,
  Signal,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import {
  concat,
  firstValueFrom,
  from,
  NEVER,
  Observable,
  of,
  Subject,
  switchMap,
  take,
  throwError,
  timer,
  type Subscription,
} from 'rxjs';
import { map } from 'rxjs/operators';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pass, settle, startApp, type MethodGuard, type Scene } from './scene.js';

const BREAKER = { volumeThreshold: 1, resetTimeout: 60_000, resetJitter: 0, timeout: false } as const;
const DOWN = new Error('down');

/** What a subscriber has heard. */
class Heard {
  readonly items: unknown[] = [];
  /** When each item came, on the monotonic clock. */
  readonly at: number[] = [];
  error: unknown;
  completed = false;
  endedAt = NaN;
  readonly subscription: Subscription;

  constructor(source: Observable<unknown>) {
    this.subscription = source.subscribe({
      next: (item) => {
        this.items.push(item);
        this.at.push(performance.now());
      },
      error: (error: unknown) => {
        this.error = error;
        this.endedAt = performance.now();
      },
      complete: () => {
        this.completed = true;
        this.endedAt = performance.now();
      },
    });
  }
}

interface Stream extends Scene {
  stream(signal?: AbortSignal): Observable<unknown>;
  /** How often the method was called. */
  runs(): number;
  /** The signals of its attempts. */
  signals: AbortSignal[];
}

/** An app with one method that gives `source(run)` under `guards`. */
async function observing(guards: MethodGuard[], source: (run: number) => unknown): Promise<Stream> {
  let runs = 0;
  const signals: AbortSignal[] = [];

  @Injectable()
  class Service {
    @applyDecorators(...guards)
    call(@Signal() signal?: AbortSignal): Observable<unknown> {
      signals.push(signal as AbortSignal);
      return source(++runs) as Observable<unknown>;
    }
  }
  const scene = await startApp([Service]);
  const service = scene.get(Service);
  return Object.assign(scene, {
    stream: (signal?: AbortSignal) => service.call(signal),
    runs: () => runs,
    signals,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a guarded Observable', () => {
  it('stays an Observable and is cold: the method is called when it is subscribed to', async () => {
    const scene = await observing([Timeout(50)], () => of(1, 2, 3));

    const stream = scene.stream();
    const before = scene.runs();
    const heard = new Heard(stream);
    await settle();

    expect(stream).toBeInstanceOf(Observable);
    expect(before).toBe(0);
    expect(heard).toMatchObject({ items: [1, 2, 3], completed: true });
  });

  it('makes each subscription a call of its own', async () => {
    const scene = await observing([CircuitBreaker({ ...BREAKER, volumeThreshold: 9 })], (run) => of(run));

    const stream = scene.stream();
    const heard = [new Heard(stream), new Heard(stream)];
    await settle();

    expect(heard.map(({ items }) => items)).toEqual([[1], [2]]);
    expect(scene.breaker().stats).toMatchObject({ fires: 2, successes: 2 });
  });

  it('gives the items of a synchronous source at once and in order', async () => {
    const scene = await observing([Retry(2), CircuitBreaker(BREAKER)], () => of(1, 2, 3));

    const heard = new Heard(scene.stream());

    expect(heard.items).toEqual([1, 2, 3]);
  });

  it('ends, when one item is taken from an endless synchronous source', async () => {
    let pulled = 0;
    const endless = new Observable<number>((subscriber) => {
      // Bounded, so that a fault fails the test rather than the machine.
      while (!subscriber.closed && pulled < 10_000) subscriber.next(++pulled);
    });
    const scene = await observing([Timeout(50)], () => endless);

    const heard = new Heard(scene.stream().pipe(take(1)));
    await settle();

    expect(heard).toMatchObject({ items: [1], completed: true });
    expect(pulled).toBe(1);
  });

  it('may give undefined and no item at all', async () => {
    const scene = await observing([Retry(2)], (run) => (run === 1 ? of(undefined) : of()));

    const heard = [new Heard(scene.stream()), new Heard(scene.stream())];
    await settle();

    expect(heard.map(({ items, completed }) => ({ items, completed }))).toEqual([
      { items: [undefined], completed: true },
      { items: [], completed: true },
    ]);
  });

  it('takes whatever throws in the method as an error of the stream', async () => {
    const scene = await observing([Timeout(50)], () => {
      throw DOWN;
    });

    const heard = new Heard(scene.stream());
    await settle();

    expect(heard.error).toBe(DOWN);
  });

  it('rejects with a TypeError, when the method gives none', async () => {
    const scene = await observing([Timeout(50)], () => 7);

    const heard = new Heard(scene.stream());
    await settle();

    expect(heard.error).toBeInstanceOf(TypeError);
  });

  it('counts its completion as a success, once, and its error as a failure', async () => {
    const scene = await observing([CircuitBreaker({ ...BREAKER, volumeThreshold: 9 })], (run) =>
      run === 1
        ? of(1, 2)
        : concat(
            of(1),
            throwError(() => DOWN),
          ),
    );

    const heard = [new Heard(scene.stream()), new Heard(scene.stream())];
    await settle();

    expect(heard[1]).toMatchObject({ items: [1], error: DOWN });
    expect(scene.breaker().stats).toMatchObject({ successes: 1, failures: 1 });
  });

  it('does not abort the signal, when it has completed or failed', async () => {
    const scene = await observing([Timeout(50), Retry({ maxAttempts: 2, backoff: fixed(10) })], (run) =>
      run === 1 ? of(1) : throwError(() => DOWN),
    );

    const heard = [new Heard(scene.stream()), new Heard(scene.stream())];
    await pass(10);

    expect(heard.map(({ completed, error }) => completed || error)).toEqual([true, DOWN]);
    expect(scene.signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  });

  describe('when it is unsubscribed from', () => {
    it('aborts the signal and leaves the source', async () => {
      let left = false;
      const source = new Observable<never>(() => () => (left = true));
      const scene = await observing([CircuitBreaker(BREAKER)], () => source);

      const heard = new Heard(scene.stream());
      heard.subscription.unsubscribe();

      expect(left).toBe(true);
      expect(scene.signals[0]?.aborted).toBe(true);
    });

    it('is ignored before the first item', async () => {
      const scene = await observing([CircuitBreaker(BREAKER), Retry()], () => NEVER);

      new Heard(scene.stream()).subscription.unsubscribe();
      await settle();

      expect(scene.events).toEqual(['circuitBreaker ignored']);
      expect(scene.breaker().stats).toMatchObject({ successes: 0, failures: 0 });
      expect(scene.runs()).toBe(1);
    });

    it('is a success after an item', async () => {
      const scene = await observing([CircuitBreaker(BREAKER)], () => concat(of(1), NEVER));

      const heard = new Heard(scene.stream().pipe(take(1)));
      await settle();

      expect(heard.items).toEqual([1]);
      expect(scene.events).toEqual(['circuitBreaker success']);
    });

    it('makes no further attempt, when it was pausing before one', async () => {
      const scene = await observing([Retry({ maxAttempts: 2, backoff: fixed(10) })], () => throwError(() => DOWN));

      const heard = new Heard(scene.stream());
      await settle();
      heard.subscription.unsubscribe();
      await pass(100);

      expect(scene.runs()).toBe(1);
    });

    it('asks neither Fallback nor Recover', async () => {
      const asked: string[] = [];
      const scene = await observing(
        [Timeout(50), Fallback(() => asked.push('fallback')), Recover(() => asked.push('recover'))],
        () => NEVER,
      );

      new Heard(scene.stream()).subscription.unsubscribe();
      await pass(100);

      expect(asked).toEqual([]);
      expect(scene.events).toEqual([]);
    });
  });

  it("ends with the caller's reason, when the caller's signal aborts", async () => {
    const scene = await observing([Retry()], () => NEVER);
    const caller = new AbortController();
    const reason = new Error('gone');

    const heard = new Heard(scene.stream(caller.signal));
    caller.abort(reason);
    await settle();

    expect(heard.error).toBe(reason);
    expect(scene.signals[0]?.reason).toBe(reason);
  });

  describe('under a limit of the attempt', () => {
    it('is bounded from item to item, not as a whole', async () => {
      const scene = await observing([Timeout(50)], () => timer(40, 40).pipe(take(5)));

      const heard = new Heard(scene.stream());
      await pass(200);

      expect(heard).toMatchObject({ items: [0, 1, 2, 3, 4], completed: true });
    });

    it('ends with TimeoutException, when the next item takes too long', async () => {
      const scene = await observing([Timeout(50), CircuitBreaker(BREAKER)], () =>
        concat(timer(40).pipe(map(() => 'item')), NEVER),
      );

      const heard = new Heard(scene.stream());
      await pass(90);

      expect(heard).toMatchObject({ items: ['item'], endedAt: 90 });
      expect(heard.error).toBeInstanceOf(TimeoutException);
      expect(scene.signals[0]?.reason).toBe(heard.error);
      expect(scene.breaker().stats).toMatchObject({ failures: 1, timeouts: 1 });
    });

    it('is bounded as well between the last item and the completion', async () => {
      const source = new Subject<string>();
      const scene = await observing([Timeout(50)], () => source);

      const heard = new Heard(scene.stream());
      source.next('last');
      await pass(50);

      expect(heard.error).toBeInstanceOf(TimeoutException);
    });
  });

  describe('under a total', () => {
    it('is bounded up to its first item only', async () => {
      const scene = await observing([Timeout({ total: 50 })], () => timer(40, 1_000).pipe(take(3)));

      const heard = new Heard(scene.stream());
      await pass(2_040);

      expect(heard).toMatchObject({ items: [0, 1, 2], completed: true });
    });

    it('ends with TimeoutException, when the first item comes too late, attempts included', async () => {
      const scene = await observing([Timeout({ total: 50 }), Retry({ maxAttempts: 3, backoff: fixed(20) })], (run) =>
        run === 1 ? throwError(() => DOWN) : NEVER,
      );

      const heard = new Heard(scene.stream());
      await pass(50);

      expect(heard.error).toMatchObject({ code: 'TIMEOUT', details: expect.objectContaining({ scope: 'total' }) });
      expect(heard.endedAt).toBe(50);
      expect(scene.runs()).toBe(2);
    });
  });

  describe('under Retry', () => {
    it('is subscribed to anew by a call of the method, when it fails before the first item', async () => {
      const scene = await observing([Retry({ maxAttempts: 3, backoff: fixed(10) })], (run) =>
        run < 3 ? throwError(() => DOWN) : of('value'),
      );

      const heard = new Heard(scene.stream());
      await pass(20);

      expect(heard).toMatchObject({ items: ['value'], completed: true });
      expect(scene.runs()).toBe(3);
    });

    it('is not repeated after the first item', async () => {
      const scene = await observing([Retry({ maxAttempts: 3, backoff: fixed(10) })], () =>
        concat(
          of(1),
          throwError(() => DOWN),
        ),
      );

      const heard = new Heard(scene.stream());
      await pass(100);

      expect(heard).toMatchObject({ items: [1], error: DOWN });
      expect(scene.runs()).toBe(1);
    });

    it('hears nothing more of an attempt that was cut', async () => {
      const sources = [new Subject<string>(), new Subject<string>()];
      const scene = await observing(
        [Timeout(50), Retry({ maxAttempts: 2, backoff: fixed(10) })],
        (run) => sources[run - 1],
      );

      const heard = new Heard(scene.stream());
      await pass(60);
      sources[0]?.next('late');
      sources[1]?.next('value');
      sources[1]?.complete();
      await settle();

      expect(heard).toMatchObject({ items: ['value'], completed: true });
      expect(sources[0]?.observed).toBe(false);
    });
  });

  describe('under Fallback', () => {
    it.each<[string, () => unknown, unknown[]]>([
      ['a value', () => 'substitute', ['substitute']],
      ['a list, which is one value', () => [1, 2], [[1, 2]]],
      ['a Promise', () => Promise.resolve('substitute'), ['substitute']],
      ['an Observable', () => of(7, 8), [7, 8]],
      ['a Promise of an Observable', () => Promise.resolve(of(7, 8)), [7, 8]],
      [
        'an async iterable',
        async function* () {
          yield 7;
          yield 8;
        },
        [7, 8],
      ],
    ])('is answered by %s', async (_, handler, items) => {
      const scene = await observing([Fallback(handler)], () => throwError(() => DOWN));

      const heard = new Heard(scene.stream());
      await settle();

      expect(heard).toMatchObject({ items, completed: true });
    });

    it('leaves the substitute, when it is unsubscribed from', async () => {
      const substitute = new Subject();
      const scene = await observing([Fallback(() => substitute)], () => throwError(() => DOWN));

      const heard = new Heard(scene.stream());
      await settle();
      const observedBefore = substitute.observed;
      heard.subscription.unsubscribe();

      expect(observedBefore).toBe(true);
      expect(substitute.observed).toBe(false);
    });

    it('goes over to the substitute after the items that had come', async () => {
      const scene = await observing([Fallback(() => of('substitute'))], () =>
        concat(
          of(1),
          throwError(() => DOWN),
        ),
      );

      const heard = new Heard(scene.stream());
      await settle();

      expect(heard).toMatchObject({ items: [1, 'substitute'], completed: true });
    });

    it('hands the failure of the substitute stream to Recover', async () => {
      const scene = await observing([Fallback(() => throwError(() => new Error('substitute down'))), Recover()], () =>
        throwError(() => DOWN),
      );

      const heard = new Heard(scene.stream());
      await settle();

      expect(heard).toMatchObject({ items: [undefined], completed: true, error: undefined });
    });
  });

  it('emits undefined and completes, when Recover catches its error', async () => {
    const scene = await observing([Recover()], () => throwError(() => DOWN));

    const heard = new Heard(scene.stream());
    await settle();

    expect(heard).toMatchObject({ items: [undefined], completed: true });
    expect(scene.events).toEqual(['recover recovered']);
  });

  it("gives Recover's answer, when the caller's signal aborts", async () => {
    const scene = await observing([Recover(() => 'recovered'), Timeout(50)], () => NEVER);
    const caller = new AbortController();

    const heard = new Heard(scene.stream(caller.signal));
    caller.abort(new Error('gone'));
    await settle();

    expect(heard).toMatchObject({ items: ['recovered'], completed: true });
  });

  it("gives the substitute, when the caller's signal aborts by a time limit", async () => {
    const scene = await observing([Fallback(() => of(7, 8)), CircuitBreaker(BREAKER)], () => NEVER);
    const caller = new AbortController();

    const heard = new Heard(scene.stream(caller.signal));
    caller.abort(new DOMException('too late', 'TimeoutError'));
    await settle();

    expect(heard).toMatchObject({ items: [7, 8], completed: true });
    expect(scene.breaker().stats).toMatchObject({ failures: 1 });
  });

  it('gives the substitute and is timed no more, when the total is over', async () => {
    const scene = await observing([Fallback(() => timer(500, 500).pipe(take(2))), Timeout({ total: 50 })], () => NEVER);

    const heard = new Heard(scene.stream());
    await pass(1_050);

    expect(heard).toMatchObject({ items: [0, 1], completed: true });
  });

  it('holds its slot until the end of the stream', async () => {
    const source = new Subject<number>();
    const scene = await observing([Bulkhead(1)], () => source);

    const first = new Heard(scene.stream());
    source.next(1);
    const whileOpen = new Heard(scene.stream());
    await settle();
    source.complete();
    await settle();
    const after = new Heard(scene.stream());
    await settle();

    expect(first.completed).toBe(true);
    expect(whileOpen.error).toBeInstanceOf(BulkheadFullException);
    expect(after.error).toBeUndefined();
    expect(scene.runs()).toBe(2);
  });

  it('gives its slot back, when it is unsubscribed from', async () => {
    const scene = await observing([Bulkhead(1)], () => concat(of(1), NEVER));

    const first = new Heard(scene.stream());
    await settle();
    first.subscription.unsubscribe();
    await settle();
    const second = new Heard(scene.stream());
    await settle();

    expect(second.items).toEqual([1]);
  });

  it('is refused by an open breaker without a call of the method', async () => {
    const scene = await observing([CircuitBreaker(BREAKER)], () => throwError(() => DOWN));
    const first = new Heard(scene.stream());
    await settle();

    const second = new Heard(scene.stream());
    await settle();

    expect(first.error).toBe(DOWN);
    expect(second.error).toBeInstanceOf(CircuitOpenException);
    expect(scene.runs()).toBe(1);
  });
});

describe('a guarded Observable of a self-made kind', () => {
  class OwnObservable<T> extends Observable<T> {}

  @Injectable()
  class Service {
    @Timeout(50)
    own(): OwnObservable<number> {
      return new OwnObservable((subscriber) => {
        subscriber.next(1);
        subscriber.complete();
      });
    }

    @Resilient({ retry: 2, returns: 'observable' })
    undeclared() {
      return from([1, 2]);
    }

    @Resilient({ timeout: 50, returns: 'asyncIterable' })
    undeclaredIterable() {
      return (async function* () {
        yield 1;
      })();
    }
  }

  it('stays an Observable, when a subclass of Observable is declared', async () => {
    const service = (await startApp([Service])).get(Service);

    const stream = service.own();
    const heard = new Heard(stream);
    await settle();

    expect(stream).toBeInstanceOf(Observable);
    expect(heard).toMatchObject({ items: [1], completed: true });
  });

  it('stays one, when the set says so', async () => {
    const service = (await startApp([Service])).get(Service);

    const heard = new Heard(service.undeclared());
    await settle();

    expect(heard).toMatchObject({ items: [1, 2], completed: true });
  });

  it('is an async iterable, when the set says so', async () => {
    const service = (await startApp([Service])).get(Service);
    const items: number[] = [];

    for await (const item of service.undeclaredIterable()) items.push(item);

    expect(items).toEqual([1]);
  });
});

describe('a synchronous method', () => {
  @Injectable()
  class Service {
    @Fallback(() => 7)
    declared(): number {
      throw DOWN;
    }

    @Recover(() => 8)
    undeclared() {
      throw DOWN;
    }

    @Recover()
    @Fallback(() => {
      throw new Error('substitute down');
    })
    both(): number | undefined {
      throw DOWN;
    }

    @Fallback(() => 7)
    fine(): number {
      return 1;
    }

    @Fallback('other')
    named(base: number): number {
      throw new Error(String(base));
    }

    other(base: number, error: unknown): number {
      return base + Number((error as Error).message);
    }

    @Fallback({ value: 7, on: RangeError })
    choosy(): number {
      throw DOWN;
    }

    @Recover(() => 9)
    sometimes(later: boolean): number | Promise<number> {
      return later ? Promise.reject(DOWN) : 1;
    }
  }

  it.each([
    ['the answer of its fallback', 'declared', 7],
    ['the answer of Recover, without a declared type', 'undeclared', 8],
    ['undefined, when its fallback throws as well', 'both', undefined],
    ['its own value', 'fine', 1],
  ] as const)('stays synchronous and gives %s', async (_, method, expected) => {
    const service = (await startApp([Service])).get(Service);

    expect(service[method]()).toBe(expected);
  });

  it('takes a method as its fallback', async () => {
    const service = (await startApp([Service])).get(Service);

    expect(service.named(20)).toBe(40);
  });

  it('throws what its fallback is not meant for', async () => {
    const service = (await startApp([Service])).get(Service);

    expect(() => service.choosy()).toThrow(DOWN);
  });

  it('is caught later, when it gave a promise after all', async () => {
    const service = (await startApp([Service])).get(Service);

    expect(service.sometimes(false)).toBe(1);
    expect(await service.sometimes(true)).toBe(9);
  });

  it('tells its events like any other', async () => {
    const scene = await startApp([Service]);

    scene.get(Service).both();

    expect(scene.events).toEqual(['fallback fallback', 'recover recovered']);
  });
});

describe('a bulkhead around Observables', () => {
  it('has its slot free as soon as the subscriber has left', async () => {
    const scene = await observing([Bulkhead({ maxConcurrent: 1, maxQueue: 0 })], (run) => concat(of(run), NEVER));

    const items = [];
    for (let call = 0; call < 5; call++) items.push(await firstValueFrom(scene.stream()));

    expect(items).toEqual([1, 2, 3, 4, 5]);
  });

  it('lets in who subscribes in the place of one that is left at once', async () => {
    const scene = await observing([Bulkhead({ maxConcurrent: 1, maxQueue: 0 })], (run) => concat(of(run), NEVER));
    const turns = new Subject<void>();

    const heard = new Heard(turns.pipe(switchMap(() => scene.stream())));
    for (let turn = 0; turn < 3; turn++) {
      turns.next();
      await settle();
    }

    expect(heard).toMatchObject({ items: [1, 2, 3], error: undefined });
  });
});
