import { HttpException, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  Recover,
  Retry,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, fail, guard, hang, pass, settle, startApp, watch, type MethodGuard } from './scene.js';

const BREAKER = { volumeThreshold: 1, resetTimeout: 1_000, resetJitter: 0, timeout: false } as const;

const everyPolicy = (): MethodGuard[] => [
  Bulkhead({ maxConcurrent: 1, maxQueue: 1 }),
  Recover(),
  CircuitBreaker({ ...BREAKER, volumeThreshold: 100 }),
  Timeout({ perAttempt: 50, total: 500 }),
  Retry({ maxAttempts: 3, backoff: fixed(10) }),
  Fallback(() => 'substitute'),
];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('all policies together', () => {
  it('apply in the order of the contract, when they are written in any other', async () => {
    const scene = await guard(everyPolicy(), () => 'value');

    expect(scene.order()).toEqual([
      'recover',
      'fallback',
      'timeout.total',
      'retry',
      'circuitBreaker',
      'timeout.perAttempt',
      'bulkhead',
    ]);
  });

  it('give the value of the method and say nothing but its success, when all is well', async () => {
    const scene = await guard(everyPolicy(), () => 'value');

    const result = await scene.call();

    expect(result).toBe('value');
    expect(scene.events).toEqual(['circuitBreaker success']);
  });

  it('count each attempt and give the substitute, when every attempt fails', async () => {
    const scene = await guard(everyPolicy(), fail());

    const call = watch(scene.call());
    await pass(20);

    expect(call).toMatchObject({ value: 'substitute', at: 20 });
    expect(scene.runs()).toBe(3);
    expect(scene.breaker().stats).toMatchObject({ fires: 3, failures: 3, successes: 0 });
  });

  it('give undefined, when a fallback throws at once instead of answering', async () => {
    const errors: unknown[] = [];
    const scene = await guard(
      [
        Fallback(() => {
          throw new Error('substitute down');
        }),
        Recover((error) => void errors.push(error)),
      ],
      fail(),
    );

    const result = await scene.call();

    expect(result).toBeUndefined();
    expect(errors).toEqual([expect.objectContaining({ message: 'substitute down' })]);
  });

  it('are as if they were not there but for Fallback and Recover, when the module is disabled', async () => {
    const scene = await guard(everyPolicy(), fail(), { enabled: false });

    const result = await scene.call();

    expect(result).toBe('substitute');
    expect(scene.runs()).toBe(1);
    expect(scene.order()).toEqual(['recover', 'fallback']);
  });
});

describe('what the dependency answered', () => {
  const withEverything = (status: number) => {
    const answer = new HttpException('no', status);
    return { answer, scene: guard(everyPolicy().slice(2), () => Promise.reject(answer)) };
  };

  it.each([400, 401, 403, 404, 409, 422])(
    'passes the fallback, is not retried and counts as a success, when it is %i',
    async (status) => {
      const { answer, scene: starting } = withEverything(status);
      const scene = await starting;

      const call = watch(scene.call());
      await settle();

      expect(call.error).toBe(answer);
      expect(scene.runs()).toBe(1);
      expect(scene.breaker().stats).toMatchObject({ successes: 1, failures: 0 });
      expect(scene.events).toEqual(['circuitBreaker success']);
    },
  );

  it.each([408, 425, 429, 500, 502, 503, 504])('is retried and counts as a failure, when it is %i', async (status) => {
    const { scene: starting } = withEverything(status);
    const scene = await starting;

    const call = watch(scene.call());
    await pass(20);

    expect(call.value).toBe('substitute');
    expect(scene.runs()).toBe(3);
    expect(scene.breaker().stats).toMatchObject({ successes: 0, failures: 3 });
  });

  it.each([501, 505])('counts as a failure and is not retried, when it is %i', async (status) => {
    const { scene: starting } = withEverything(status);
    const scene = await starting;

    const call = watch(scene.call());
    await settle();

    expect(call.value).toBe('substitute');
    expect(scene.runs()).toBe(1);
    expect(scene.breaker().stats).toMatchObject({ failures: 1 });
  });

  it('is answered by the fallback, when its `on` names the 4xx', async () => {
    const scene = await guard([Fallback({ value: 'substitute', on: HttpException })], () =>
      Promise.reject(new HttpException('no', 404)),
    );

    expect(await scene.call()).toBe('substitute');
  });

  it('is retried, when `retryOn` names the 4xx, and stays a success for the breaker', async () => {
    const scene = await guard(
      [CircuitBreaker(BREAKER), Retry({ maxAttempts: 2, backoff: fixed(10), retryOn: HttpException })],
      () => Promise.reject(new HttpException('no', 404)),
    );

    const call = watch(scene.call());
    await pass(10);

    expect(call.error).toBeInstanceOf(HttpException);
    expect(scene.runs()).toBe(2);
    expect(scene.breaker().stats).toMatchObject({ successes: 2, failures: 0 });
  });
});

