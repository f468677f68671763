import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { systemClock } from '../../../../lib/kernel/clock.js';
import type { Guard } from '../../../../lib/kernel/guard.js';
import type { Work } from '../../../../lib/kernel/junction.js';
import { DueHeap } from '../../../../lib/policies/rate-limit/due-heap.js';
import { RATE_LIMIT_DEFAULTS } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitGuard } from '../../../../lib/policies/rate-limit/rate-limit.guard.js';
import { RateLimiter } from '../../../../lib/policies/rate-limit/rate-limiter.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { execute, guarded, limit, ManualWork, method, newCall } from '../../../support/calls.js';
import { Told } from '../../../support/guards.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { RateLimitScene } from './rate-limit.scene.js';

const QUEUE = { limit: 10, per: 1_000, onLimit: 'queue' } as const;

describe('RateLimitGuard that lets calls wait', () => {
  it('spaces calls evenly, in order of arrival', async () => {
    const scene = new RateLimitScene(QUEUE);

    for (const name of ['a', 'b', 'c', 'd']) scene.call([name]);
    await scene.clock.advance(1_000);

    expect(scene.begun).toEqual([
      { args: ['a'], at: 0 },
      { args: ['b'], at: 100 },
      { args: ['c'], at: 200 },
      { args: ['d'], at: 300 },
    ]);
    expect(scene.results.every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  it('spaces them after a rest as well, and lets none pass those that wait', async () => {
    const scene = new RateLimitScene(QUEUE);
    await scene.clock.advance(5_000);

    scene.burst(2);
    await scene.clock.advance(60);
    scene.call(['late']);
    await scene.clock.advance(1_000);

    expect(scene.begun.map(({ args, at }) => [...args, at])).toEqual([[5_000], [5_100], ['late', 5_200]]);
  });

  it('lets a burst begin at once where one is given, then spaces the others', async () => {
    const scene = new RateLimitScene({ ...QUEUE, burst: 3 });

    scene.burst(5);
    await scene.clock.advance(1_000);

    expect(scene.times).toEqual([0, 0, 0, 100, 200]);
  });

  it('keeps the rate when periods are no whole milliseconds, and shorter than a timer can be', async () => {
    const thirds = new RateLimitScene({ ...QUEUE, limit: 3 });
    thirds.burst(10);
    const fast = new RateLimitScene({ ...QUEUE, limit: 2_000 });
    fast.burst(601);

    await thirds.clock.advance(3_000);
    await fast.clock.advance(300);

    expect(thirds.times).toEqual([0, 334, 667, 1_000, 1_334, 1_667, 2_000, 2_334, 2_667, 3_000]);
    expect(fast.begun).toHaveLength(601);
  });

  it('spaces calls by what they cost', async () => {
    const scene = new RateLimitScene({ ...QUEUE, cost: (cost: number) => cost });

    for (const cost of [5, 2, 10, 0, 1]) scene.call([cost]);
    await scene.clock.advance(2_000);

    // What costs nothing does not wait.
    expect(scene.begun.map(({ args: [cost], at }) => [cost, at])).toEqual([
      [5, 0],
      [0, 0],
      [2, 500],
      [10, 700],
      [1, 1_700],
    ]);
    expect(await scene.attempt([10.5])).toMatchObject({ retryAfterMs: undefined });
  });

  it('needs one timer at a time, none while nobody waits, and none per call that does not wait', async () => {
    const scene = new RateLimitScene({ ...QUEUE, key: (key: string) => key });
    for (let index = 0; index < 50; index++) await scene.attempt([String(index)]);
    expect(scene.clock.timersMade).toBe(0);

    for (let index = 0; index < 50; index++) scene.burst(3, [String(index)]);
    expect(scene.clock.pending).toBe(1);
    expect(scene.clock.keepingAlive).toBe(1);
    await scene.clock.advance(1_000);

    expect(scene.begun).toHaveLength(200);
    expect(scene.limiter.waiting).toBe(0);
    expect(scene.clock.pending).toBe(0);
    expect(scene.clock.timersMade).toBe(3);
  });

  describe('refuses at once whose turn comes too late', () => {
    it.each([
      [100, 2],
      [99, 1],
      [250, 3],
    ])('for maxWait %i', async (maxWait, admitted) => {
      const scene = new RateLimitScene({ ...QUEUE, maxWait });

      scene.burst(6);
      await settle();
      expect(scene.results.filter(({ status }) => status === 'rejected')).toHaveLength(6 - admitted);
      await scene.clock.advance(1_000);

      expect(scene.begun).toHaveLength(admitted);
    });

    it('and says when a call will be let in again', async () => {
      const scene = new RateLimitScene({ ...QUEUE, maxWait: 250 });
      scene.burst(3);

      const error = (await scene.attempt()) as RateLimitExceededException;

      expect(error).toMatchObject({ retryAfterMs: 50, details: { waitMs: 300 } });
      expect(error.explanation).toBe(
        'rate limit search lets 10 through in 1000 ms, 10 at once: the call waits at most 250 ms, and its turn would come 300 ms after it came',
      );
      await scene.clock.advance(49);
      expect(await scene.attempt()).toBeInstanceOf(RateLimitExceededException);
      await scene.clock.advance(1);
      expect(await scene.attempt()).toBe('waits');
    });

    it('for the time limit of an attempt', async () => {
      const scene = new RateLimitScene({ ...QUEUE, maxWait: 1_000 });

      const calls = Array.from({ length: 5 }, () => scene.call([], undefined, 250));
      await settle();

      expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'pending', 'pending', 'rejected', 'rejected']);
      expect(calls[3]?.outcome).toMatchObject({ retryAfterMs: 50 });
    });

    it('for the time that the call has left', async () => {
      const scene = new RateLimitScene(QUEUE);
      const within = (ms: number) =>
        scene.call([ms], (call) => {
          limit(call, scene.clock.now() + ms);
        });
      scene.burst(1);

      const calls = [within(99), within(100), within(199), within(200)];
      await settle();

      expect(calls.map(({ status }) => status)).toEqual(['rejected', 'pending', 'rejected', 'pending']);
      // With more time it would be let in; without a wait it is when its turn would come.
      expect(calls[0]?.outcome).toMatchObject({ retryAfterMs: 100 });
    });
  });

  it('lets those behind move up when one leaves', async () => {
    const scene = new RateLimitScene(QUEUE);
    const calls: Attempt[] = [];
    for (const name of ['a', 'b', 'c', 'd']) scene.call([name], (call) => void calls.push(call));
    await scene.clock.advance(50);

    calls[1]?.abort('gone');
    await scene.clock.advance(1_000);

    expect(scene.begun.map(({ args, at }) => [...args, at])).toEqual([
      ['a', 0],
      ['c', 100],
      ['d', 200],
    ]);
    expect(scene.results[1]).toEqual({ status: 'rejected', outcome: 'gone' });
  });

  it('wakes a cheaper call sooner when the dear one before it leaves', async () => {
    const scene = new RateLimitScene({ ...QUEUE, burst: 10, cost: (cost: number) => cost });
    const calls: Attempt[] = [];
    for (const cost of [10, 10, 1, 1]) scene.call([cost], (call) => void calls.push(call));

    calls[1]?.abort('gone');
    await scene.clock.advance(1_000);

    expect(scene.begun.map(({ args: [cost], at }) => [cost, at])).toEqual([
      [10, 0],
      [1, 100],
      [1, 200],
    ]);
  });

  it('keeps no timer when all that wait have left', async () => {
    const scene = new RateLimitScene(QUEUE);
    const calls: Attempt[] = [];
    for (let index = 0; index < 100; index++) scene.call([], (call) => void calls.push(call));

    for (const call of calls) call.abort('gone');
    await settle();

    expect([scene.limiter.waiting, scene.clock.pending]).toEqual([0, 0]);
    // None of them was charged for.
    expect(await scene.attempt()).toBe('waits');
    await scene.clock.advance(100);
    expect(scene.times).toEqual([0, 100]);
  });

  it('refuses a probe of a half-open breaker that would have to wait', async () => {
    const scene = new RateLimitScene(QUEUE);
    const probe = (call: Attempt): void => void (call.rarely().probe = true);

    scene.call([], probe);
    const second = scene.call([], probe);
    await settle();

    expect(scene.times).toEqual([0]);
    expect(second.outcome).toBeInstanceOf(RateLimitExceededException);
    expect(second.outcome).toMatchObject({
      retryAfterMs: 100,
      explanation: expect.stringContaining('a probe of a half-open breaker does not wait'),
    });
  });

  it('tells the breaker who waits, and no longer when it has begun or gone', async () => {
    const scene = new RateLimitScene(QUEUE);
    const room = new Set<Attempt>();
    const calls: Attempt[] = [];
    for (let index = 0; index < 4; index++) {
      scene.call([], (call) => {
        calls.push(call);
        call.breaker = { enter: (one) => void room.add(one), leave: (one) => void room.delete(one) };
      });
    }
    expect([...room]).toEqual(calls.slice(1));

    await scene.clock.advance(100);
    calls[2]?.abort('tripped');
    await settle();

    expect([...room]).toEqual([calls[3]]);
    expect(scene.results[2]?.outcome).toBe('tripped');
  });

  it('ends every wait at shutdown, and lets none begin after it', async () => {
    const scene = new RateLimitScene(QUEUE);
    scene.burst(3);

    scene.environment.lifecycle.close();
    await settle();
    const late = scene.call();
    await settle();

    expect(scene.results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    for (const { outcome } of [...scene.results.slice(1, 3), late]) {
      expect(outcome).toBeInstanceOf(ShutdownException);
      expect(outcome).toMatchObject({ policy: 'rateLimit', instanceName: 'search' });
    }
    expect([scene.limiter.waiting, scene.clock.pending]).toEqual([0, 0]);
  });

  it('still lets calls through during shutdown that need not wait', async () => {
    const scene = new RateLimitScene(QUEUE);

    scene.environment.lifecycle.close();

    expect(await scene.attempt()).toBe('begun');
  });

  it('does not let all begin at once after a blocked event loop, and refuses who waited too long', async () => {
    const scene = new RateLimitScene({ ...QUEUE, maxWait: 500 });
    scene.burst(6);
    await settle();

    scene.clock.block(450);
    scene.clock.fireDueTimers();
    await scene.clock.advance(1_000);

    expect(scene.times[0]).toBe(0);
    // The second is 350 ms late; the schedule goes on from there, and the last one's 500 ms are over by then.
    expect(scene.times.slice(1)).toEqual([450]);
    const refused = scene.results.slice(2).map(({ outcome }) => outcome);
    expect(refused).toEqual(new Array(4).fill(expect.any(RateLimitExceededException)));
    expect(refused[0]).toMatchObject({ retryAfterMs: 80, details: { waitMs: 530 } });
  });

  it('warms up: the spaces shrink from coldFactor intervals to one', async () => {
    const scene = new RateLimitScene({ limit: 100, per: 1_000, onLimit: 'queue', warmUp: { over: 1_000 } });

    scene.burst(120);
    await scene.clock.advance(3_000);

    const { times } = scene;
    expect([times[1], times[2]]).toEqual([30, 60]);
    // 50 permits in the first second; the 50 below the threshold and all others 10 ms each.
    expect(times.findIndex((at) => at >= 1_000)).toBe(50);
    expect(times.slice(50)).toEqual(Array.from({ length: 70 }, (_, index) => 1_000 + 10 * index));
  });

  it('lets wait and run together take no longer than the limit of an attempt', async () => {
    const environment = new TestEnvironment();
    const limiter = new RateLimiter('search', { ...RATE_LIMIT_DEFAULTS, ...QUEUE }, environment);
    const timeout = attemptTimeout('search', 250, environment);
    const policy = new RateLimitGuard(limiter, 250);
    const work = new ManualWork();
    const results = [0, 1, 2].map(() =>
      track(
        guarded({ rateLimit: policy, 'timeout.perAttempt': timeout }, work.run, { endsEarly: true })(
          newCall(environment),
        ),
      ),
    );

    await environment.clock.advance(249);
    expect([work.begun, ...results.map(({ status }) => status)]).toEqual([3, 'pending', 'pending', 'pending']);
    await environment.clock.advance(1);

    expect(results.map(({ outcome }) => outcome)).toEqual(
      new Array(3).fill(expect.objectContaining({ queued: false })),
    );
  });

  it('lets a call go on in the context of its caller', async () => {
    const storage = new AsyncLocalStorage<object>();
    const environment = Object.assign(new TestEnvironment(), { clock: systemClock });
    const options = { ...RATE_LIMIT_DEFAULTS, limit: 200, per: 1_000, onLimit: 'queue' } as const;
    const limiter = new RateLimiter('search', options, environment);
    const policy = new RateLimitGuard(limiter);
    const seen: unknown[] = [];
    const calls = ['a', 'b', 'c'].map((name) =>
      storage.run({ name }, () =>
        execute(
          policy,
          newCall(environment),
          method(() => seen.push((storage.getStore() as { name: string }).name)),
        ),
      ),
    );

    await Promise.all(calls);

    expect(seen).toEqual(['a', 'b', 'c']);
  });

  describe('has the guards around it told of an attempt once', () => {
    const scene = () => {
      const told: unknown[] = [];
      const environment = new TestEnvironment();
      const options = { ...RATE_LIMIT_DEFAULTS, ...QUEUE, maxWait: 100 };
      const rateLimit = new RateLimitGuard(new RateLimiter('search', options, environment));
      const run = (work: Work, circuitBreaker?: Guard): Attempt => {
        const call = newCall(environment);
        track(guarded({ circuitBreaker, rateLimit }, work)(call));
        return call;
      };
      const runTold = (work: Work): Attempt => run(work, new Told(told));
      // The first call does not wait, and nobody wants to be told of it.
      run(() => Promise.resolve());
      return { environment, told, run: runTold };
    };

    it('of a value and of an error after the wait, before anybody else hears of it', async () => {
      for (const ends of ['succeeded', 'failed'] as const) {
        const { environment, told, run } = scene();
        const work = new ManualWork();

        run(work.run);
        await environment.clock.advance(100);
        expect([work.begun, told]).toEqual([1, []]);
        if (ends === 'succeeded') work.succeed(0, 'it');
        else work.fail(0, 'it');
        await settle();

        expect(told).toEqual([[ends, 'it']]);
      }
    });

    it('where there is no turn: it was cut, the app shut down, or it was refused at once', async () => {
      const { environment, told, run } = scene();
      const work = new ManualWork();

      run(work.run).abort('gone');
      await settle();
      expect(told).toEqual([['failed', 'gone']]);
      run(work.run);
      run(work.run);
      await settle();
      expect(told).toEqual([
        ['failed', 'gone'],
        ['failed', expect.any(RateLimitExceededException)],
      ]);
      environment.lifecycle.close();
      await settle();

      expect(told.slice(2)).toEqual([['failed', expect.any(ShutdownException)]]);
      await environment.clock.advance(1_000);
      expect([work.begun, told.length]).toEqual([0, 3]);
    });
  });

  it('keeps nothing of the lines that come and go while another stays', async () => {
    const scene = new RateLimitScene({ limit: 1, per: 60_000, onLimit: 'queue', key: (key: string) => key });
    const pushed = vi.spyOn(DueHeap.prototype, 'push');
    onTestFinished(() => pushed.mockRestore());
    scene.burst(2, ['stays']);
    await scene.attempt(['goes']);

    for (let index = 0; index < 100; index++) {
      scene.call(['goes'], (call) => queueMicrotask(() => call.abort('gone')));
      await settle();
    }

    expect((pushed.mock.contexts[0] as DueHeap<unknown>).size).toBeLessThan(30);
    expect(scene.limiter.waiting).toBe(1);
    await scene.clock.advance(60_000);
    expect(scene.limiter.waiting).toBe(0);
    expect(scene.clock.pending).toBe(0);
  });
});
