import { applyDecorators, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  Recover,
  Retry,
  Signal,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, hang, pass, settle, startApp, watch, type MethodGuard, type Scene } from './scene.js';

const BREAKER = { volumeThreshold: 1, resetTimeout: 60_000, resetJitter: 0, timeout: false } as const;
const DOWN = new Error('down');

interface Stream extends Scene {
  stream(signal?: AbortSignal): AsyncGenerator<unknown>;
  /** How often the body of the method began. */
  runs(): number;
  signals: AbortSignal[];
}

/** An app with one async generator method under `guards`. */
async function iterating(guards: MethodGuard[], source: (run: number) => AsyncIterable<unknown>): Promise<Stream> {
  let runs = 0;
  const signals: AbortSignal[] = [];

  @Injectable()
  class Service {
    @applyDecorators(...guards)
    async *call(@Signal() signal?: AbortSignal): AsyncGenerator<unknown> {
      signals.push(signal as AbortSignal);
      yield* source(++runs);
    }
  }
  const scene = await startApp([Service]);
  const service = scene.get(Service);
  return Object.assign(scene, { stream: (signal?: AbortSignal) => service.call(signal), runs: () => runs, signals });
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** All items of a stream. */
async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a guarded async iterable', () => {
  it('gives the items in their order and begins when the first is asked for', async () => {
    const scene = await iterating([Timeout(50)], async function* () {
      yield 1;
      yield 2;
    });

    const stream = scene.stream();
    await settle();
    const before = scene.runs();
    const items = await collect(stream);

    expect(before).toBe(0);
    expect(items).toEqual([1, 2]);
  });

  it('can be iterated by hand: next(), and done with undefined from then on', async () => {
    const scene = await iterating([Timeout(50)], async function* () {
      yield 1;
    });

    const stream = scene.stream();
    const results = [await stream.next(), await stream.next(), await stream.next()];

    expect(results).toEqual([
      { done: false, value: 1 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(stream[Symbol.asyncIterator]()).toBe(stream);
  });

  it('does not pull the source ahead of its consumer', async () => {
    let produced = 0;
    const scene = await iterating([Retry(2), CircuitBreaker(BREAKER)], async function* () {
      for (;;) yield ++produced;
    });

    const stream = scene.stream();
    await stream.next();
    await pass(1_000);
    const afterFirst = produced;
    await stream.next();
    await pass(1_000);

    expect(afterFirst).toBe(1);
    expect(produced).toBe(2);
  });

  it('is not timed while its consumer works', async () => {
    const scene = await iterating([Timeout(50)], async function* () {
      yield 1;
      await wait(40);
      yield 2;
    });

    const stream = scene.stream();
    const first = await stream.next();
    await pass(10_000);
    const second = watch(stream.next());
    await pass(40);

    expect(first.value).toBe(1);
    expect(second.value).toEqual({ done: false, value: 2 });
  });

  it('ends with TimeoutException, when the next item takes too long, and its signal aborts with it', async () => {
    const scene = await iterating([Timeout(50), CircuitBreaker(BREAKER)], async function* () {
      yield 1;
      await hang();
    });

    const stream = scene.stream();
    await stream.next();
    await pass(100);
    const next = watch(stream.next());
    await pass(50);
    const after = await stream.next();

    expect(next.error).toBeInstanceOf(TimeoutException);
    expect(next.at).toBe(150);
    expect(scene.signals[0]?.reason).toBe(next.error);
    expect(scene.breaker().stats).toMatchObject({ failures: 1, timeouts: 1 });
    expect(after).toEqual({ done: true, value: undefined });
  });

  it('is bounded by a total up to its first item only', async () => {
    const scene = await iterating([Timeout({ total: 50 })], async function* () {
      await wait(40);
      yield 1;
      await wait(1_000);
      yield 2;
    });

    const items = watch(collect(scene.stream()));
    await pass(1_040);

    expect(items.value).toEqual([1, 2]);
  });

  it('ends with TimeoutException, when the total is over before the first item', async () => {
    const scene = await iterating([Timeout({ total: 50 }), Retry({ backoff: fixed(20) })], (run) =>
      run === 1 ? failing() : hanging(),
    );

    const items = watch(collect(scene.stream()));
    await pass(50);

    expect(items).toMatchObject({ error: expect.any(TimeoutException), at: 50 });
    expect(scene.runs()).toBe(2);
  });

  it('is begun anew, when it fails before the first item', async () => {
    const scene = await iterating([Retry({ maxAttempts: 3, backoff: fixed(10) })], async function* (run = 0) {
      if (run < 3) throw DOWN;
      yield 'value';
    });

    const items = watch(collect(scene.stream()));
    await pass(20);

    expect(items.value).toEqual(['value']);
    expect(scene.runs()).toBe(3);
  });

  it('is begun anew, when the limit cut its attempt before the first item', async () => {
    const scene = await iterating([Timeout(50), Retry({ maxAttempts: 2, backoff: fixed(10) })], (run) =>
      run === 1 ? hanging() : items('value', 'other'),
    );

    const all = watch(collect(scene.stream()));
    await pass(60);

    expect(all.value).toEqual(['value', 'other']);
  });

  it('is not repeated after the first item', async () => {
    const scene = await iterating([Retry({ maxAttempts: 3, backoff: fixed(10) })], async function* () {
      yield 1;
      throw DOWN;
    });

    const stream = scene.stream();
    const first = await stream.next();
    const second = watch(stream.next());
    await pass(100);

    expect(first.value).toBe(1);
    expect(second.error).toBe(DOWN);
    expect(scene.runs()).toBe(1);
  });

  it('counts its end as a success, once, and its error as a failure', async () => {
    const scene = await iterating([CircuitBreaker({ ...BREAKER, volumeThreshold: 9 })], (run) =>
      run === 1 ? items(1, 2) : failing(),
    );

    await collect(scene.stream());
    await collect(scene.stream()).catch(() => {});

    expect(scene.breaker().stats).toMatchObject({ fires: 2, successes: 1, failures: 1 });
  });

  it('does not abort the signal, when it has come to its end', async () => {
    const scene = await iterating([Timeout(50)], () => items(1));

    await collect(scene.stream());

    expect(scene.signals[0]?.aborted).toBe(false);
  });

  it('is refused by an open breaker without a call of the method', async () => {
    const scene = await iterating([CircuitBreaker(BREAKER)], () => failing());
    await collect(scene.stream()).catch(() => {});

    await expect(collect(scene.stream())).rejects.toBeInstanceOf(CircuitOpenException);
    expect(scene.runs()).toBe(1);
  });

  it("ends with the caller's reason, when the caller's signal aborts", async () => {
    const scene = await iterating([Retry()], () => hanging());
    const caller = new AbortController();
    const reason = new Error('gone');

    const next = watch(scene.stream(caller.signal).next());
    await settle();
    caller.abort(reason);
    await settle();

    expect(next.error).toBe(reason);
    expect(scene.signals[0]?.reason).toBe(reason);
  });

  describe('when its consumer breaks', () => {
    it('runs the clean-up of the source, aborts its signal and counts as a success after an item', async () => {
      const done: string[] = [];
      const scene = await iterating([CircuitBreaker(BREAKER)], async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          done.push('cleaned up');
        }
      });

      for await (const item of scene.stream()) {
        expect(item).toBe(1);
        break;
      }
      await settle();

      expect(done).toEqual(['cleaned up']);
      expect(scene.signals[0]?.aborted).toBe(true);
      expect(scene.events).toEqual(['circuitBreaker success']);
    });

    it('has the clean-up of the source done, before it goes on', async () => {
      const done: string[] = [];
      const scene = await iterating([Timeout(1_000)], async function* () {
        try {
          yield 1;
        } finally {
          await Promise.resolve();
          await Promise.resolve();
          await Promise.resolve();
          done.push('cleaned up');
        }
      });

      for await (const _ of scene.stream()) break;

      expect(done).toEqual(['cleaned up']);
    });

    it('holds its slot until the clean-up of the source is done', async () => {
      const cleanUp = new Deferred();
      const scene = await iterating([Bulkhead(1)], async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          await cleanUp.promise;
        }
      });
      const first = scene.stream();
      await first.next();

      void first.return(undefined);
      await settle();
      const second = watch(collect(scene.stream()));
      await settle();
      cleanUp.resolve(undefined);

      expect(second.error).toBeInstanceOf(BulkheadFullException);
    });
  });

  describe('when it is returned', () => {
    it('never begins, when nothing was asked of it', async () => {
      const scene = await iterating([CircuitBreaker(BREAKER)], () => items(1));

      const stream = scene.stream();
      const returned = await stream.return(undefined);
      const next = await stream.next();

      expect(returned).toEqual({ done: true, value: undefined });
      expect(next).toEqual({ done: true, value: undefined });
      expect(scene.runs()).toBe(0);
      expect(scene.events).toEqual([]);
    });

    it('is ignored before the first item, asks neither Retry, Fallback nor Recover, and ends the waiting next()', async () => {
      const asked: string[] = [];
      const scene = await iterating(
        [
          CircuitBreaker(BREAKER),
          Retry({ backoff: fixed(10) }),
          Fallback(() => asked.push('fallback')),
          Recover(() => asked.push('recover')),
        ],
        () => hanging(),
      );

      const stream = scene.stream();
      const next = watch(stream.next());
      await settle();
      const returned = watch(stream.return(undefined));
      await pass(100);

      expect(next.value).toEqual({ done: true, value: undefined });
      expect(returned.value).toEqual({ done: true, value: undefined });
      expect(asked).toEqual([]);
      expect(scene.runs()).toBe(1);
      expect(scene.events).toEqual(['circuitBreaker ignored']);
    });

    it('gives the value that it was given, as every generator does', async () => {
      const scene = await iterating([Timeout(50)], () => items(1, 2));

      const stream = scene.stream();
      await stream.next();

      expect(await stream.return('given')).toEqual({ done: true, value: 'given' });
    });
  });

  it('ends with the error that is thrown into it', async () => {
    const scene = await iterating([Retry({ backoff: fixed(10) })], () => items(1, 2));

    const stream = scene.stream();
    await stream.next();
    const thrown = watch(stream.throw(DOWN));
    await settle();
    const after = await stream.next();

    expect(thrown.error).toBe(DOWN);
    expect(after.done).toBe(true);
    expect(scene.signals[0]?.aborted).toBe(true);
  });

  it('answers items that are asked for at once in their order', async () => {
    const scene = await iterating([Timeout(50)], async function* () {
      yield 1;
      await wait(10);
      yield 2;
    });

    const stream = scene.stream();
    const asked = [watch(stream.next()), watch(stream.next()), watch(stream.next()), watch(stream.next())];
    await pass(10);

    expect(asked.map(({ value }) => value)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it('fails the first of the items that are asked for at once, and ends the others', async () => {
    const scene = await iterating([Timeout(50)], () => failing(10));

    const stream = scene.stream();
    const asked = [watch(stream.next()), watch(stream.next())];
    await pass(10);

    expect(asked[0]?.error).toBe(DOWN);
    expect(asked[1]?.value).toEqual({ done: true, value: undefined });
  });

  it('holds its slot until the end of the stream', async () => {
    const scene = await iterating([Bulkhead(1)], () => items(1, 2));

    const first = scene.stream();
    await first.next();
    const refused = watch(collect(scene.stream()));
    await settle();
    await collect(first);
    const after = await collect(scene.stream());

    expect(refused.error).toBeInstanceOf(BulkheadFullException);
    expect(after).toEqual([1, 2]);
  });

  it('holds its slot after a timeout until the source has really ended', async () => {
    const work = new Deferred();
    const scene = await iterating([Bulkhead(1), Timeout(50)], async function* () {
      await work.promise;
      yield 1;
    });

    const first = watch(collect(scene.stream()));
    await pass(50);
    const whileRunning = watch(collect(scene.stream()));
    await settle();
    work.resolve(undefined);
    await settle();
    const after = watch(collect(scene.stream()));
    await settle();

    expect(first.error).toBeInstanceOf(TimeoutException);
    expect(whileRunning.error).toBeInstanceOf(BulkheadFullException);
    expect(after.value).toEqual([1]);
  });

  describe('under Fallback', () => {
    it.each<[string, () => unknown, unknown[]]>([
      ['a value', () => 'substitute', ['substitute']],
      ['a list, which is one value', () => [1, 2], [[1, 2]]],
      ['a Promise', () => Promise.resolve('substitute'), ['substitute']],
      ['an async iterable', () => items(7, 8), [7, 8]],
      ['a Promise of an async iterable', () => Promise.resolve(items(7, 8)), [7, 8]],
    ])('is answered by %s', async (_, handler, expected) => {
      const scene = await iterating([Fallback(handler)], () => failing());

      expect(await collect(scene.stream())).toEqual(expected);
    });

    it('ends the substitute, when its consumer breaks', async () => {
      const done: string[] = [];
      const scene = await iterating(
        [
          Fallback(async function* () {
            try {
              yield 7;
              yield 8;
            } finally {
              done.push('cleaned up');
            }
          }),
        ],
        () => failing(),
      );

      for await (const _ of scene.stream()) break;

      expect(done).toEqual(['cleaned up']);
    });

    it('answers several items that were asked for at once from the substitute, in order', async () => {
      const scene = await iterating([Fallback(() => items(7, 8))], () => failing());

      const stream = scene.stream();
      const asked = [watch(stream.next()), watch(stream.next()), watch(stream.next())];
      await settle();

      expect(asked.map(({ value }) => value)).toEqual([
        { done: false, value: 7 },
        { done: false, value: 8 },
        { done: true, value: undefined },
      ]);
    });

    it('hands the failure of the substitute stream to Recover', async () => {
      const scene = await iterating([Fallback(() => failing()), Recover()], () => failing());

      expect(await collect(scene.stream())).toEqual([undefined]);
    });
  });

  it('gives undefined and ends, when Recover catches its error', async () => {
    const scene = await iterating([Recover()], () => failing());

    expect(await collect(scene.stream())).toEqual([undefined]);
    expect(scene.events).toEqual(['recover recovered']);
  });

  it("gives Recover's answer, when the caller's signal aborts", async () => {
    const scene = await iterating([Recover(() => 'recovered'), Timeout(50)], () => hanging());
    const caller = new AbortController();

    const all = watch(collect(scene.stream(caller.signal)));
    await settle();
    caller.abort(new Error('gone'));
    await settle();

    expect(all.value).toEqual(['recovered']);
  });

  it("gives the substitute, when the caller's signal aborts by a time limit", async () => {
    const scene = await iterating([Fallback(() => items(7, 8)), CircuitBreaker(BREAKER)], () => hanging());
    const caller = new AbortController();

    const all = watch(collect(scene.stream(caller.signal)));
    await settle();
    caller.abort(new DOMException('too late', 'TimeoutError'));
    await settle();

    expect(all.value).toEqual([7, 8]);
    expect(scene.breaker().stats).toMatchObject({ failures: 1 });
  });

  it('gives the substitute and is timed no more, when the total is over', async () => {
    const scene = await iterating(
      [
        Fallback(async function* () {
          await wait(500);
          yield 7;
          await wait(500);
          yield 8;
        }),
        Timeout({ total: 50 }),
      ],
      () => hanging(),
    );

    const all = watch(collect(scene.stream()));
    await pass(1_050);

    expect(all.value).toEqual([7, 8]);
  });

  it('gives undefined after the items that had come, when Recover catches a timeout', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Service {
      @Recover()
      @Timeout(50)
      async *call(): AsyncGenerator<number> {
        yield 1;
        await hang();
      }
    }
    const service = (await startApp([Service])).get(Service);

    const all = watch(
      (async () => {
        for await (const item of service.call()) seen.push(item);
      })(),
    );
    await pass(50);

    expect(all.settled).toBe(true);
    expect(seen).toEqual([1, undefined]);
  });
});

async function* items(...all: unknown[]): AsyncGenerator<unknown> {
  for (const item of all) yield await Promise.resolve(item);
}

async function* failing(after = 0): AsyncGenerator<unknown> {
  if (after > 0) await wait(after);
  yield await Promise.reject(DOWN);
}

async function* hanging(): AsyncGenerator<unknown> {
  yield await hang();
}