describe('errorFilter and isFailure', () => {
  it('speak for the breaker alone: a filtered error is retried and answered, and counts nowhere', async () => {
    const scene = await guard(
      [
        CircuitBreaker({ ...BREAKER, errorFilter: () => true }),
        Retry({ maxAttempts: 2, backoff: fixed(10) }),
        Fallback(() => 'substitute'),
      ],
      fail(),
    );

    const call = watch(scene.call());
    await pass(10);

    expect(call.value).toBe('substitute');
    expect(scene.runs()).toBe(2);
    expect(scene.breaker().stats).toMatchObject({ successes: 0, failures: 0 });
  });

  it('speak for the breaker alone: a result that is a failure is given as it is, without a retry', async () => {
    const scene = await guard(
      [
        CircuitBreaker({ ...BREAKER, isFailure: (result) => result === 'sorry' }),
        Retry({ maxAttempts: 2, backoff: fixed(10) }),
        Fallback(() => 'substitute'),
      ],
      () => 'sorry',
    );

    const result = await scene.call();

    expect(result).toBe('sorry');
    expect(scene.runs()).toBe(1);
    expect(scene.breaker()).toMatchObject({ state: 'open', stats: expect.objectContaining({ failures: 1 }) });
  });

  it('do not hinder the call, when they throw: the error counts as it would without them', async () => {
    const broken = (): never => {
      throw new Error('callback');
    };
    const scene = await guard(
      [CircuitBreaker({ ...BREAKER, errorFilter: broken, isFailure: broken, volumeThreshold: 9 })],
      (run) => (run === 1 ? 'value' : Promise.reject(new Error('down'))),
    );

    const calls = [watch(scene.call()), watch(scene.call())];
    await settle();

    expect(calls[0]?.value).toBe('value');
    expect(calls[1]?.error).toMatchObject({ message: 'down' });
    expect(scene.breaker().stats).toMatchObject({ successes: 1, failures: 1 });
  });
});

describe("Recover's own handler", () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('handler');
      },
    ],
    ['rejects', () => Promise.reject(new Error('handler'))],
    [
      'gives a thenable that rejects',
      () => ({
        then(_: unknown, reject: (error: unknown) => void): void {
          reject(new Error('handler'));
        },
      }),
    ],
  ])('lets nothing escape, when it %s', async (_, handler) => {
    const scene = await guard([Recover(handler), Retry({ maxAttempts: 1 })], fail());

    const call = watch(scene.call());
    await settle();

    expect(call).toMatchObject({ settled: true, value: undefined, error: undefined });
  });

  it('is told of whatever was thrown, an Error or not', async () => {
    const heard: unknown[] = [];
    const scene = await guard([Recover((error) => void heard.push(error)), Timeout(50)], (run) =>
      Promise.reject([undefined, null, 'text', 7][run - 1]),
    );

    for (let made = 0; made < 4; made++) await scene.call();

    expect(heard).toEqual([undefined, null, 'text', 7]);
  });
});

