/**
 * A Nest app under load, run by leak.deep.test.ts in a process of its own with --expose-gc: 10,000 calls of every outcome,
 * and then a look at what is left of them. It prints what it found as JSON and must end by itself.
 */
import 'reflect-metadata';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { getEventListeners, setMaxListeners } from 'node:events';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  RateLimit,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { lastValueFrom, Observable } from 'rxjs';

/** What leak.deep.test.ts reads. */
export interface LeakReport {
  calls: number;
  outcomes: Record<string, number>;
  /** Listeners for `abort` on the signal that came with every call. */
  listenersOnLongLivedSignal: number;
  /** Listeners for `abort` on the signals that were aborted. */
  listenersOnAbortedSignals: number;
  /** Timers, unref'd ones included: made and neither fired nor cleared. */
  timersWhileOpen: number;
  timersAfterClose: number;
  /** What `heapUsed` grew by during the second half of the calls, bytes. */
  heapGrowth: number;
  /** The stores of requests that were still alive after a collection, by what became of the call. */
  storesAlive: Record<string, number>;
  resourcesAfterClose: string[];
}

type Outcome = 'success' | 'failure' | 'timeout' | 'aborted';

const NEVER_TRIPS = { volumeThreshold: 1_000_000, timeout: false } as const;

@Injectable()
class Shop {
  @Recover((error) => (error as Error).name)
  @Fallback({ value: 'substitute', on: RangeError })
  @Timeout({ perAttempt: 20, total: 200 })
  @Retry({ maxAttempts: 2, backoff: fixed(1) })
  @CircuitBreaker(NEVER_TRIPS)
  @Bulkhead({ maxConcurrent: 50, maxQueue: 200, maxWait: 100 })
  async steady(outcome: Outcome, @Signal() signal?: AbortSignal): Promise<string> {
    return perform(outcome, signal);
  }

  @Recover((error) => (error as Error).name)
  @Timeout({ perAttempt: 20, total: 200 })
  @Retry({ maxAttempts: 2, backoff: fixed(1) })
  @CircuitBreaker({ volumeThreshold: 5, resetTimeout: 5, resetJitter: 0 })
  async tripping(outcome: Outcome, @Signal() signal?: AbortSignal): Promise<string> {
    return perform(outcome, signal);
  }

  @Recover((error) => (error as Error).name)
  @Retry({ maxAttempts: 3, backoff: fixed(1) })
  @RateLimit({ limit: 20_000, per: 1_000, onLimit: 'queue' })
  @Bulkhead(1)
  async narrow(outcome: Outcome, @Signal() signal?: AbortSignal): Promise<string> {
    return perform(outcome, signal);
  }

  @Recover((error) => (error as Error).name)
  @Timeout({ perAttempt: 20, total: 200 })
  @Retry({ maxAttempts: 2, backoff: fixed(1) })
  @CircuitBreaker(NEVER_TRIPS)
  observable(outcome: Outcome, @Signal() signal?: AbortSignal): Observable<string> {
    return new Observable((subscriber) => {
      perform(outcome, signal).then(
        (value) => {
          subscriber.next(value);
          subscriber.complete();
        },
        (error: unknown) => subscriber.error(error),
      );
    });
  }

  @Recover((error) => (error as Error).name)
  @Timeout({ perAttempt: 20, total: 200 })
  @Retry({ maxAttempts: 2, backoff: fixed(1) })
  @CircuitBreaker(NEVER_TRIPS)
  async *iterable(outcome: Outcome, @Signal() signal?: AbortSignal): AsyncGenerator<string> {
    yield await perform(outcome, signal);
  }
}

@Module({ imports: [ResilienceModule.forRoot({ policies: { timed: { timeout: 20 } } })], providers: [Shop] })
class App {}

