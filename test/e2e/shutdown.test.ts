import { createHook } from 'node:async_hooks';
import { Controller, Get, Injectable, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  ShutdownException,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred, initialise, PLATFORMS, rejection, start, until, type Platform } from './support/harness.js';

let attempts = 0;
let gate = deferred<string>();

@Injectable()
class Jobs implements OnModuleDestroy, BeforeApplicationShutdown {
  atDestroy: Promise<string> | undefined;

  arrived = 0;

  @Bulkhead('jobs', { maxConcurrent: 1, maxQueue: 10 })
  async queued(): Promise<string> {
    return gate.promise;
  }

  @Retry({ maxAttempts: 5, backoff: fixed(60_000) })
  async backingOff(): Promise<string> {
    attempts++;
    throw new Error('down');
  }

  @Retry({ maxAttempts: 5, backoff: fixed(60_000) })
  @Fallback((error) => (error as Error).name)
  async substituted(): Promise<string> {
    attempts++;
    throw new Error('down');
  }

  @CircuitBreaker({ resetTimeout: 60_000, volumeThreshold: 1 })
  @Timeout({ perAttempt: 60_000, total: 60_000 })
  @Retry({ maxAttempts: 2, backoff: fixed(0) })
  @Bulkhead({ maxConcurrent: 2, maxQueue: 5, maxWait: 60_000 })
  async everything(fail = false): Promise<string> {
    if (fail) throw new Error('down');
    return 'done';
  }

  @Timeout(5_000)
  async plain(): Promise<string> {
    return 'plain';
  }

  onModuleDestroy(): void {
    this.atDestroy = this.plain();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.atDestroy;
  }
}

@Controller()
class JobsController {
  constructor(private readonly jobs: Jobs) {}
  @Get('queued')
  queued() {
    this.jobs.arrived++;
    return this.jobs.queued();
  }
}

async function jobs() {
  attempts = 0;
  gate = deferred<string>();
  const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Jobs] });
  return { module, jobs: module.get(Jobs) };
}

/** Counts the timers that were made from now on and are still there, unref'd ones included. */
function timersMade(): () => string[] {
  const alive = new Map<number, string>();
  const hook = createHook({
    init(id, type) {
      if (type === 'Timeout' || type === 'Immediate') alive.set(id, new Error(type).stack ?? type);
    },
    destroy(id) {
      alive.delete(id);
    },
  }).enable();
  onTestFinished(() => void hook.disable());
  return () => [...alive.values()].filter((stack) => stack.includes('/lib/'));
}

describe('app.close()', () => {
  it('ends queued calls with ShutdownException and lets the running one finish, when a bulkhead is full', async () => {
    const { module, jobs: service } = await jobs();
    const running = service.queued();
    const waiting = [service.queued(), service.queued()].map(rejection);

    const closed = module.close();
    const errors = await Promise.all(waiting);
    gate.resolve('finished');

    expect(errors.map((error) => error.code)).toEqual(['SHUTDOWN', 'SHUTDOWN']);
    expect(errors[0]).toBeInstanceOf(ShutdownException);
    expect(await running).toBe('finished');
    await closed;
  });

  it('ends a call that backs off with ShutdownException at once, when it waits for its next attempt', async () => {
    const { module, jobs: service } = await jobs();
    const error = rejection(service.backingOff());
    await until(() => attempts === 1);

    await module.close();

    expect((await error).code).toBe('SHUTDOWN');
    expect((await error).cause).toMatchObject({ message: 'down' });
    expect(attempts).toBe(1);
  });

  it('lets a fallback answer, when the call that backed off has one', async () => {
    const { module, jobs: service } = await jobs();
    const answer = service.substituted();
    await until(() => attempts === 1);

    await module.close();

    expect(await answer).toBe('ShutdownException');
  });

  it('lets providers make guarded calls in their own hooks, when the app closes', async () => {
    const { module, jobs: service } = await jobs();

    await module.close();

    expect(await service.atDestroy).toBe('plain');
  });

  it('leaves no timer of ours, when guarded calls succeeded, failed and were refused before', async () => {
    const remaining = timersMade();
    const { module, jobs: service } = await jobs();
    const subscription = module.get(ResilienceService).events$.subscribe();
    await service.everything();
    await service.plain();
    await rejection(service.everything(true));
    await rejection(service.everything());
    const waiting = rejection(service.backingOff());
    await until(() => attempts === 1);
    expect(remaining()).not.toEqual([]);

    await module.close();
    await waiting;
    subscription.unsubscribe();
    await new Promise((resolve) => setImmediate(resolve));

    await until(() => remaining().length === 0, `the end of these timers: ${remaining().join('\n')}`);
  });

  it('begins no new wait, when a call comes after it', async () => {
    const { module, jobs: service } = await jobs();
    const running = service.queued();
    await module.close();

    const [queued, retried] = await Promise.all([rejection(service.queued()), rejection(service.backingOff())]);
    gate.resolve('finished');

    expect([queued.code, retried.code]).toEqual(['SHUTDOWN', 'SHUTDOWN']);
    expect(await running).toBe('finished');
  });
});

describe.each(PLATFORMS)('app.close() on $platform', ({ adapter }: Platform) => {
  it('answers a queued request with 503 and its code and a running one as ever, when both wait', async () => {
    gate = deferred<string>();
    const { app, url } = await start(
      { imports: [ResilienceModule.forRoot()], controllers: [JobsController], providers: [Jobs] },
      { adapter },
    );
    let pending = 2;
    const answers = [0, 1].map(async () => {
      const response = await fetch(`${url}/queued`, { headers: { connection: 'close' } });
      pending--;
      return [response.status, await response.text()];
    });
    await until(() => app.get(Jobs).arrived === 2, 'both requests');

    const closed = app.close();
    await until(() => pending === 1, 'the answer to the queued request');
    gate.resolve('finished');

    const [first, second] = (await Promise.all(answers)).sort((a, b) => Number(a[0]) - Number(b[0]));
    expect(first).toEqual([200, 'finished']);
    expect(second?.[0]).toBe(503);
    expect(JSON.parse(String(second?.[1]))).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      errorCode: 'SHUTDOWN',
    });
    await closed;
  });
});
