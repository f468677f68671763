/**
 * A Nest app that is closed while everything in it waits, runs, hangs or is kept, each begun by a request with an
 * AsyncLocalStorage store of its own; run by after-close.deep.test.ts in a process of its own with --expose-gc. It prints what
 * is left after that as JSON.
 */
import 'reflect-metadata';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  adaptive,
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
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { Observable } from 'rxjs';

/** What after-close.deep.test.ts reads. */
export interface AfterCloseReport {
  /** The stores that were alive before the app was closed, by what kept them; to show that there was something. */
  before: string[];
  /** Those that are alive after it. */
  after: string[];
  /** Where the timers were made that are left, unref'd ones included. */
  timers: string[];
  /** Signals of what ran that were not aborted. */
  notAborted: string[];
}

const MINUTE = 60_000;
const hang = (): Promise<never> => new Promise<never>(() => {});
const down = (): Promise<never> => Promise.reject(new Error('down'));

@Injectable()
class Shop {
  @Bulkhead('slots') async slot(): Promise<void> {
    return hang();
  }
  @Bulkhead({ maxConcurrent: 5 }) @Timeout(5) async abandoned(): Promise<void> {
    return hang();
  }
  @Bulkhead({ maxConcurrent: adaptive() }) async adaptive(@Signal() signal?: AbortSignal): Promise<void> {
    return untilAborted('adaptive', signal);
  }
  @Timeout({ perAttempt: MINUTE, total: MINUTE }) async limited(@Signal() signal?: AbortSignal): Promise<void> {
    return untilAborted('limited', signal);
  }
  @Retry({ maxAttempts: 3, backoff: fixed(MINUTE) }) async backingOff(): Promise<void> {
    return down();
  }
  @RateLimit({ limit: 1, per: MINUTE, onLimit: 'queue' }) async turn(): Promise<void> {
    return hang();
  }
  @RateLimit({ limit: 1, per: MINUTE, key: (id: string) => id }) async keyed(_id: string): Promise<void> {}
  @Hedge({ after: 30_000 }) async hedged(): Promise<void> {
    return hang();
  }
  @Coalesce({ key: () => 'one' }) async shared(): Promise<void> {
    return hang();
  }
  @CircuitBreaker('tripped', { volumeThreshold: 1, resetTimeout: MINUTE }) async tripped(): Promise<void> {
    return down();
  }
  @CircuitBreaker('probed', { volumeThreshold: 1, resetTimeout: 1, resetJitter: 0, timeout: false })
  async probed(work: () => Promise<void>): Promise<void> {
    return work();
  }
  @CircuitBreaker('keys', { key: (id: string) => id }) async breakerOf(_id: string): Promise<void> {}
  @Fallback((_error, { signal }) => untilAborted('fallback', signal)) async fallback(): Promise<void> {
    return down();
  }
  @Recover((_error, { signal }) => untilAborted('recover', signal)) async recover(): Promise<void> {
    return down();
  }
  @Bulkhead(5) @Timeout(MINUTE) rows(@Signal() _signal?: AbortSignal): Observable<number> {
    return new Observable((subscriber) => subscriber.next(1));
  }
  @Bulkhead(5) @Timeout(MINUTE) async *pages(): AsyncGenerator<number> {
    yield 1;
    await hang();
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({
      callContext: process.argv[2] === 'callContext',
      policies: { slots: { bulkhead: { maxConcurrent: 1, maxQueue: 5 } }, named: { circuitBreaker: {}, retry: 2 } },
    }),
  ],
  providers: [Shop],
})
class App {}

const notAborted = new Set<string>();

