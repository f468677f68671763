import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  currentCall,
  Fallback,
  fixed,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  TimeoutException,
  type CurrentCall,
} from 'nestjs-bulwark';
import { defer, lastValueFrom, Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hang, pass, settle, startApp, watch, type Scene } from './scene.js';

const BREAKER = { volumeThreshold: 1, resetTimeout: 60_000, resetJitter: 0, timeout: false } as const;

/** What the innermost method does. */
type Deed = (signal: AbortSignal | undefined) => unknown;

@Injectable()
class Client {
  runs = 0;

  @CircuitBreaker('inner breaker', BREAKER)
  async broken(deed: Deed): Promise<unknown> {
    return deed(undefined);
  }

  @Bulkhead('inner slots', { maxConcurrent: 1, maxQueue: 1 })
  @Timeout(50)
  async bounded(deed: Deed, @Signal() signal?: AbortSignal): Promise<unknown> {
    this.runs++;
    return deed(signal);
  }

  @CircuitBreaker('patient breaker', BREAKER)
  @Timeout(10_000)
  async patient(deed: Deed, @Signal() signal?: AbortSignal): Promise<unknown> {
    this.runs++;
    return deed(signal);
  }

  @Retry({ maxAttempts: 9, backoff: fixed(40) })
  async stubborn(deed: Deed): Promise<unknown> {
    this.runs++;
    return deed(undefined);
  }
}

@Injectable()
class Service {
  runs = 0;

  constructor(readonly client: Client) {}

  @CircuitBreaker('outer breaker', BREAKER)
  @Retry({ maxAttempts: 3, backoff: fixed(10) })
  async retried(work: (client: Client) => Promise<unknown>): Promise<unknown> {
    this.runs++;
    return work(this.client);
  }

  @Fallback((error) => (error as Error).name)
  async answered(work: (client: Client) => Promise<unknown>): Promise<unknown> {
    return work(this.client);
  }

  @Timeout({ perAttempt: 100 })
  async limited(work: (client: Client) => Promise<unknown>, @Signal() _signal?: AbortSignal): Promise<unknown> {
    return work(this.client);
  }

  @Timeout({ total: 100 })
  async limitedInAll(work: (client: Client) => Promise<unknown>): Promise<unknown> {
    return work(this.client);
  }

  @CircuitBreaker('own method', BREAKER)
  async own(): Promise<string> {
    throw new Error('down');
  }

  @Fallback((error) => (error as Error).name)
  async callsItself(): Promise<string> {
    return this.own();
  }
}

interface Parts {
  scene: Scene;
  service: Service;
  client: Client;
}

async function start(callContext = false): Promise<Parts> {
  const scene = await startApp([Service, Client], callContext ? { callContext } : {});
  return { scene, service: scene.get(Service), client: scene.get(Client) };
}

const failing: Deed = () => Promise.reject(new Error('down'));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a guarded call inside another', () => {
  it('is not counted and not retried outside, when its breaker refuses it', async () => {
    const { scene, service, client } = await start();
    await client.broken(failing).catch(() => {});

    const call = watch(service.retried((inner) => inner.broken(failing)));
    await settle();

    expect(call.error).toBeInstanceOf(CircuitOpenException);
    expect(service.runs).toBe(1);
    expect(scene.breaker('outer breaker').state).toBe('closed');
    expect(scene.breaker('outer breaker').stats).toMatchObject({ failures: 0, successes: 0 });
    expect(scene.events.slice(-2)).toEqual(['circuitBreaker refused', 'circuitBreaker ignored']);
  });

  it('is not counted and not retried outside, when its bulkhead refuses it', async () => {
    const { scene, service, client } = await start();
    void client.bounded(hang).catch(() => {});
    void client.bounded(hang).catch(() => {});

    const call = watch(service.retried((inner) => inner.bounded(hang)));
    await settle();

    expect(call.error).toBeInstanceOf(BulkheadFullException);
    expect(service.runs).toBe(1);
    expect(scene.breaker('outer breaker').state).toBe('closed');
  });

  it('is not counted outside, when its time ran out before its method began', async () => {
    const { scene, service, client } = await start();
    void client.bounded(() => new Promise((resolve) => setTimeout(resolve, 1_000))).catch(() => {});

    const call = watch(service.retried((inner) => inner.bounded(hang)));
    await pass(50);

    expect(call.error).toMatchObject({ code: 'TIMEOUT', queued: true });
    expect(service.runs).toBe(1);
    expect(scene.breaker('outer breaker').state).toBe('closed');
  });

  it('counts as a failure outside, when its method timed out', async () => {
    const { scene, service } = await start();

    const call = watch(service.retried((inner) => inner.bounded(hang)));
    await pass(60);

    expect(scene.breaker('outer breaker').stats).toMatchObject({ failures: 1 });
    expect(scene.breaker('outer breaker').state).toBe('open');
    expect(call.error).toBeInstanceOf(CircuitOpenException);
  });

  it('is answered by the fallback outside, when it is refused', async () => {
    const { service, client } = await start();
    await client.broken(failing).catch(() => {});

    expect(await service.answered((inner) => inner.broken(failing))).toBe('CircuitOpenException');
  });

  it('is guarded too, when an object calls itself', async () => {
    const { service } = await start();

    const answers = [await service.callsItself(), await service.callsItself()];

    expect(answers).toEqual(['Error', 'CircuitOpenException']);
  });

  it('goes on when the outer one has timed out, while callContext is off', async () => {
    const { service } = await start();
    let inner: AbortSignal | undefined;

    const call = watch(
      service.limited((client) =>
        client.patient((signal) => {
          inner = signal;
          return hang();
        }),
      ),
    );
    await pass(100);

    expect(call.error).toBeInstanceOf(TimeoutException);
    expect(inner?.aborted).toBe(false);
  });
});