/** The work of a call; one that hangs ends when its signal says so, as a good client does. */
function perform(outcome: Outcome, signal: AbortSignal | undefined): Promise<string> {
  if (outcome === 'success') return Promise.resolve('value');
  if (outcome === 'failure') return Promise.reject(new Error('down'));
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

const OUTCOMES: readonly Outcome[] = ['success', 'failure', 'timeout', 'aborted'];
const METHODS = ['steady', 'tripping', 'narrow', 'observable', 'iterable'] as const;
type Method = (typeof METHODS)[number];

function call(shop: Shop, method: Method, outcome: Outcome, signal: AbortSignal): Promise<string> {
  switch (method) {
    case 'observable':
      return lastValueFrom(shop.observable(outcome, signal));
    case 'iterable':
      return lastItem(shop.iterable(outcome, signal));
    default:
      return shop[method](outcome, signal);
  }
}

async function lastItem(stream: AsyncIterable<string>): Promise<string> {
  let last = '';
  for await (const item of stream) last = item;
  return last;
}

/** Timers that exist, unref'd ones included, counted from their making to their end. */
const timers = new Set<number>();
const hook = createHook({
  init: (id, type) => void (type === 'Timeout' && timers.add(id)),
  destroy: (id) => void timers.delete(id),
});

const collect = async (): Promise<void> => {
  const { gc } = globalThis as unknown as { gc: () => void };
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
};

/** Makes `batches` times 200 calls of every kind at once and counts how they end. */
async function load(
  { shop, resilience, longLived }: { shop: Shop; resilience: ResilienceService; longLived: AbortSignal },
  batches: number,
  outcomes: Record<string, number>,
): Promise<number> {
  let listeners = 0;
  for (let batch = 0; batch < batches; batch++) {
    const caller = new AbortController();
    setMaxListeners(0, caller.signal);
    const calls: Promise<unknown>[] = [];
    for (let index = 0; index < 200; index++) {
      const outcome = OUTCOMES[index % OUTCOMES.length] as Outcome;
      const method = METHODS[index % METHODS.length] as Method;
      // A narrow bulkhead refuses at once whatever comes beside its one call; that one must end by itself.
      const possible = method === 'narrow' && outcome === 'timeout' ? 'aborted' : outcome;
      calls.push(call(shop, method, possible, possible === 'aborted' ? caller.signal : longLived));
    }
    calls.push(
      resilience
        .execute('timed', ({ signal }) => perform('timeout', signal), { signal: longLived })
        .catch((error: unknown) => (error as Error).name),
    );
    setTimeout(() => caller.abort(), 3);
    for (const ended of await Promise.allSettled(calls)) {
      const key = ended.status === 'fulfilled' ? String(ended.value) : `rejected ${String(ended.reason)}`;
      outcomes[key] = (outcomes[key] ?? 0) + 1;
    }
    listeners += getEventListeners(caller.signal, 'abort').length;
  }
  return listeners;
}

/** Makes calls as requests do, each with a store of its own, and tells how many stores outlive them. */
async function storesAlive(shop: Shop, method: Method, outcome: Outcome): Promise<number> {
  const storage = new AsyncLocalStorage<object>();
  const stores: WeakRef<object>[] = [];
  const caller = new AbortController();
  setMaxListeners(0, caller.signal);
  const calls = Array.from({ length: 20 }, () => {
    const store = { request: new Array(100).fill('x') };
    stores.push(new WeakRef(store));
    return storage.run(store, () =>
      call(shop, method, outcome, caller.signal).then(
        () => undefined,
        () => undefined,
      ),
    );
  });
  if (outcome === 'aborted') setTimeout(() => caller.abort(), 3);
  await Promise.all(calls);
  calls.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 5));
  await collect();
  return stores.filter((store) => store.deref() !== undefined).length;
}

async function main(): Promise<LeakReport> {
  Logger.overrideLogger(false);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  const shop = app.get(Shop);
  const resilience = app.get(ResilienceService);
  const caller = new AbortController();
  setMaxListeners(0, caller.signal);
  const parts = { shop, resilience, longLived: caller.signal };
  const outcomes: Record<string, number> = {};
  hook.enable();

  let listenersOnAbortedSignals = await load(parts, 25, outcomes);
  // A leak shows in every round; what the compiler keeps comes and goes.
  let heapGrowth = Infinity;
  for (let round = 0; round < 3; round++) {
    await collect();
    const before = process.memoryUsage().heapUsed;
    listenersOnAbortedSignals += await load(parts, 25, outcomes);
    await collect();
    heapGrowth = Math.min(heapGrowth, process.memoryUsage().heapUsed - before);
  }
  const timersWhileOpen = timers.size;

  const alive: Record<string, number> = {};
  for (const method of METHODS) {
    for (const outcome of OUTCOMES) {
      if (method === 'narrow' && outcome === 'timeout') continue;
      alive[`${method} ${outcome}`] = await storesAlive(shop, method, outcome);
    }
  }

  await app.close();
  await collect();
  hook.disable();
  return {
    calls: Object.values(outcomes).reduce((sum, count) => sum + count, 0),
    outcomes,
    listenersOnLongLivedSignal: getEventListeners(caller.signal, 'abort').length,
    listenersOnAbortedSignals,
    timersWhileOpen,
    timersAfterClose: timers.size,
    heapGrowth,
    storesAlive: alive,
    resourcesAfterClose: process.getActiveResourcesInfo().filter((type) => !/TTY|Pipe|Immediate/.test(type)),
  };
}

process.stdout.write(JSON.stringify(await main()));
