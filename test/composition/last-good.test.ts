import { applyDecorators, Injectable, Logger } from '@nestjs/common';
import { CircuitBreaker, Coalesce, Fallback, fixed, Hedge, Retry } from 'nestjs-bulwark';
import { concat, firstValueFrom, from, lastValueFrom, of, Subject, throwError, toArray, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { startApp, type MethodGuard } from './scene.js';

const DOWN = new Error('down');
const REMEMBERED = Fallback({ lastGood: { key: () => 'all', maxAge: 60_000 } });
const QUIET = { log: false } as const;

let written: MockInstance[];
beforeEach(() => {
  written = (['warn', 'error'] as const).map((level) =>
    vi.spyOn(Logger.prototype, level).mockImplementation(() => undefined),
  );
});
afterEach(() => {
  vi.restoreAllMocks();
});
const lines = (): string[] => written.flatMap(({ mock }) => mock.calls.map(([line]) => String(line)));

/** A service whose method gives what `body` does, by the number of its run. */
async function withObservable(body: (run: number) => Observable<unknown>, guards: MethodGuard[] = [REMEMBERED]) {
  let runs = 0;

  @Injectable()
  class Service {
    @applyDecorators(...guards)
    call(): Observable<unknown> {
      return body(++runs);
    }
  }
  const scene = await startApp([Service], QUIET);
  return () => scene.get(Service).call();
}

/** The same for a promise. */
async function withPromise(body: (run: number) => unknown, guards: MethodGuard[]) {
  let runs = 0;

  @Injectable()
  class Service {
    @applyDecorators(...guards)
    async call(): Promise<unknown> {
      return body(++runs);
    }
  }
  const scene = await startApp([Service], QUIET);
  return () => scene.get(Service).call();
}

/** The same for a method of which nobody knows what it gives. */
async function withUnknown(body: (run: number) => unknown) {
  let runs = 0;
  class Service {
    call(): unknown {
      return body(++runs);
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, 'call') as PropertyDescriptor;
  (REMEMBERED as MethodDecorator)(Service.prototype, 'call', descriptor);
  Object.defineProperty(Service.prototype, 'call', descriptor);
  Injectable()(Service);
  const scene = await startApp([Service], QUIET);
  return () => scene.get(Service).call();
}

const firstOnly = (run: number): Observable<unknown> => (run === 1 ? of('good') : throwError(() => DOWN));

describe('the last good answer of an Observable', () => {
  it('is its only item, whoever waits for its end', async () => {
    const call = await withObservable(firstOnly);
    expect(await lastValueFrom(call())).toBe('good');

    expect(await lastValueFrom(call().pipe(toArray()))).toEqual(['good']);
  });

  it('is the item that its subscriber took and left', async () => {
    const call = await withObservable((run) => (run === 1 ? from(['good', 'more']) : throwError(() => DOWN)));
    expect(await firstValueFrom(call())).toBe('good');

    expect(await firstValueFrom(call())).toBe('good');
    expect(lines()).toEqual([]);
  });

  it('is not there after one with several items, which is told', async () => {
    const call = await withObservable((run) => (run === 1 ? of(1, 2, 3) : throwError(() => DOWN)));
    expect(await lastValueFrom(call().pipe(toArray()))).toEqual([1, 2, 3]);

    await expect(lastValueFrom(call())).rejects.toBe(DOWN);
    expect(lines()).toEqual([
      'Service.call, lastGood failed: expected an Observable with one item, got more: of such streams nothing is remembered',
    ]);
  });

  it.each([
    ['without an item', () => of()],
    [
      'that fails after its item',
      () =>
        concat(
          of('bad'),
          throwError(() => DOWN),
        ),
    ],
  ])('is not there after one %s', async (_, first) => {
    const call = await withObservable((run) => (run === 1 ? first() : throwError(() => DOWN)));
    await lastValueFrom(call(), { defaultValue: 'none' }).catch(() => undefined);

    await expect(lastValueFrom(call())).rejects.toBe(DOWN);
  });

  it('is no part of one that has begun', async () => {
    const call = await withObservable((run) =>
      run === 1
        ? of('good')
        : concat(
            of('new'),
            throwError(() => DOWN),
          ),
    );
    await lastValueFrom(call());
    const items: unknown[] = [];

    await expect(lastValueFrom(call().pipe(toArray()))).rejects.toBe(DOWN);
    call().subscribe({ next: (item) => items.push(item), error: () => undefined });
    await vi.waitFor(() => expect(items).toEqual(['new']));
  });

  it('is kept for each subscription apart', async () => {
    const sources = [new Subject<unknown>(), new Subject<unknown>()];
    const call = await withObservable((run) => sources[run - 1] ?? throwError(() => DOWN));
    const both = Promise.all([lastValueFrom(call()), lastValueFrom(call())]);
    sources.forEach((source, index) => source.next(index));
    sources.forEach((source) => source.complete());
    await both;

    expect(await lastValueFrom(call())).toBe(1);
    expect(lines()).toEqual([]);
  });

  it('comes after the retries of each subscription', async () => {
    const guards = [Retry({ maxAttempts: 2, backoff: fixed(0) }), REMEMBERED];
    const call = await withObservable((run) => (run === 2 ? of('second') : throwError(() => DOWN)), guards);

    expect(await lastValueFrom(call())).toBe('second');
    expect(await lastValueFrom(call())).toBe('second');
  });
});

describe('the last good answer of a method that says nothing of what it gives', () => {
  it('is that of its promises', async () => {
    const call = await withUnknown((run) => (run === 2 ? Promise.reject(DOWN) : Promise.resolve(`good ${run}`)));
    expect(await call()).toBe('good 1');

    expect(await call()).toBe('good 1');
    expect(await call()).toBe('good 3');
  });

  it('is that of its Observables', async () => {
    const call = (await withUnknown(firstOnly)) as () => Observable<unknown>;
    expect(await lastValueFrom(call())).toBe('good');

    expect(await lastValueFrom(call())).toBe('good');
  });

  it.each([
    ['a value', () => 7, 'it gave a number; expected a promise, an Observable or an async iterable'],
    [
      'an async iterable',
      async function* () {
        yield 1;
      },
      "Service.call, fallback: option 'lastGood': expected a method that gives a promise, or an Observable with one item, got one of kind 'asyncIterable'",
    ],
  ])('is not there where it gives %s, which is told', async (_, body, expected) => {
    const call = await withUnknown(body);

    call();

    expect(lines()).toEqual([`Service.call is not guarded: ${expected}`]);
  });
});

describe('a value that a policy judges bad', () => {
  const isBad = (value: unknown): boolean => value === 'bad';
  const breaker = CircuitBreaker({ isFailure: isBad, timeout: false });
  const outcome = (run: number): unknown => (run === 1 ? 'good' : run === 2 ? 'bad' : Promise.reject(DOWN));

  it.each<[string, MethodGuard[]]>([
    ['a breaker', [breaker]],
    ['a breaker inside a hedge', [breaker, Hedge({ after: 1_000 })]],
    ['a breaker inside a shared run', [breaker, Coalesce({ key: () => 'all' })]],
    [
      'a retry without further attempts',
      [Retry({ maxAttempts: 2, retryOnResult: isBad, retryOn: () => false, backoff: fixed(0) })],
    ],
  ])('is given, and not remembered: %s', async (_, guards) => {
    const isRetry = guards.length === 1 && guards[0] !== breaker;
    // A retry asks once more.
    const call = await withPromise((run) => outcome(isRetry && run > 2 ? run - 1 : run), [...guards, REMEMBERED]);
    expect([await call(), await call()]).toEqual(['good', 'bad']);

    expect(await call()).toBe('good');
  });

  it('does not stand in the way of the good one that a retry brings', async () => {
    const retry = Retry({ maxAttempts: 2, retryOnResult: isBad, retryOn: () => false, backoff: fixed(0) });
    const body = (run: number): unknown => (run === 1 ? 'bad' : run === 2 ? 'good' : Promise.reject(DOWN));
    const call = await withPromise(body, [breaker, retry, REMEMBERED]);
    expect(await call()).toBe('good');

    expect(await call()).toBe('good');
  });
});