describe('with callContext, a guarded call inside another', () => {
  it.each(['limited', 'limitedInAll'] as const)(
    'is cut with it, its signal aborted with the same reason, when the outer one is %s by time',
    async (method) => {
      const { service } = await start(true);
      let signal: AbortSignal | undefined;
      let inner = watch(Promise.resolve());

      const outer = watch(
        service[method]((client) => {
          const call = client.patient((given) => {
            signal = given;
            return hang();
          });
          inner = watch(call.then(() => {}));
          return call;
        }),
      );
      await pass(100);

      expect(outer.error).toBeInstanceOf(TimeoutException);
      expect(inner).toMatchObject({ settled: true, at: 100 });
      expect(inner.error).toBe(outer.error);
      expect(signal?.reason).toBe(outer.error);
    },
  );

  it('counts as a failure of its own breaker, when the deadline that it inherited cut it', async () => {
    const { scene, service } = await start(true);

    void service.limited((client) => client.patient(hang)).catch(() => {});
    await pass(100);

    expect(scene.breaker('patient breaker').stats).toMatchObject({ failures: 1 });
  });

  it('counts nowhere, when the caller of the outer one gave up', async () => {
    const { scene, service } = await start(true);
    const caller = new AbortController();

    const outer = watch(service.limited((client) => client.patient(hang), caller.signal));
    await pass(10);
    caller.abort(new Error('gone'));
    await settle();

    expect(outer.error).toMatchObject({ message: 'gone' });
    expect(scene.breaker('patient breaker').stats).toMatchObject({ failures: 0, successes: 0 });
  });

  it('is not tried again past the deadline that it inherited', async () => {
    const { scene, service, client } = await start(true);

    const outer = watch(service.limited((inner) => inner.stubborn(failing)));
    await pass(80);

    // Its attempts lie at 0, 40 and 80 ms; the next would lie at 120.
    expect(outer).toMatchObject({ error: expect.objectContaining({ message: 'down' }), at: 80 });
    expect(client.runs).toBe(3);
    expect(scene.events).toEqual(['retry retry', 'retry retry', 'retry retrySuppressed']);
  });

  it('does not begin, when the outer one has been cut already', async () => {
    const { service, client } = await start(true);
    let inner = watch(Promise.resolve());

    const outer = watch(
      service.limited(async (given) => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        const call = given.patient(() => 'value');
        inner = watch(call.then(() => {}));
        return call;
      }),
    );
    await pass(150);

    expect(outer.error).toBeInstanceOf(TimeoutException);
    expect(inner.error).toBe(outer.error);
    expect(client.runs).toBe(0);
  });

  it('keeps its own limit, when that is the shorter one', async () => {
    const { service } = await start(true);

    const outer = watch(service.limited((client) => client.bounded(hang)));
    await pass(50);

    expect(outer.error).toMatchObject({ code: 'TIMEOUT', instanceName: 'Client.bounded' });
  });

  it('is cut as well, when it runs through execute()', async () => {
    const { scene, service } = await start(true);
    const resilience = scene.module.get(ResilienceService);
    let signal: AbortSignal | undefined;

    const outer = watch(
      service.limited(() =>
        resilience.execute({ timeout: 10_000 }, (call) => {
          signal = call.signal;
          return hang();
        }),
      ),
    );
    await pass(100);

    expect(outer.error).toBeInstanceOf(TimeoutException);
    expect(signal?.reason).toBe(outer.error);
  });

  it('leaves a call alone that the outer one started and did not wait for', async () => {
    const { service } = await start(true);
    let inner = watch(Promise.resolve<unknown>(undefined));

    const outer = watch(
      service.limited(async (client) => {
        inner = watch(client.patient(() => new Promise((resolve) => setTimeout(resolve, 500, 'done'))));
        return 'at once';
      }),
    );
    await pass(500);

    expect(outer.value).toBe('at once');
    expect(inner.value).toBe('done');
  });
});