describe('a retry', () => {
  it('joins at the back of the queue, when others wait for the slot', async () => {
    const order: string[] = [];

    @Injectable()
    class Service {
      @Bulkhead({ maxConcurrent: 1, maxQueue: 5 })
      @Retry({ maxAttempts: 2, backoff: fixed(1) })
      async call(who: string): Promise<string> {
        const again = order.includes(who);
        order.push(who);
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (who === 'a' && !again) throw new Error('down');
        return who;
      }
    }
    const service = (await startApp([Service])).get(Service);

    const calls = ['a', 'b', 'c'].map((who) => watch(service.call(who)));
    await pass(40);

    expect(order).toEqual(['a', 'b', 'c', 'a']);
    expect(calls.map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  });

  it('waits for the slot that its own timed-out attempt still holds', async () => {
    const scene = await guard(
      [Bulkhead({ maxConcurrent: 1, maxQueue: 1 }), Timeout(50), Retry({ maxAttempts: 2, backoff: fixed(10) })],
      (run) => (run === 1 ? new Promise((resolve) => setTimeout(resolve, 90, 'late')) : 'value'),
    );

    const call = watch(scene.call());
    await pass(80);
    const runsWhileHeld = scene.runs();
    await pass(10);

    expect(runsWhileHeld).toBe(1);
    expect(call).toMatchObject({ value: 'value', at: 90 });
  });

  it('is not made, when the slot of the timed-out attempt is the only one and nobody may wait', async () => {
    const scene = await guard([Bulkhead(1), Timeout(50), Retry({ maxAttempts: 5, backoff: fixed(10) })], hang);

    const call = watch(scene.call());
    await pass(60);

    expect(call.error).toBeInstanceOf(BulkheadFullException);
    expect(scene.runs()).toBe(1);
  });

  it('is made after a refusal, when `retryOn` names it', async () => {
    const first = new Deferred<string>();
    const scene = await guard(
      [Bulkhead(1), Retry({ maxAttempts: 3, backoff: fixed(10), retryOn: BulkheadFullException })],
      (run) => (run === 1 ? first.promise : 'second'),
    );

    const holding = watch(scene.call());
    const refused = watch(scene.call());
    await pass(5);
    first.resolve('first');
    await pass(5);

    expect(holding.value).toBe('first');
    expect(refused.value).toBe('second');
  });

  it('is ended by the breaker that its own failures opened, and the fallback answers', async () => {
    const scene = await guard(
      [
        CircuitBreaker({ ...BREAKER, volumeThreshold: 2 }),
        Retry({ maxAttempts: 10, backoff: fixed(10) }),
        Fallback((error) => (error as Error).name),
      ],
      fail(),
    );

    const call = watch(scene.call());
    await pass(20);

    expect(call.value).toBe('CircuitOpenException');
    expect(scene.runs()).toBe(2);
  });

  it('takes the Retry-After of a failure as the least pause', async () => {
    const busy = Object.assign(new Error('busy'), { response: { status: 503, headers: { 'retry-after': '2' } } });
    const scene = await guard([Retry({ maxAttempts: 2, backoff: fixed(10) })], (run) =>
      run === 1 ? Promise.reject(busy) : 'value',
    );

    const call = watch(scene.call());
    await pass(2_000);

    expect(call).toMatchObject({ value: 'value', at: 2_000 });
  });

  it('is not made, when the Retry-After of the failure lies past the total timeout', async () => {
    const busy = Object.assign(new Error('busy'), { response: { status: 503, headers: { 'retry-after': '2' } } });
    const scene = await guard([Timeout({ total: 1_000 }), Retry({ maxAttempts: 2, backoff: fixed(10) })], () =>
      Promise.reject(busy),
    );

    const call = watch(scene.call());
    await settle();

    expect(call).toMatchObject({ error: busy, at: 0 });
    expect(scene.events).toEqual(['retry retrySuppressed']);
  });

  it('is bounded by the total timeout also when the work of the attempt before it answers late', async () => {
    const late = new Deferred();
    const scene = await guard(
      [Timeout({ perAttempt: 50, total: 80 }), Retry({ maxAttempts: 2, backoff: fixed(0) })],
      (run) => (run === 1 ? late.promise : hang()),
    );

    const call = watch(scene.call());
    await pass(60);
    late.resolve('too late');
    await pass(40);

    expect(call).toMatchObject({ at: 80 });
    expect(call.error).toMatchObject({ details: { limitMs: 80, scope: 'total' } });
  });
});

describe("a caller's abort", () => {
  const reason = new Error('the client has gone');

  it('ends the pause before a retry at once, with its reason, past the fallback', async () => {
    const scene = await guard([Retry({ maxAttempts: 3, backoff: fixed(1_000) }), Fallback(() => 'substitute')], fail());
    const caller = new AbortController();

    const call = watch(scene.call(caller.signal));
    await pass(10);
    caller.abort(reason);
    await settle();

    expect(call).toMatchObject({ error: reason, at: 10 });
    expect(scene.runs()).toBe(1);
  });

  it('ends the wait for a slot at once and counts nowhere', async () => {
    const scene = await guard(
      [Bulkhead({ maxConcurrent: 1, maxQueue: 1 }), CircuitBreaker(BREAKER), Retry({ backoff: fixed(10) })],
      hang,
    );
    const caller = new AbortController();

    void scene.call().catch(() => {});
    const waiting = watch(scene.call(caller.signal));
    await pass(10);
    caller.abort(reason);
    await settle();

    expect(waiting).toMatchObject({ error: reason, at: 10 });
    expect(scene.runs()).toBe(1);
    expect(scene.events).toEqual(['circuitBreaker ignored']);
    expect(scene.breaker().state).toBe('closed');
  });

  it("ends the attempt at once, aborts its signal with the caller's reason and counts nowhere", async () => {
    let signal: AbortSignal | undefined;
    const scene = await guard([CircuitBreaker(BREAKER), Retry({ backoff: fixed(10) })], (_, given) => {
      signal = given;
      return hang();
    });
    const caller = new AbortController();

    const call = watch(scene.call(caller.signal));
    await pass(10);
    caller.abort(reason);
    await settle();

    expect(call).toMatchObject({ error: reason, at: 10 });
    expect(signal?.reason).toBe(reason);
    expect(scene.events).toEqual(['circuitBreaker ignored']);
  });

  it('keeps the method from being called, when it came before the call', async () => {
    const scene = await guard([CircuitBreaker(BREAKER), Retry(), Fallback(() => 'substitute')], () => 'value');

    const call = watch(scene.call(AbortSignal.abort(reason)));
    await settle();

    expect(call.error).toBe(reason);
    expect(scene.runs()).toBe(0);
    expect(scene.breaker().stats).toMatchObject({ successes: 0, failures: 0 });
  });

  it('counts as a failure and is answered by the fallback, when its reason is a time limit', async () => {
    const scene = await guard([CircuitBreaker(BREAKER), Fallback(() => 'substitute')], hang);
    const caller = new AbortController();

    const call = watch(scene.call(caller.signal));
    await pass(10);
    caller.abort(new DOMException('too late', 'TimeoutError'));
    await settle();

    expect(call.value).toBe('substitute');
    expect(scene.breaker().stats).toMatchObject({ failures: 1 });
  });

  it('is caught by Recover', async () => {
    const scene = await guard([Timeout(1_000), Recover(() => 'recovered')], hang);
    const caller = new AbortController();

    const call = watch(scene.call(caller.signal));
    caller.abort(reason);
    await settle();

    expect(call.value).toBe('recovered');
  });
});

describe('a slot of the bulkhead', () => {
  it('is held by a timed-out attempt until its work has really ended, and the late result is dropped', async () => {
    const work = new Deferred<string>();
    const scene = await guard([Bulkhead(1), Timeout(50)], (run) => (run === 1 ? work.promise : 'second'));

    const first = watch(scene.call());
    await pass(50);
    const whileRunning = watch(scene.call());
    await settle();
    work.resolve('late');
    await settle();
    const after = watch(scene.call());
    await settle();

    expect(first.error).toBeInstanceOf(TimeoutException);
    expect(whileRunning.error).toBeInstanceOf(BulkheadFullException);
    expect(after.value).toBe('second');
  });

  it('is held by aborted work until it has really ended', async () => {
    const work = new Deferred<string>();
    const scene = await guard([Bulkhead(1)], () => work.promise);
    const caller = new AbortController();

    const first = watch(scene.call(caller.signal));
    caller.abort();
    await settle();
    const second = watch(scene.call());
    await settle();

    expect(first.settled).toBe(true);
    expect(second.error).toBeInstanceOf(BulkheadFullException);
  });

  it('is given back with an event `abandonAfter` past the timeout, when the work never ends', async () => {
    const scene = await guard([Bulkhead({ maxConcurrent: 1, abandonAfter: 500 }), Timeout(50)], (run) =>
      run === 1 ? hang() : 'value',
    );

    void scene.call().catch(() => {});
    await pass(549);
    const tooEarly = watch(scene.call());
    await pass(1);
    const after = watch(scene.call());
    await settle();

    expect(tooEarly.error).toBeInstanceOf(BulkheadFullException);
    expect(after.value).toBe('value');
    expect(scene.events).toContain('bulkhead abandoned');
  });

  it('is waited for at most `maxWait`, and that is a refusal that is neither retried nor counted', async () => {
    const scene = await guard(
      [Bulkhead({ maxConcurrent: 1, maxQueue: 1, maxWait: 30 }), CircuitBreaker(BREAKER), Retry({ backoff: fixed(1) })],
      hang,
    );

    void scene.call().catch(() => {});
    const waiting = watch(scene.call());
    await pass(30);

    expect(waiting.error).toBeInstanceOf(BulkheadFullException);
    expect(waiting.at).toBe(30);
    expect(scene.events).toEqual(['bulkhead refused', 'circuitBreaker ignored']);
    expect(scene.breaker().state).toBe('closed');
  });

  it('is refused at once, when by queue length and mean run time it cannot come free in time', async () => {
    const scene = await guard(
      [Bulkhead({ maxConcurrent: 1, maxQueue: 10 }), Timeout({ total: 250 })],
      () => new Promise((resolve) => setTimeout(resolve, 100)),
    );
    const first = scene.call();
    await pass(100);
    await first;

    const calls = [1, 2, 3, 4, 5].map(() => watch(scene.call()));
    await settle();

    // One runs; three wait 0, 100 and 200 ms by the mean run time; the next would wait 300 ms.
    expect(calls.map(({ error }) => error instanceof BulkheadFullException)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(calls[4]?.at).toBe(100);
    await pass(1_000);
  });

  it('is not part of the latency that the breaker sees', async () => {
    const scene = await guard(
      [Bulkhead({ maxConcurrent: 1, maxQueue: 1 }), CircuitBreaker(BREAKER)],
      () => new Promise((resolve) => setTimeout(resolve, 40)),
    );

    void scene.call();
    void scene.call();
    await pass(80);

    expect(scene.log).toEqual([
      expect.objectContaining({ type: 'success', latencyMs: 40 }),
      expect.objectContaining({ type: 'success', latencyMs: 40 }),
    ]);
  });
});

describe('a breaker', () => {
  @Injectable()
  class Service {
    readonly works: Deferred<string>[] = [];

    @CircuitBreaker('shared', BREAKER)
    @Bulkhead('slots', { maxConcurrent: 1, maxQueue: 5 })
    @Retry({ maxAttempts: 3, backoff: fixed(10) })
    async call(): Promise<string> {
      const work = new Deferred<string>();
      this.works.push(work);
      return work.promise;
    }

    @CircuitBreaker('shared')
    async ping(up: boolean): Promise<string> {
      if (!up) throw new Error('down');
      return 'pong';
    }

    @Bulkhead('slots')
    async occupy(until: Promise<string>): Promise<string> {
      return until;
    }
  }

  it('ends the calls that wait for a slot with CircuitOpenException, when it trips', async () => {
    const scene = await startApp([Service]);
    const service = scene.get(Service);

    const running = watch(service.call());
    const waiting = [watch(service.call()), watch(service.call())];
    await settle();
    await service.ping(false).catch(() => {});
    await settle();

    expect(waiting.map(({ error }) => error instanceof CircuitOpenException)).toEqual([true, true]);
    expect(running.settled).toBe(false);
    expect(service.works).toHaveLength(1);
    expect(scene.breaker('shared').stats).toMatchObject({ failures: 1, successes: 0 });
  });

  it('tells of each call that it ended while it waited, as of every refusal', async () => {
    const scene = await startApp([Service]);
    const service = scene.get(Service);

    const calls = [service.call(), service.call()].map((call) => watch(call));
    await settle();
    await service.ping(false).catch(() => {});
    await settle();

    expect(calls[1]?.error).toBeInstanceOf(CircuitOpenException);
    expect(scene.log).toContainEqual(
      expect.objectContaining({ type: 'refused', policy: 'circuitBreaker', name: 'shared', code: 'CIRCUIT_OPEN' }),
    );
  });

  it('ends the waiting calls, when it is forced open', async () => {
    const scene = await startApp([Service]);
    const service = scene.get(Service);

    const calls = [service.call(), service.call()].map((call) => watch(call));
    await settle();
    scene.breaker('shared').forceOpen('maintenance');
    await settle();

    expect(calls[1]?.error).toBeInstanceOf(CircuitOpenException);
    expect(service.works).toHaveLength(1);
  });

  it('lets none of the waiting calls begin, when the failure of the call before them trips it', async () => {
    const scene = await guard(
      [Bulkhead({ maxConcurrent: 1, maxQueue: 5 }), CircuitBreaker(BREAKER)],
      () => new Promise((_, reject) => setTimeout(reject, 10, new Error('down'))),
    );

    const calls = [1, 2, 3].map(() => watch(scene.call()));
    await pass(10);

    expect(calls.map(({ error }) => (error as Error | undefined)?.name)).toEqual([
      'Error',
      'CircuitOpenException',
      'CircuitOpenException',
    ]);
    expect(scene.runs()).toBe(1);
  });

  it('refuses a half-open call that would have to wait and hands its permit back', async () => {
    const scene = await startApp([Service]);
    const service = scene.get(Service);
    const occupation = new Deferred<string>();
    const occupied = watch(service.occupy(occupation.promise));
    await service.ping(false).catch(() => {});
    await pass(1_000);

    const refused = watch(service.call());
    await settle();
    const stateAfterRefusal = scene.breaker('shared').state;
    occupation.resolve('done');
    await settle();
    const probe = watch(service.call());
    await settle();
    service.works[0]?.resolve('up again');
    await settle();

    expect(occupied.value).toBe('done');
    expect(refused).toMatchObject({ error: expect.any(BulkheadFullException), at: 1_000 });
    expect(stateAfterRefusal).toBe('halfOpen');
    expect(probe.value).toBe('up again');
    expect(scene.breaker('shared').state).toBe('closed');
  });

  it('counts a call only in the state in which it began', async () => {
    const scene = await startApp([Service]);
    const service = scene.get(Service);

    const before = watch(service.call());
    await settle();
    await service.ping(false).catch(() => {});
    await pass(1_000);
    service.works[0]?.resolve('late, from before the trip');
    await settle();

    expect(before.value).toBe('late, from before the trip');
    expect(scene.breaker('shared').state).toBe('halfOpen');
  });

  it('runs one probe after the reset time and refuses the calls beside it without a retry', async () => {
    const scene = await startApp([Service]);
    const service = scene.get(Service);
    await service.ping(false).catch(() => {});
    await pass(1_000);

    const probe = watch(service.call());
    const beside = watch(service.call());
    await settle();

    expect(probe.settled).toBe(false);
    expect(beside.error).toBeInstanceOf(CircuitOpenException);
    expect(service.works).toHaveLength(1);
  });

  it('hands the permit of a probe back, when its caller gives up', async () => {
    const scene = await guard([CircuitBreaker(BREAKER)], (run) =>
      run === 1 ? Promise.reject(new Error('down')) : run === 2 ? hang() : 'up again',
    );
    await scene.call().catch(() => {});
    await pass(1_000);
    const caller = new AbortController();

    const given = watch(scene.call(caller.signal));
    caller.abort();
    await settle();
    const next = watch(scene.call());
    await settle();

    expect(given.settled).toBe(true);
    expect(next.value).toBe('up again');
    expect(scene.breaker().state).toBe('closed');
  });

  it('reopens, when a probe times out', async () => {
    const scene = await guard([CircuitBreaker(BREAKER), Timeout(50)], (run) =>
      run === 1 ? Promise.reject(new Error('down')) : hang(),
    );
    await scene.call().catch(() => {});
    await pass(1_000);

    const probe = watch(scene.call());
    await pass(50);

    expect(probe.error).toBeInstanceOf(TimeoutException);
    expect(scene.breaker().state).toBe('open');
  });

  it('ignores an attempt cut by the total timeout sooner than its successes take', async () => {
    const scene = await guard(
      [
        CircuitBreaker({ ...BREAKER, volumeThreshold: 9 }),
        Retry({ maxAttempts: 2, backoff: fixed(70) }),
        Timeout({ total: 100 }),
      ],
      (run) => {
        if (run === 1) return new Promise((resolve) => setTimeout(resolve, 80, 'value'));
        return run === 2 ? Promise.reject(new Error('down')) : hang();
      },
    );
    const success = scene.call();
    await pass(80);
    await success;

    const cut = watch(scene.call());
    await pass(100);

    // Its second attempt ran for 30 ms, a success takes 80.
    expect(cut.error).toBeInstanceOf(TimeoutException);
    expect(scene.breaker().stats).toMatchObject({ successes: 1, failures: 1 });
    expect(scene.events.slice(-2)).toEqual(['circuitBreaker ignored', 'retry retrySuppressed']);
  });
});

describe("a breaker's own timeout", () => {
  it.each([
    ['10 s by default', {}, 10_000],
    ['as it says', { timeout: 70 }, 70],
  ])('bounds each attempt, %s', async (_, options, limit) => {
    const scene = await guard([CircuitBreaker(options)], hang);

    const call = watch(scene.call());
    await pass(limit);

    expect(call).toMatchObject({ error: expect.any(TimeoutException), at: limit });
    expect(scene.order()).toEqual(['circuitBreaker', 'timeout.perAttempt']);
  });

  it('bounds each attempt of a retry anew', async () => {
    const scene = await guard([CircuitBreaker({ timeout: 70 }), Retry({ maxAttempts: 2, backoff: fixed(10) })], hang);

    const call = watch(scene.call());
    await pass(150);

    expect(call).toMatchObject({ error: expect.any(TimeoutException), at: 150 });
    expect(scene.runs()).toBe(2);
  });

  it('stays in force beside a total of the method', async () => {
    const scene = await guard([CircuitBreaker({ timeout: 70 }), Timeout({ total: 500 })], hang);

    const call = watch(scene.call());
    await pass(70);

    expect(call.error).toMatchObject({ details: expect.objectContaining({ scope: 'perAttempt' }) });
  });

  it.each([
    ['Timeout(200)', Timeout(200)],
    ['Timeout({ perAttempt: 200 })', Timeout({ perAttempt: 200 })],
  ])('gives way to the method’s own: %s', async (_, timeout) => {
    const scene = await guard([CircuitBreaker({ timeout: 70 }), timeout], hang);

    const call = watch(scene.call());
    await pass(199);
    const early = call.settled;
    await pass(1);

    expect(early).toBe(false);
    expect(call.error).toBeInstanceOf(TimeoutException);
  });

  it.each<[string, MethodGuard[]]>([
    ['@Timeout(false)', [CircuitBreaker({ timeout: 70 }), Timeout(false)]],
    ['@Timeout({ perAttempt: false })', [CircuitBreaker({ timeout: 70 }), Timeout({ perAttempt: false })]],
    ['its own `timeout: false`', [CircuitBreaker({ timeout: false })]],
  ])('is turned off by %s', async (_, guards) => {
    const scene = await guard(guards, () => new Promise((resolve) => setTimeout(resolve, 60_000, 'late')));

    const call = watch(scene.call());
    await pass(60_000);

    expect(call.value).toBe('late');
    expect(scene.order()).toEqual(['circuitBreaker']);
  });
});

describe('events', () => {
  it('carry the instance, the policy, the moment and the numbers that decided', async () => {
    vi.setSystemTime(1_700_000_000_000);
    const scene = await guard(
      [CircuitBreaker('payments', BREAKER), Timeout(50), Retry({ maxAttempts: 2, backoff: fixed(10) })],
      hang,
    );

    void scene.call().catch(() => {});
    await pass(60);

    const error: unknown = expect.any(TimeoutException);
    expect(scene.log).toEqual([
      {
        at: 1_700_000_000_050,
        name: 'Service.call',
        policy: 'timeout',
        type: 'timeout',
        limitMs: 50,
        scope: 'perAttempt',
        queued: false,
      },
      { at: 1_700_000_000_050, name: 'payments', policy: 'circuitBreaker', type: 'failure', latencyMs: 50, error },
      expect.objectContaining({
        at: 1_700_000_000_050,
        name: 'payments',
        type: 'stateChange',
        from: 'closed',
        to: 'open',
      }),
      expect.objectContaining({
        at: 1_700_000_000_050,
        name: 'Service.call',
        type: 'retry',
        attempt: 1,
        maxAttempts: 2,
        delayMs: 10,
        error,
      }),
      expect.objectContaining({
        at: 1_700_000_000_060,
        name: 'payments',
        type: 'refused',
        code: 'CIRCUIT_OPEN',
        retryAfterMs: 990,
      }),
      expect.objectContaining({
        at: 1_700_000_000_060,
        name: 'Service.call',
        type: 'retrySuppressed',
        attempts: 2,
        reason: 'maxAttempts',
      }),
    ]);
  });

  it('reach the other listeners and do not hinder the calls, when a listener throws', async () => {
    const scene = await guard([CircuitBreaker(BREAKER), Retry({ maxAttempts: 2, backoff: fixed(10) })], (run) =>
      run === 1 ? Promise.reject(new Error('down')) : 'value',
    );
    const heard: string[] = [];
    scene.resilience.events$.subscribe(() => {
      throw new Error('listener');
    });
    scene.resilience.events$.subscribe(({ type }) => heard.push(type));

    const call = watch(scene.call());
    await pass(10);

    expect(call.error).toBeInstanceOf(CircuitOpenException);
    expect(heard).toEqual(['failure', 'stateChange', 'retry', 'refused', 'retrySuppressed']);
  });
});
