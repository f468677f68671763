import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { Guard } from '../../../../lib/kernel/guard.js';
import { StartRamp } from '../../../../lib/kernel/start-ramp.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { execute, guarded, limit, ManualWork, method, newCall } from '../../../support/calls.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp(options: BulkheadOptions = {}) {
  const environment = new TestEnvironment();
  const bulkhead = new BulkheadGuard('payments', { ...BULKHEAD_DEFAULTS, ...options }, environment);
  const work = new ManualWork();
  const calls: Attempt[] = [];
  const results: Tracked[] = [];
  /** Makes `count` calls that can be cut. */
  const make = (count: number, prepare?: (call: Attempt) => void): void => {
    for (let index = 0; index < count; index++) {
      const call = newCall(environment, { outer: newCall(environment) });
      prepare?.(call);
      calls.push(call);
      results.push(track(execute(bulkhead, call, work.run, { endsEarly: true })));
    }
  };
  return { environment, clock: environment.clock, bulkhead, work, calls, results, make };
}

describe('BulkheadGuard', () => {
  it('gives the value or the error of what it lets run', async () => {
    const { results, make, work } = setUp({ maxConcurrent: 2 });
    make(2);

    work.succeed(0, 'value');
    work.fail(1, 'error');
    await settle();

    expect(results).toEqual([
      { status: 'fulfilled', outcome: 'value' },
      { status: 'rejected', outcome: 'error' },
    ]);
  });

  it('leaves an error that nobody handles to the process', async () => {
    const { environment, bulkhead } = setUp();
    const unhandled: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => unhandled.push(reason));
    try {
      const failing = method(() => Promise.reject(new Error('floating')));
      void execute(bulkhead, newCall(environment), failing);
      execute(bulkhead, newCall(environment), failing).catch(() => undefined);
      await settle();
      await settle();
      expect(unhandled).toEqual([new Error('floating')]);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });

  it('lets maxConcurrent run at once, and refuses the next at once', async () => {
    const { bulkhead, results, make, work } = setUp({ maxConcurrent: 3 });

    make(4);
    await settle();

    expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([3, 3, 0]);
    expect(results.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending', 'rejected']);
    expect(results[3]?.outcome).toBeInstanceOf(BulkheadFullException);
  });

  it('refuses with the numbers, as an error and as an event', async () => {
    const { environment, results, make } = setUp({ maxConcurrent: 1, maxQueue: 2 });
    const details = { active: 1, maxConcurrent: 1, waiting: 2, maxQueue: 2 };

    make(4);
    await settle();

    expect(results[3]?.outcome).toMatchObject({
      code: 'BULKHEAD_FULL',
      policy: 'bulkhead',
      instanceName: 'payments',
      refusal: true,
      details,
    });
    expect((results[3]?.outcome as BulkheadFullException).explanation).toBe(
      'bulkhead payments is full: 1 of 1 run; 2 wait already, limit 2',
    );
    expect(environment.told).toMatchObject([
      { type: 'refused', name: 'payments', policy: 'bulkhead', code: 'BULKHEAD_FULL', details },
    ]);
  });

  it.each(['succeeds', 'fails'])('has a free slot, when a call %s', async (how) => {
    const { bulkhead, make, work } = setUp({ maxConcurrent: 1 });
    make(1);

    if (how === 'succeeds') work.succeed(0);
    else work.fail(0);
    await settle();
    expect(bulkhead.active).toBe(0);
    make(1);

    expect(work.begun).toBe(2);
  });

  it('has a free slot, when a method throws before it gives a promise', async () => {
    const { bulkhead, environment } = setUp({ maxConcurrent: 1 });

    const result = track(execute(bulkhead, newCall(environment), () => Promise.reject(new Error('no'))));
    await settle();

    expect(result.status).toBe('rejected');
    expect(bulkhead.active).toBe(0);
  });

  describe('the queue', () => {
    it('holds maxQueue calls, and refuses the next', async () => {
      const { bulkhead, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2 });

      make(4);
      await settle();

      expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([1, 1, 2]);
      expect(results.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending', 'rejected']);
    });

    it('is served first come, first served', async () => {
      const { calls, make, work } = setUp({ maxConcurrent: 2, maxQueue: 5 });
      make(7);

      for (const index of [1, 0, 2, 4, 3]) {
        work.succeed(index);
        await settle();
      }

      expect(work.calls).toEqual(calls);
      expect(work.calls.every((call, index) => call === calls[index])).toBe(true);
    });

    it('lets no newcomer pass those who wait', async () => {
      const { calls, make, work } = setUp({ maxConcurrent: 1, maxQueue: 5 });
      make(2);

      work.succeed(0);
      make(1);
      await settle();

      expect(work.begun).toBe(2);
      expect(work.calls[1]).toBe(calls[1]);
    });

    it('lets nobody pass who comes in the very turn in which a call ends', async () => {
      const { environment, bulkhead, calls, make, work } = setUp({ maxConcurrent: 1, maxQueue: 5 });
      const first = execute(bulkhead, newCall(environment), work.run);
      make(1);

      const again = first.then(() => make(1));
      work.succeed(0);
      await again;
      await settle();

      expect(work.begun).toBe(2);
      expect(work.calls[1]).toBe(calls[0]);
    });

    it('lets nobody begin before there is a slot, or more than there are slots', async () => {
      const { bulkhead, make, work } = setUp({ maxConcurrent: 2, maxQueue: 4 });
      make(6);

      work.succeed(0);
      work.succeed(1);
      await settle();

      expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([4, 2, 2]);
    });
  });

  describe('maxWait', () => {
    it('ends a wait with a BulkheadFullException', async () => {
      const { clock, bulkhead, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2, maxWait: 200 });
      make(1);
      await clock.advance(50);
      make(1);

      await clock.advance(199);
      expect(results[1]?.status).toBe('pending');
      await clock.advance(1);

      expect(results[1]?.outcome).toBeInstanceOf(BulkheadFullException);
      expect((results[1]?.outcome as BulkheadFullException).explanation).toContain('no slot came free within 200 ms');
      expect([work.begun, bulkhead.waiting]).toEqual([1, 0]);
    });

    it('does not bound what runs', async () => {
      const { clock, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 1, maxWait: 200 });
      make(2);
      await clock.advance(100);
      work.succeed(0);

      await clock.advance(10_000);

      expect(results[1]?.status).toBe('pending');
      expect(work.begun).toBe(2);
    });

    it('is none, when Infinity is said', async () => {
      const { clock, results, make } = setUp({ maxConcurrent: 1, maxQueue: 1, maxWait: Infinity });
      make(2);

      await clock.advance(1_000_000);

      expect(results[1]?.status).toBe('pending');
      expect(clock.timersMade).toBe(0);
    });
  });

  describe('a wait that nothing bounds', () => {
    it('ends when no slot has come back for 30 s, and says so', async () => {
      const { clock, results, make, bulkhead } = setUp({ maxConcurrent: 1, maxQueue: 2 });
      make(2);

      await clock.advance(29_999);
      expect(results[1]?.status).toBe('pending');
      await clock.advance(1);

      expect(results[1]?.outcome).toBeInstanceOf(BulkheadFullException);
      expect(inspect(results[1]?.outcome)).toMatch(/no slot came back for 30 s.*callContext: true.*Infinity/s);
      expect([bulkhead.waiting, clock.pending]).toEqual([0, 0]);
    });

    it('goes on as long as slots come back', async () => {
      const { clock, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 5 });
      make(5);

      for (let ended = 0; ended < 3; ended++) {
        await clock.advance(20_000);
        work.succeed(ended);
      }
      await clock.advance(29_999);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'pending',
        'pending',
      ]);
      await clock.advance(1);

      expect(results.map(({ status }) => status).slice(3)).toEqual(['pending', 'rejected']);
      expect(work.begun).toBe(4);
    });

    it.each([
      { bound: 'a deadline', origin: {}, prepare: (call: Attempt) => limit(call, 2_000_000) },
      { bound: 'a signal', origin: { signal: new AbortController().signal }, prepare: () => undefined },
    ])('is none with $bound', async ({ origin, prepare }) => {
      const { environment, clock, bulkhead, work, make } = setUp({ maxConcurrent: 1, maxQueue: 2 });
      make(1);
      const call = newCall(environment, origin);
      prepare(call);
      const result = track(execute(bulkhead, call, work.run));

      await clock.advance(500_000);

      expect(result.status).toBe('pending');
    });
  });

  describe('cancellation', () => {
    it('ends a wait at once with the reason, and lets the next move up', async () => {
      const { environment, bulkhead, calls, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2 });
      make(3);

      calls[1]?.abort('gone');
      await settle();
      expect(results[1]).toEqual({ status: 'rejected', outcome: 'gone' });
      expect(bulkhead.waiting).toBe(1);
      work.succeed(0);
      await settle();

      expect(work.calls[1]).toBe(calls[2]);
      expect(environment.told).toEqual([]);
    });

    it('does not begin a call that was aborted before', async () => {
      const { bulkhead, results, make, work } = setUp();

      make(1, (call) => call.abort('gone'));
      await settle();

      expect(results[0]).toEqual({ status: 'rejected', outcome: 'gone' });
      expect([work.begun, bulkhead.active]).toEqual([0, 0]);
    });
  });

  describe('a slot', () => {
    it('is held after a timeout, until the work has really ended', async () => {
      const { environment, clock, bulkhead, results, make, work } = setUp({ maxConcurrent: 1 });
      const timeout = attemptTimeout('payments', 100, environment);
      const call = newCall(environment);
      const result = track(guarded({ 'timeout.perAttempt': timeout, bulkhead }, work.run, { endsEarly: true })(call));

      await clock.advance(100);
      expect(result.outcome).toMatchObject({ code: 'TIMEOUT' });
      expect(bulkhead.active).toBe(1);
      make(1);
      await settle();
      expect(results[0]?.outcome).toBeInstanceOf(BulkheadFullException);
      work.succeed(0);
      await settle();

      expect(bulkhead.active).toBe(0);
    });

    it('goes to the next, when whoever it was given to is cut before he goes on', async () => {
      const { environment, bulkhead, calls, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2 });
      const cutting = new (class extends Guard {
        admit(): undefined {
          // All may pass.
        }
        override released(): void {
          calls[0]?.abort('gone');
        }
      })();
      track(guarded({ circuitBreaker: cutting, bulkhead }, work.run)(newCall(environment)));
      make(2);

      work.succeed(0);
      await settle();

      expect(results[0]).toEqual({ status: 'rejected', outcome: 'gone' });
      expect(work.calls.slice(1)).toEqual([calls[1]]);
      expect([bulkhead.active, bulkhead.waiting]).toEqual([1, 0]);
      work.succeed(1);
      await settle();
      expect(bulkhead.active).toBe(0);
    });

    it('is given back after a minute past the cut, with an event, when the work hangs', async () => {
      const { environment, clock, bulkhead, calls, make } = setUp({ maxConcurrent: 1 });
      make(1);
      await clock.advance(5_000);
      calls[0]?.abort('gone');

      await clock.advance(59_999);
      expect(bulkhead.active).toBe(1);
      await clock.advance(1);

      expect(bulkhead.active).toBe(0);
      expect(environment.told).toEqual([
        { type: 'abandoned', name: 'payments', policy: 'bulkhead', afterMs: 60_000, at: clock.wallNow() },
      ]);
    });

    it('is given back after abandonAfter, and the next in the queue begins', async () => {
      const { clock, calls, make, work } = setUp({ maxConcurrent: 1, maxQueue: 1, abandonAfter: 500 });
      make(2);
      calls[0]?.abort('gone');

      await clock.advance(500);

      expect(work.begun).toBe(2);
    });

    it('is given back once, when abandoned work ends after all', async () => {
      const { clock, bulkhead, calls, make, work } = setUp({ maxConcurrent: 1, abandonAfter: 500 });
      make(1);
      calls[0]?.abort('gone');
      await clock.advance(500);
      make(1);

      work.succeed(0);
      await settle();

      expect(bulkhead.active).toBe(1);
    });

    it('is not given back early, when the work ends in time after a cut', async () => {
      const { environment, clock, bulkhead, calls, make, work } = setUp({ maxConcurrent: 1, abandonAfter: 500 });
      make(1);
      calls[0]?.abort('gone');
      await clock.advance(400);
      work.succeed(0);
      await settle();
      make(1);

      await clock.advance(5_000);

      expect(bulkhead.active).toBe(1);
      expect(environment.told).toEqual([]);
    });

    it('is held for ever with abandonAfter: false', async () => {
      const { clock, bulkhead, calls, make } = setUp({ maxConcurrent: 1, abandonAfter: false });
      make(1);
      calls[0]?.abort('gone');

      await clock.advance(10_000_000);

      expect(bulkhead.active).toBe(1);
    });

    it('is held for ever by work that nobody cut', async () => {
      const { clock, bulkhead, make } = setUp({ maxConcurrent: 1, abandonAfter: 500 });
      make(1);

      await clock.advance(10_000_000);

      expect(bulkhead.active).toBe(1);
    });

    it('is given back abandonAfter after its consumer last asked for an item', async () => {
      const { clock, bulkhead, calls, make } = setUp({ maxConcurrent: 1, abandonAfter: 500 });
      make(1);
      const [stream] = calls as [Attempt];
      stream.course.parked(stream);
      await clock.advance(400);

      stream.course.wanted(stream);
      await clock.advance(5_000);
      expect(bulkhead.active).toBe(1);
      stream.course.parked(stream);
      await clock.advance(499);
      stream.course.parked(stream);
      expect([bulkhead.active, bulkhead.abandonedNow]).toEqual([1, 0]);
      await clock.advance(1);

      expect([bulkhead.active, bulkhead.abandonedNow]).toEqual([0, 1]);
      stream.course.parked(stream);
      expect(clock.pending).toBe(0);
    });

    it('is given back after a cut, whatever is still asked of it', async () => {
      const { clock, bulkhead, calls, make } = setUp({ maxConcurrent: 1, abandonAfter: 500 });
      make(1);
      const [stream] = calls as [Attempt];
      stream.abort('gone');

      stream.course.wanted(stream);
      await clock.advance(500);

      expect(bulkhead.active).toBe(0);
    });

    it('does not keep the process alive by the limit of its abandoned work', async () => {
      const { clock, calls, make } = setUp({ maxConcurrent: 1 });
      make(1);

      calls[0]?.abort('gone');
      await settle();

      expect([clock.pending, clock.keepingAlive]).toEqual([1, 0]);
    });
  });

  describe('a hopeless wait', () => {
    /** A bulkhead whose runs take 100 ms, with `slots` calls that run. */
    async function warm(options: BulkheadOptions & { maxConcurrent?: number }) {
      const scene = setUp(options);
      const slots = options.maxConcurrent ?? 10;
      scene.make(slots);
      await scene.clock.advance(100);
      for (let index = 0; index < slots; index++) scene.work.succeed(index);
      await settle();
      scene.make(slots);
      return scene;
    }

    it('is refused at once, by queue length x mean run time / slots against the time left', async () => {
      const { clock, calls, results, make } = await warm({ maxConcurrent: 2, maxQueue: 100 });
      const before = calls.length;

      // The n-th in the queue is expected to begin after n * 100 / 2 ms.
      make(5, (call) => limit(call, clock.now() + 100));
      await settle();

      expect(results.slice(before).map(({ status }) => status)).toEqual([
        'pending',
        'pending',
        'pending',
        'rejected',
        'rejected',
      ]);
      expect(results.at(-1)?.outcome).toMatchObject({ code: 'BULKHEAD_FULL', retryAfterMs: 150 });
      expect((results.at(-1)?.outcome as BulkheadFullException).explanation).toContain(
        'a slot is expected in 150 ms, and the call can wait 100 ms',
      );
    });

    it('is measured against maxWait too', async () => {
      const { results, make } = await warm({ maxConcurrent: 1, maxQueue: 100, maxWait: 150 });

      make(3);
      await settle();

      expect(results.slice(2).map(({ status }) => status)).toEqual(['pending', 'pending', 'rejected']);
    });

    it('is measured against perAttempt too', async () => {
      const { environment, bulkhead, make, work } = await warm({ maxConcurrent: 1, maxQueue: 100 });
      const timeout = attemptTimeout('payments', 150, environment);
      make(2);

      const call = newCall(environment);
      const result = track(guarded({ 'timeout.perAttempt': timeout, bulkhead }, work.run, { endsEarly: true })(call));
      await settle();

      expect(result.outcome).toBeInstanceOf(BulkheadFullException);
    });

    it('is none, as long as no run time is known', async () => {
      const { clock, results, make } = setUp({ maxConcurrent: 1, maxQueue: 100 });

      make(50, (call) => limit(call, clock.now() + 10));
      await settle();

      expect(results.every(({ status }) => status === 'pending')).toBe(true);
    });

    it('follows the mean of the last runs, a tenth of it with each', async () => {
      const { clock, make, work, results } = setUp({ maxConcurrent: 1, maxQueue: 100 });
      for (const [index, ms] of [100, 200, 100].entries()) {
        make(1);
        await clock.advance(ms);
        work.succeed(index);
        await settle();
      }
      make(2);

      // 100, then 110, then 109 ms.
      make(1, (call) => limit(call, clock.now() + 108));
      make(1, (call) => limit(call, clock.now() + 109));
      await settle();

      expect(results.slice(-2).map(({ status }) => status)).toEqual(['rejected', 'pending']);
      expect(results.at(-2)?.outcome).toMatchObject({ retryAfterMs: expect.closeTo(109, 6) });
    });

    it('knows nothing by work that goes on without its slot', async () => {
      const { clock, calls, make, results } = setUp({ maxConcurrent: 1, maxQueue: 9, abandonAfter: 500 });
      make(1);
      calls[0]?.abort('gone');
      await clock.advance(500);
      make(2);

      make(1, (call) => limit(call, clock.now() + 1));
      await settle();

      expect(results.at(-1)?.status).toBe('pending');
    });

    it('is told by the time of the run alone: the wait is not in it', async () => {
      const { clock, bulkhead, make, work, results } = setUp({ maxConcurrent: 1, maxQueue: 100 });
      make(2);
      await clock.advance(100);
      work.succeed(0);
      await clock.advance(100);
      work.succeed(1);
      await settle();
      expect(bulkhead.active).toBe(0);
      make(3);

      // Two wait: 200 ms by the mean of the runs; with the wait in it, the mean would be above 100.
      make(1, (call) => limit(call, clock.now() + 201));
      await settle();

      expect(results.at(-1)?.status).toBe('pending');
    });
  });

  describe('priority', () => {
    /** One runs; then calls with these priorities come. */
    function queueUp(options: BulkheadOptions, priorities: readonly unknown[]) {
      const environment = new TestEnvironment();
      const priority = ({ args }: { args: readonly unknown[] }) => args[0] as number;
      const all = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, priority, ...options };
      const bulkhead = new BulkheadGuard('payments', all, environment);
      const work = new ManualWork();
      const results = ['first', ...priorities].map((one) =>
        track(execute(bulkhead, newCall(environment, { args: [one] }), work.run)),
      );
      return { environment, bulkhead, work, results: results.slice(1) };
    }

    it('serves the more important first, among equals the earlier', async () => {
      const { work } = queueUp({ maxQueue: 10 }, [1, 3, 2, 3, 1]);

      for (let index = 0; index < 5; index++) {
        work.succeed(index);
        await settle();
      }

      expect(work.calls.map(({ args }) => args[0])).toEqual(['first', 3, 3, 2, 1, 1]);
    });

    it('gives the place of the latest of the least important ones to a more important newcomer', async () => {
      const { environment, bulkhead, results } = queueUp({ maxQueue: 3 }, [1, 1, 2, 5]);
      await settle();

      expect(results.map(({ status }) => status)).toEqual(['pending', 'rejected', 'pending', 'pending']);
      expect(results[1]?.outcome).toBeInstanceOf(BulkheadFullException);
      expect((results[1]?.outcome as BulkheadFullException).explanation).toContain(
        'a more important call took its place',
      );
      expect(bulkhead.waiting).toBe(3);
      expect(environment.of('refused')).toHaveLength(1);
    });

    it.each([1, 0])('refuses a newcomer of priority %i, when all that wait have 1', async (newcomer) => {
      const { results } = queueUp({ maxQueue: 2 }, [1, 1, newcomer]);
      await settle();

      expect(results.map(({ status }) => status)).toEqual(['pending', 'pending', 'rejected']);
    });

    it('takes no place for a newcomer that could not wait long enough anyway', async () => {
      const { environment, bulkhead, work } = queueUp({ maxQueue: 3 }, []);
      await environment.clock.advance(100);
      work.succeed(0);
      await settle();
      const make = (priority: number, prepare?: (call: Attempt) => void) => {
        const call = newCall(environment, { args: [priority] });
        prepare?.(call);
        return track(execute(bulkhead, call, work.run));
      };
      const waiting = [make(9), make(5), make(5), make(1)];

      const hopeless = make(3, (call) => limit(call, environment.clock.now() + 150));
      const urgent = make(7, (call) => limit(call, environment.clock.now() + 50));
      await settle();

      expect(hopeless.outcome).toMatchObject({ code: 'BULKHEAD_FULL', retryAfterMs: 200 });
      expect(urgent.status).toBe('pending');
      expect(waiting.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending', 'rejected']);
    });

    it('counts as 0 where it is no number, or its function throws', async () => {
      const thrower = () => {
        throw new Error('no');
      };
      const { work, results } = queueUp({ maxQueue: 2 }, [NaN, -1, 'x', 0.5]);
      await settle();
      expect(results.map(({ status }) => status)).toEqual(['pending', 'rejected', 'rejected', 'pending']);
      work.succeed(0);

      const failing = queueUp({ maxQueue: 1, priority: thrower }, [1, 2]);
      await settle();

      expect(failing.results.map(({ status }) => status)).toEqual(['pending', 'rejected']);
      expect(failing.environment.reports[0]?.place).toBe('payments, priority');
    });
  });

  it('grows to its limit when the app starts', async () => {
    const environment = new TestEnvironment();
    const startRamp = new StartRamp({ over: 1_000, from: 0.5 }, environment.clock);
    const bulkhead = new BulkheadGuard('payments', BULKHEAD_DEFAULTS, Object.assign(environment, { startRamp }));
    expect(bulkhead.limit).toBe(5);

    startRamp.begin();
    await environment.clock.advance(500);
    expect(bulkhead.limit).toBe(7);
    await environment.clock.advance(500);

    expect(bulkhead.limit).toBe(10);
  });

  it('lets a call run whose method was called already, and counts it', async () => {
    const { bulkhead, make, work, environment } = setUp({ maxConcurrent: 1, maxQueue: 1 });

    make(3, (call) => (call.rarely().underway = true));
    await settle();

    expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([3, 3, 0]);
    expect(environment.told).toEqual([]);
  });

  it('works where nobody hears of it', async () => {
    const environment = new TestEnvironment(false);
    const { clock } = environment;
    const bulkhead = new BulkheadGuard('payments', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1 }, environment);
    const work = new ManualWork();
    const call = newCall(environment, { outer: newCall(environment) });
    track(execute(bulkhead, call, work.run, { endsEarly: true }));
    const refused = track(execute(bulkhead, newCall(environment), work.run));
    call.abort('gone');
    await clock.advance(60_000);

    expect(refused.outcome).toBeInstanceOf(BulkheadFullException);
    expect([bulkhead.active, bulkhead.abandonedNow, environment.told]).toEqual([0, 1, []]);
    work.succeed(0);
    await settle();
    expect(bulkhead.abandonedNow).toBe(0);
  });

  it('is idle while nobody runs and nobody waits', async () => {
    const { bulkhead, make, work, calls } = setUp({ maxConcurrent: 1, maxQueue: 1 });
    expect(bulkhead.idle).toBe(true);

    make(2);
    expect(bulkhead.idle).toBe(false);
    work.succeed(0);
    await settle();
    expect(bulkhead.idle).toBe(false);
    work.succeed(1);
    await settle();

    expect(bulkhead.idle).toBe(true);
    expect(calls).toHaveLength(2);
  });

  describe("the user's priority", () => {
    /** One call runs, and another comes while `priority` does something. */
    async function during(priority: (scene: ReturnType<typeof setUp>) => void) {
      const scene: ReturnType<typeof setUp> = setUp({
        maxConcurrent: 1,
        maxQueue: 1,
        priority: () => (priority(scene), 0),
      });
      scene.make(2);
      await settle();
      return scene;
    }

    it('may cut the call, which then does not wait', async () => {
      const { bulkhead, results } = await during(({ calls }) => calls[1]?.abort('cut meanwhile'));

      expect(results[1]).toEqual({ status: 'rejected', outcome: 'cut meanwhile' });
      expect(bulkhead.waiting).toBe(0);
    });

    it('may come when the app shuts down, and no wait begins then', async () => {
      const { bulkhead, results } = await during(({ environment }) => environment.lifecycle.close());

      expect(results[1]?.outcome).toBeInstanceOf(ShutdownException);
      expect(bulkhead.waiting).toBe(0);
    });

    it('may make room, which the call then takes', async () => {
      const { bulkhead, work } = await during((scene) =>
        scene.bulkhead.reconfigure({ ...BULKHEAD_DEFAULTS, maxConcurrent: 2 }),
      );

      expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([2, 2, 0]);
    });
  });

  it('does not let the probe of a half-open breaker wait', async () => {
    const { bulkhead, results, make } = setUp({ maxConcurrent: 1, maxQueue: 5 });

    make(2, (call) => (call.rarely().probe = true));
    await settle();

    expect(results[1]?.outcome).toBeInstanceOf(BulkheadFullException);
    expect((results[1]?.outcome as BulkheadFullException).explanation).toContain('does not wait');
    expect(bulkhead.waiting).toBe(0);
  });

  it('says in the waiting room who waits, as long as it does', async () => {
    const { calls, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2 });
    const steps: [string, number][] = [];
    const note = (step: string) => (call: unknown) => steps.push([step, calls.indexOf(call as Attempt)]);
    const room = { enter: note('enter'), leave: note('leave') };

    make(3, (call) => (call.breaker = room));
    calls[2]?.abort('gone');
    work.succeed(0);
    await settle();

    expect(steps).toEqual([
      ['enter', 1],
      ['enter', 2],
      ['leave', 2],
      ['leave', 1],
    ]);
  });

  describe('shutdown', () => {
    it('ends every wait with a ShutdownException, and lets what runs go on', async () => {
      const { environment, bulkhead, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2 });
      make(3);

      environment.lifecycle.close();
      await settle();
      expect(results.map(({ status }) => status)).toEqual(['pending', 'rejected', 'rejected']);
      expect(results[1]?.outcome).toBeInstanceOf(ShutdownException);
      expect(results[1]?.outcome).toMatchObject({ code: 'SHUTDOWN', policy: 'bulkhead', instanceName: 'payments' });
      work.succeed(0, 'value');
      await settle();

      expect(results[0]?.outcome).toBe('value');
      expect(bulkhead.active).toBe(0);
    });

    it('lets no wait begin, but still lets a call run that need not wait', async () => {
      const { environment, results, make, work } = setUp({ maxConcurrent: 1, maxQueue: 2 });
      environment.lifecycle.close();

      make(2);
      await settle();

      expect(work.begun).toBe(1);
      expect(results[1]?.outcome).toBeInstanceOf(ShutdownException);
    });
  });

  it('needs no timer, as long as nothing has to be bounded', async () => {
    const { clock, make, work } = setUp({ maxConcurrent: 1, maxQueue: 1, maxWait: Infinity });
    make(2);
    work.succeed(0);
    await settle();
    work.succeed(1);
    await settle();

    expect(clock.timersMade).toBe(0);
  });
});
