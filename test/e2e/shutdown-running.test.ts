import { Controller, Get, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  Fallback,
  Hedge,
  RateLimit,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  ShutdownException,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { lastValueFrom, Observable, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deferred, initialise, PLATFORMS, start, until, type Platform } from './support/harness.js';

/** Work that ends only when its signal says so, as a good client does. */
const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

const stubborn = new Promise<string>(() => {});

let signals: AbortSignal[] = [];
const note = (signal: AbortSignal | undefined): AbortSignal => {
  signals.push(signal as AbortSignal);
  return signal as AbortSignal;
};

@Injectable()
class Jobs {
  @CircuitBreaker('plain', { timeout: false, volumeThreshold: 1 })
  async plain(@Signal() signal?: AbortSignal): Promise<string> {
    return untilAborted(note(signal));
  }

  @CircuitBreaker('limited', { volumeThreshold: 1 })
  @Timeout({ perAttempt: 60_000, total: 120_000 })
  @Retry({ maxAttempts: 3 })
  async limited(@Signal() signal?: AbortSignal): Promise<string> {
    return untilAborted(note(signal));
  }

  @CircuitBreaker('deaf', { volumeThreshold: 1 })
  @Timeout(60_000)
  @Bulkhead(500)
  async deaf(@Signal() signal?: AbortSignal): Promise<string> {
    note(signal);
    return stubborn;
  }

  @CircuitBreaker('wrong', { timeout: false, volumeThreshold: 1 })
  async another(@Signal() signal?: AbortSignal): Promise<string> {
    return untilAborted(note(signal)).catch(() => {
      throw new Error('socket closed');
    });
  }

  @CircuitBreaker('shared', { timeout: false, volumeThreshold: 1 })
  @Coalesce({ key: () => 'one' })
  async shared(@Signal() signal?: AbortSignal): Promise<string> {
    note(signal);
    return stubborn;
  }

  @Hedge({ after: 60_000 })
  @RateLimit({ limit: 1_000, per: 1_000 })
  async hedged(@Signal() signal?: AbortSignal): Promise<string> {
    return untilAborted(note(signal));
  }

  @Fallback((_error, { signal }) => untilAborted(note(signal)))
  async fallback(): Promise<string> {
    return Promise.reject(new Error('down'));
  }

  @Recover((_error, { signal }) => untilAborted(note(signal)))
  async recover(): Promise<string> {
    return Promise.reject(new Error('down'));
  }

  closed: string[] = [];

  @CircuitBreaker('rows', { timeout: false, volumeThreshold: 1 })
  rows(@Signal() signal?: AbortSignal): Observable<string> {
    note(signal);
    return new Observable((subscriber) => {
      subscriber.next('first');
      return () => this.closed.push('rows');
    });
  }

  @CircuitBreaker('pages', { timeout: false, volumeThreshold: 1 })
  async *pages(@Signal() signal?: AbortSignal): AsyncGenerator<string> {
    note(signal);
    try {
      yield 'first';
      await stubborn;
    } finally {
      this.closed.push('pages');
    }
  }

  @Timeout(60_000)
  async quick(@Signal() signal?: AbortSignal): Promise<string> {
    note(signal);
    return Promise.resolve('done');
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed.push(await this.quick());
  }
}

const METHODS = ['plain', 'limited', 'deaf', 'another', 'hedged', 'fallback', 'recover', 'shared'] as const;

async function jobs() {
  signals = [];
  const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Jobs] });
  return { module, service: module.get(Jobs), resilience: module.get(ResilienceService) };
}

async function drain(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('what still runs when the app has closed', () => {
  it.each(METHODS)('has its signal aborted with a ShutdownException, when 200 calls of %s run', async (method) => {
    const { module, service, resilience } = await jobs();
    const ends = Promise.allSettled(Array.from({ length: 200 }, () => service[method]()));
    await until(() => signals.length >= (method === 'shared' ? 1 : 200));
    const running = [...signals];

    await module.close();

    expect(running.map(({ reason }) => reason instanceof ShutdownException)).toEqual(running.map(() => true));
    for (const end of await ends) {
      if (method === 'recover') expect(end).toEqual({ status: 'fulfilled', value: undefined });
      else if (method === 'another') expect(end).toMatchObject({ reason: { message: 'socket closed' } });
      else expect(end).toMatchObject({ status: 'rejected', reason: { code: 'SHUTDOWN' } });
    }
    for (const { name } of resilience.circuitBreakers()) {
      const { state, stats } = resilience.circuitBreaker(name);
      expect([name, state, stats.failures, stats.successes]).toEqual([name, 'closed', 0, 0]);
    }
  });

  it('is cut also where the signal was asked for later, or comes through execute()', async () => {
    const { module, resilience } = await jobs();
    const call = resilience.execute({ name: 'late', circuitBreaker: { timeout: false } }, async (running) => {
      await Promise.resolve();
      return untilAborted(note(running.signal));
    });
    const ended = expect(call).rejects.toBeInstanceOf(ShutdownException);
    await until(() => signals.length === 1);

    await module.close();

    await ended;
  });

  it('is ended and cleaned up, when it is a stream', async () => {
    const { module, service, resilience } = await jobs();
    const rows = expect(lastValueFrom(service.rows().pipe(toArray()))).rejects.toBeInstanceOf(ShutdownException);
    const pages = expect(drain(service.pages())).rejects.toBeInstanceOf(ShutdownException);
    await until(() => signals.length === 2);

    await module.close();
    await rows;
    await pages;

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
    expect(service.closed).toContain('rows');
    for (const name of ['rows', 'pages']) {
      const { failures, successes } = resilience.circuitBreaker(name).stats;
      expect([name, failures, successes]).toEqual([name, 0, 0]);
    }
  });

  it('leaves alone what ended before, and what begins after', async () => {
    const { module, service } = await jobs();
    await service.quick();
    await module.close();

    await expect(service.quick()).resolves.toBe('done');

    expect(service.closed).toEqual(['done']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  });
});

describe.each(PLATFORMS)('a request that drains on $platform', ({ adapter }: Platform) => {
  it('is not cut, when the app closes', async () => {
    signals = [];
    const gate = deferred<string>();

    @Injectable()
    class Slow {
      @Timeout(60_000)
      async answer(@Signal() signal?: AbortSignal): Promise<string> {
        note(signal);
        return gate.promise;
      }
    }

    @Controller()
    class SlowController {
      constructor(private readonly slow: Slow) {}
      @Get()
      get() {
        return this.slow.answer();
      }
    }

    const module = { imports: [ResilienceModule.forRoot()], controllers: [SlowController], providers: [Slow] };
    const { app, url } = await start(module, { adapter });
    const answer = fetch(url, { headers: { connection: 'close' } }).then((response) => response.text());
    await until(() => signals.length === 1);

    const closed = app.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.resolve('whole');

    expect(await answer).toBe('whole');
    await closed;
    expect(signals[0]?.aborted).toBe(false);
  });
});