describe('currentCall()', () => {
  interface Seen {
    attempt: number | undefined;
    deadline: number | undefined;
    timeLeft: number | undefined;
    aborted: boolean | undefined;
  }
  const look = (call: CurrentCall | undefined = currentCall()): Seen => ({
    attempt: call?.attempt,
    deadline: call?.deadline,
    timeLeft: call?.timeLeft(),
    aborted: call?.signal.aborted,
  });

  @Injectable()
  class Watched {
    readonly seen: (Seen | undefined)[] = [];

    @Timeout({ perAttempt: 50, total: 100 })
    @Retry({ maxAttempts: 2, backoff: fixed(20) })
    async call(): Promise<string> {
      await new Promise((resolve) => setTimeout(resolve, 10));
      this.seen.push(look());
      if (this.seen.length === 1) throw new Error('down');
      return 'value';
    }

    @Retry(2)
    async unbounded(): Promise<Seen> {
      return look();
    }

    @Timeout(50)
    lazily(): Observable<Seen> {
      return defer(() => Promise.resolve(look()));
    }

    @Timeout(50)
    async *items(): AsyncGenerator<Seen> {
      yield look();
      await Promise.resolve();
      yield look();
    }

    @Timeout(50)
    async *withPauses(client: Client): AsyncGenerator<unknown> {
      yield look().timeLeft;
      yield look().timeLeft;
      yield await client.patient(() => 'from the inner call');
    }
  }

  it('knows the attempt, the moment by which it must be done and the time left', async () => {
    vi.setSystemTime(1_000_000);
    const watched = (await startApp([Watched], { callContext: true })).get(Watched);

    const call = watch(watched.call());
    await pass(40);

    expect(call.value).toBe('value');
    expect(watched.seen).toEqual([
      { attempt: 1, deadline: 1_000_050, timeLeft: 40, aborted: false },
      { attempt: 2, deadline: 1_000_080, timeLeft: 40, aborted: false },
    ]);
  });

  it('has no deadline and unlimited time left, when nothing bounds the call', async () => {
    const watched = (await startApp([Watched], { callContext: true })).get(Watched);

    expect(await watched.unbounded()).toMatchObject({ attempt: 1, deadline: undefined, timeLeft: Infinity });
  });

  it('is undefined outside of guarded calls', async () => {
    await startApp([Watched], { callContext: true });

    expect(currentCall()).toBeUndefined();
  });

  it('is undefined in an app without callContext, beside one that has it', async () => {
    await startApp([Watched], { callContext: true });
    const without = (await startApp([Watched])).get(Watched);

    expect((await without.unbounded()).attempt).toBeUndefined();
  });

  it('is known in an Observable that begins its work when it is subscribed to', async () => {
    const watched = (await startApp([Watched], { callContext: true })).get(Watched);

    expect(await lastValueFrom(watched.lazily())).toMatchObject({ attempt: 1, timeLeft: 50 });
  });

  it('is known in an async generator, from item to item', async () => {
    const watched = (await startApp([Watched], { callContext: true })).get(Watched);
    const items: Seen[] = [];

    for await (const item of watched.items()) items.push(item);

    expect(items).toEqual([
      expect.objectContaining({ attempt: 1, timeLeft: 50 }),
      expect.objectContaining({ attempt: 1, timeLeft: 50 }),
    ]);
  });

  it('has the time that is left to the next item of a stream, however long the consumer took for the last one', async () => {
    const scene = await startApp([Watched, Client], { callContext: true });
    const items = scene.get(Watched).withPauses(scene.get(Client));

    const first = await items.next();
    await pass(1_000);
    const second = await items.next();
    await pass(1_000);
    const third = watch(items.next());
    await settle();

    expect([first.value, second.value]).toEqual([50, 50]);
    expect(third.value).toMatchObject({ value: 'from the inner call' });
  });
});
