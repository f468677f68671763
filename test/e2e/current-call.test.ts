import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import {
  currentCall,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  TimeoutInterceptor,
  type CurrentCall,
} from 'nestjs-bulwark';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialise, never, PLATFORMS, rejection, start } from './support/harness.js';

const seen: (CurrentCall | undefined)[] = [];

/** A client deep in the stack, which takes what it needs from the running call. */
async function deepInTheStack(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  seen.push(currentCall());
}

@Injectable()
class Inner {
  signals: AbortSignal[] = [];

  @Timeout(60_000)
  async inner(@Signal() signal?: AbortSignal): Promise<void> {
    this.signals.push(signal as AbortSignal);
    await deepInTheStack();
  }

  @Timeout(60_000)
  async hanging(@Signal() signal?: AbortSignal): Promise<never> {
    this.signals.push(signal as AbortSignal);
    return never();
  }

  @Retry({ maxAttempts: 5, backoff: fixed(10_000) })
  async retried(): Promise<never> {
    throw new Error('the inner error');
  }
}

@Injectable()
class Outer {
  failures = 0;
  constructor(readonly inner: Inner) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Timeout({ perAttempt: 300, total: 1_000 })
  async attempted(): Promise<void> {
    await deepInTheStack();
    if (this.failures-- > 0) throw new Error('not yet');
  }

  @Timeout(500)
  async nested(): Promise<void> {
    await this.inner.inner();
  }

  @Timeout(40)
  async cut(): Promise<never> {
    return this.inner.hanging();
  }

  @Timeout(500)
  async retryingInside(): Promise<never> {
    return this.inner.retried();
  }

  @Retry(2)
  async unbounded(): Promise<void> {
    await deepInTheStack();
  }
}

@Controller()
class OuterController {
  @Get()
  @UseInterceptors(TimeoutInterceptor.with(400))
  async handle(): Promise<{ timeLeft: number | undefined; attempt: number | undefined }> {
    await deepInTheStack();
    const [call] = seen;
    return { timeLeft: call?.timeLeft(), attempt: call?.attempt };
  }
}

async function outer() {
  const { module } = await initialise({
    imports: [ResilienceModule.forRoot({ callContext: true })],
    providers: [Outer, Inner],
  });
  return { outer: module.get(Outer), inner: module.get(Inner), service: module.get(ResilienceService) };
}

describe('currentCall() with callContext', () => {
  beforeEach(() => {
    seen.length = 0;
  });

  it('knows signal, attempt, deadline and time left, when it is asked deep in the stack', async () => {
    const { outer: service } = await outer();
    const before = Date.now();

    await service.attempted();

    const [call] = seen;
    expect(call?.signal).toBeInstanceOf(AbortSignal);
    expect(call?.attempt).toBe(1);
    expect(call?.timeLeft()).toBeGreaterThan(0);
    expect(call?.timeLeft()).toBeLessThanOrEqual(300);
    expect(call?.deadline).toBeGreaterThanOrEqual(before + 298);
    expect(call?.deadline).toBeLessThanOrEqual(Date.now() + 302);
  });

  it('tells each attempt its number and a signal of its own, when a call is retried', async () => {
    const { outer: service } = await outer();
    service.failures = 2;

    await service.attempted();

    expect(seen.map((call) => call?.attempt)).toEqual([1, 2, 3]);
    expect(new Set(seen.map((call) => call?.signal)).size).toBe(3);
  });

  it('is unbounded, when no limit is in force', async () => {
    const { outer: service } = await outer();

    await service.unbounded();

    expect(seen[0]?.deadline).toBeUndefined();
    expect(seen[0]?.timeLeft()).toBe(Infinity);
  });

  it('is undefined, when code runs outside of guarded calls', async () => {
    await outer();

    await deepInTheStack();

    expect(seen).toEqual([undefined]);
  });

  it('knows the call of execute(), when the work asks', async () => {
    const { service } = await outer();

    await service.execute({ timeout: 250 }, deepInTheStack);

    expect(seen[0]?.timeLeft()).toBeLessThanOrEqual(250);
  });

  it('hides nothing of the other stores of the app, when the app has an AsyncLocalStorage of its own', async () => {
    const { outer: service } = await outer();
    const requests = new AsyncLocalStorage<string>();
    const read: (string | undefined)[] = [];

    await requests.run('request 1', async () => {
      await service.unbounded();
      read.push(requests.getStore());
    });

    expect(read).toEqual(['request 1']);
  });

  it('inherits the deadline of its caller, when a guarded call runs in another one', async () => {
    const { outer: service } = await outer();

    await service.nested();

    expect(seen[0]?.timeLeft()).toBeLessThanOrEqual(500);
  });

  it('is cut with its caller, when the caller times out', async () => {
    const { outer: service, inner } = await outer();

    const error = await rejection(service.cut());

    expect(error.code).toBe('TIMEOUT');
    expect(error.instanceName).toBe('Outer.cut');
    expect(inner.signals[0]?.aborted).toBe(true);
    expect(inner.signals[0]?.reason).toBe(error);
  });

  it('does not begin a wait that passes the deadline of its caller, when it would retry', async () => {
    const { outer: service } = await outer();
    const begun = performance.now();

    const error = await rejection(service.retryingInside());

    expect(error.message).toBe('the inner error');
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe.each(PLATFORMS)('currentCall() in a handler on $platform', ({ adapter }) => {
  beforeEach(() => {
    seen.length = 0;
  });

  it('knows the call of the interceptor, when the handler asks', async () => {
    const { url } = await start(
      { imports: [ResilienceModule.forRoot({ callContext: true })], controllers: [OuterController] },
      { adapter },
    );

    const { timeLeft, attempt } = (await (await fetch(url)).json()) as { timeLeft: number; attempt: number };

    expect(attempt).toBe(1);
    expect(timeLeft).toBeGreaterThan(0);
    expect(timeLeft).toBeLessThanOrEqual(400);
  });
});