function untilAborted(name: string, signal: AbortSignal | undefined): Promise<never> {
  notAborted.add(name);
  return new Promise((_, reject) => {
    signal?.addEventListener(
      'abort',
      () => {
        notAborted.delete(name);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

const timers = new Map<number, string>();
const hook = createHook({
  init: (id, type) =>
    void ((type === 'Timeout' || type === 'Immediate') && timers.set(id, new Error(type).stack ?? type)),
  destroy: (id) => void timers.delete(id),
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function collect(): Promise<void> {
  const { gc } = globalThis as unknown as { gc: () => void };
  for (let round = 0; round < 8; round++) {
    await pause(2);
    gc();
  }
}

/** What requests begin and leave behind, by what it is. */
function requests(shop: Shop, resilience: ResilienceService): Record<string, () => unknown> {
  const named = (): ReturnType<ResilienceService['circuitBreaker']> => resilience.circuitBreaker('named');
  return {
    'a slot': () => shop.slot(),
    'a wait for a slot': () => shop.slot(),
    'abandoned work': () => shop.abandoned(),
    'an adaptive limit': () => shop.adaptive(),
    'a time limit': () => shop.limited(),
    'a pause between attempts': () => shop.backingOff(),
    'a turn': () => shop.turn(),
    'a wait for a turn': () => shop.turn(),
    'a bucket of a key': () => shop.keyed('a'),
    'a hedge': () => shop.hedged(),
    'a shared run': () => shop.shared(),
    'a wait for a shared run': () => shop.shared(),
    'an open breaker': () => shop.tripped(),
    'a hanging probe': async () => {
      await shop.probed(down).catch(() => undefined);
      await pause(10);
      await shop.probed(hang);
    },
    'a breaker of a key': () => shop.breakerOf('a'),
    'a fallback': () => shop.fallback(),
    'a recovery': () => shop.recover(),
    'an Observable': () => shop.rows().subscribe({ error: () => undefined }),
    'an iterable': async () => {
      const stream = shop.pages();
      await stream.next();
      await stream.next();
    },
    'an iterable that is not read on': () => shop.pages().next(),
    'a plan': () =>
      resilience.execute({ name: 'inline', circuitBreaker: {}, timeout: MINUTE }, ({ signal }) =>
        untilAborted('plan', signal),
      ),
    'a retry budget': () => resilience.execute('named', () => Promise.resolve()),
    'a health check': () => named().breaker.healthCheck(() => Promise.resolve(), 20_000),
    'a health check that hangs': () => named().breaker.healthCheck(hang, 20_000),
    'a subscription': () => resilience.events$.subscribe(),
    'a listener': () => named().breaker.on('open', () => undefined),
    'an operator': () => resilience.circuitBreaker('tripped').forceOpen('by hand'),
  };
}

/** Its store is nowhere but in what it begins. */
function request(storage: AsyncLocalStorage<object>, name: string, begin: () => unknown): WeakRef<object> {
  const store = { request: new Array(100).fill(name) };
  storage.run(store, () => {
    const begun = begin();
    if (begun instanceof Promise) begun.then(undefined, () => undefined);
  });
  return new WeakRef(store);
}

async function main(): Promise<AfterCloseReport> {
  Logger.overrideLogger(false);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  const shop = app.get(Shop);
  const resilience = app.get(ResilienceService);
  await resilience.execute('named', () => Promise.resolve());
  const storage = new AsyncLocalStorage<object>();
  const stores = new Map<string, WeakRef<object>>();
  hook.enable();

  for (const [name, begin] of Object.entries(requests(shop, resilience)))
    stores.set(name, request(storage, name, begin));
  await pause(50);
  await collect();
  const alive = (): string[] => [...stores].filter(([, store]) => store.deref() !== undefined).map(([name]) => name);
  const before = alive();

  await app.close();
  await collect();
  hook.disable();
  const left = [...timers.values()].filter((stack) => stack.includes('/lib/'));
  const report = { before, after: alive(), timers: left, notAborted: [...notAborted] };
  // The app and everything in it is still referred to.
  if (app.get(Shop) !== shop || resilience.circuitBreaker('named').name !== 'named') throw new Error('the app is gone');
  return report;
}

process.stdout.write(JSON.stringify(await main()));
