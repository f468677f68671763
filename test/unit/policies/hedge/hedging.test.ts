import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, vi } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { callOf } from '../../../../lib/kernel/call.js';
import { FasterAttemptError } from '../../../../lib/kernel/call-info.js';
import type { Guard } from '../../../../lib/kernel/guard.js';
import type { Inner, Work } from '../../../../lib/kernel/junction.js';
import { HEDGE_DEFAULTS, type HedgeOptions } from '../../../../lib/policies/hedge/hedge.options.js';
import { Hedging, type HedgeSurroundings } from '../../../../lib/policies/hedge/hedging.js';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import { RETRY_BUDGET_DEFAULTS } from '../../../../lib/kernel/retry-budget/retry-budget.options.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { guarded, limit, ManualWork, method, newCall, type Given } from '../../../support/calls.js';
import { Bouncer, Gate } from '../../../support/guards.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const boom = new Error('boom');

interface Asked extends HedgeOptions {
  surroundings?: HedgeSurroundings;
  origin?: Given;
  perAttempt?: number;
  /** A guard of the attempts. */
  inside?: Guard;
}

/** A hedge around the end of attempts, as in a pipeline; it hedges after 100 ms. */
function setUp({ surroundings, origin, perAttempt, inside, ...options }: Asked = {}) {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const resolved = { ...HEDGE_DEFAULTS, after: 100, ...options };
  const hedge = new Hedging('Client.load', resolved, environment, surroundings);
  const timeout = perAttempt === undefined ? undefined : attemptTimeout('Client.load', perAttempt, environment);
  const policies = { hedge, 'timeout.perAttempt': timeout, bulkhead: inside };
  const work = new ManualWork();
  const start = (end: Work = work.run, call = newCall(environment, origin)) => ({
    call,
    result: track(guarded(policies, end, { endsEarly: true })(call)),
  });
  return { environment, clock, hedge, work, start };
}

/** Attempt `number` of the call of `first`. */
const numbered = (first: Attempt, number: number): Attempt => {
  const call = callOf(first);
  while (call.current.number < number) call.nextAttempt();
  return call.current;
};

const reasonsOf = (calls: readonly Attempt[]) =>
  calls.map(({ aborted, reason }) => (aborted ? (reason as Error).constructor : undefined));

describe('Hedging', () => {
  it('makes one attempt, when it answers in time, and leaves no timer that keeps the process alive', async () => {
    const { environment, clock, work, start } = setUp();
    const { result } = start();
    await clock.advance(99);
    work.succeed(0, 'value');
    await clock.advance(1_000);

    expect(result).toEqual({ status: 'fulfilled', outcome: 'value' });
    expect(work.begun).toBe(1);
    expect(environment.told).toEqual([]);
    expect(clock.keepingAlive).toBe(0);
  });

  it('makes another, when the first has not answered after the delay, and says so', async () => {
    const { environment, clock, work, start } = setUp();
    start();
    await clock.advance(99);
    expect(work.begun).toBe(1);
    await clock.advance(1);

    expect(work.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(environment.told).toMatchObject([
      { type: 'hedge', policy: 'hedge', name: 'Client.load', attempt: 2, delayMs: 100 },
    ]);
    await clock.advance(10_000);
    expect(work.begun).toBe(2);
  });

  it.each([
    [0, 1],
    [1, 0],
  ])('gives the first answer, of attempt %i, and aborts the other', async (winner, loser) => {
    const { clock, work, start } = setUp();
    const { call, result } = start();
    await clock.advance(150);
    work.succeed(winner, 'fast');
    await settle();

    expect(result.outcome).toBe('fast');
    expect(call.aborted).toBe(false);
    expect(work.calls[winner]?.signal.aborted).toBe(false);
    expect(work.calls[loser]?.signal.reason).toBeInstanceOf(FasterAttemptError);

    work.succeed(loser, 'late');
    await settle();
    expect(result.outcome).toBe('fast');
  });

  it('begins each further attempt after one more delay, up to `maxAttempts`', async () => {
    const { clock, work, start } = setUp({ maxAttempts: 4 });
    const { result } = start();
    await clock.advance(250);
    expect(work.begun).toBe(3);
    await clock.advance(1_000);
    expect(work.begun).toBe(4);
    work.succeed(2, 'third');
    await settle();

    expect(result.outcome).toBe('third');
    expect(reasonsOf(work.calls)).toEqual([FasterAttemptError, FasterAttemptError, undefined, FasterAttemptError]);
  });

  it('numbers its attempts on from the call that it is given', async () => {
    const { environment, clock, work, start } = setUp();
    const retried = numbered(newCall(environment), 3);
    start(work.run, retried);
    await clock.advance(100);

    expect(work.calls.map(({ attempt }) => attempt)).toEqual([3, 4]);
    expect(retried.attempt).toBe(4);
  });

  describe('failures', () => {
    it('fails at once, when the first attempt fails before the delay', async () => {
      const { clock, work, start } = setUp();
      const { result } = start();
      await clock.advance(50);
      work.fail(0, boom);
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      await clock.advance(1_000);
      expect(work.begun).toBe(1);
    });

    it.each([
      [0, 1],
      [1, 0],
    ])('waits for the other, when attempt %i fails, and begins no more', async (failing, other) => {
      const { clock, work, start } = setUp({ maxAttempts: 3 });
      const { result } = start();
      await clock.advance(150);
      work.fail(failing, boom);
      await clock.advance(1_000);

      expect(result.status).toBe('pending');
      expect(work.begun).toBe(2);
      work.succeed(other, 'value');
      await settle();
      expect(result.outcome).toBe('value');
    });

    it('gives the last error, when all fail', async () => {
      const { clock, work, start } = setUp();
      const { result } = start();
      await clock.advance(100);
      work.fail(1, new Error('first to fail'));
      await settle();
      work.fail(0, boom);
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
    });

    it('waits for the hedge, when the first attempt runs out of time', async () => {
      const { clock, work, start } = setUp({ perAttempt: 150 });
      const { result } = start();
      await clock.advance(160);
      expect(reasonsOf(work.calls)).toEqual([TimeoutException, undefined]);
      work.succeed(1, 'value');
      await settle();

      expect(result.outcome).toBe('value');
    });

    it('gives the error of the first, when the other never had its turn', async () => {
      const gate = new Gate();
      const { clock, work, start } = setUp({ perAttempt: 150, inside: gate });
      const { result } = start();
      gate.open();
      await clock.advance(100);
      expect(gate.waiting).toBe(1);
      work.fail(0, boom);
      await clock.advance(149);
      expect(result.status).toBe('pending');
      await clock.advance(1);

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      expect(work.begun).toBe(1);
    });

    it('passes on what a method throws at once', async () => {
      const { start } = setUp();
      const { result } = start(
        method(() => {
          throw boom;
        }),
      );
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
    });
  });

  describe('a refused further attempt', () => {
    const full = new BulkheadFullException({ policy: 'bulkhead', instanceName: 'b', message: 'full' });
    /** Refuses every attempt from the `first` on. */
    const refusingFrom = (first: number): Guard => {
      let made = 0;
      return new Bouncer(() => (++made >= first ? full : undefined));
    };

    it('counts as not made: the first one decides', async () => {
      const { clock, work, start } = setUp({ inside: refusingFrom(2) });
      const { result } = start();
      await clock.advance(200);
      expect(result.status).toBe('pending');
      work.fail(0, boom);
      await settle();

      expect(result.outcome).toBe(boom);
    });

    it('gives its token back', async () => {
      const environment = new TestEnvironment();
      const { clock } = environment;
      const budget = new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, perSecond: 0 }, clock.now());
      const { start } = setUpIn(environment, budget, true, refusingFrom(2));
      start(new ManualWork().run);
      await clock.advance(200);

      expect(environment.of('hedge')).toHaveLength(1);
      expect(budget.tokensAt(clock.now())).toBe(10);
    });

    it('refuses the call, when it was the first attempt', async () => {
      const { clock, work, start } = setUp({ inside: refusingFrom(1) });
      const { result } = start();
      await clock.advance(200);

      expect(result.outcome).toBe(full);
      expect(work.begun).toBe(0);
    });
  });

  /** A hedge in given surroundings. */
  function setUpIn(environment: TestEnvironment, budget: RetryBudget, earns = true, inside?: Guard) {
    const hedge = new Hedging('Client.load', { ...HEDGE_DEFAULTS, after: 100 }, environment, { budget, earns });
    const start = (end: Work) => track(guarded({ hedge, bulkhead: inside }, end)(newCall(environment)));
    return { start };
  }

  describe('what keeps it from hedging', () => {
    it('does not, while the breaker is not closed', async () => {
      let closed = false;
      const { environment, clock, work, start } = setUp({ surroundings: { closed: () => closed } });
      start();
      await clock.advance(1_000);
      expect(work.begun).toBe(1);
      expect(environment.told).toEqual([]);

      closed = true;
      start();
      await clock.advance(100);
      expect(work.begun).toBe(3);
    });

    it('does not repeat what its caller says cannot be repeated', async () => {
      const { environment, clock, work, start } = setUp({ origin: { repeatable: () => false } });
      start();
      await clock.advance(1_000);

      expect(work.begun).toBe(1);
      expect(environment.told).toMatchObject([
        { type: 'retrySuppressed', policy: 'hedge', attempt: 1, reason: 'notRepeatable' },
      ]);
    });

    it('does not without a token, and says so', async () => {
      const environment = new TestEnvironment();
      const { clock } = environment;
      const budget = new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, min: 1, perSecond: 0, ratio: 0 }, clock.now());
      const { start } = setUpIn(environment, budget);
      const work = new ManualWork();
      start(work.run);
      await clock.advance(100);
      start(work.run);
      await clock.advance(1_000);

      expect(work.begun).toBe(3);
      expect(environment.told).toMatchObject([
        { type: 'hedge' },
        { type: 'retrySuppressed', policy: 'hedge', reason: 'budget' },
      ]);
    });

    it('does not after the deadline, after a cut, and while the app shuts down', async () => {
      const { environment, clock, work, start } = setUp();
      const bounded = newCall(environment);
      limit(bounded, clock.now() + 100);
      start(work.run, bounded);
      const { call: cut, result } = start();
      await clock.advance(50);
      cut.abort('gone');
      await settle();
      expect(result.outcome).toBe('gone');
      start();
      environment.lifecycle.close();
      await clock.advance(1_000);

      expect(work.begun).toBe(3);
    });

    it('ends the call and its attempts with the error, when what its caller says throws', async () => {
      const repeatable = () => {
        throw boom;
      };
      const { clock, work, start } = setUp({ origin: { repeatable }, maxAttempts: 3 });
      const { result } = start();
      await clock.advance(100);

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      expect(work.calls.map(({ reason }) => reason)).toEqual([boom]);
      await clock.advance(1_000);
      expect(work.begun).toBe(1);
      expect(clock.keepingAlive).toBe(0);
    });

    it('does not, when the question cuts the call, or begins to close the app', async () => {
      const { environment, clock, work, start } = setUp({ origin: { repeatable: () => answer() } });
      const { call } = start();
      let answer = (): boolean => {
        call.abort('gone');
        return true;
      };
      await clock.advance(1_000);
      expect(work.begun).toBe(1);

      start();
      answer = () => {
        environment.lifecycle.refuseWaits();
        return true;
      };
      await clock.advance(1_000);

      expect(work.begun).toBe(2);
      expect(environment.told).toEqual([]);
    });

    it('asks again before each further attempt, and says how many were made', async () => {
      let asked = 0;
      const origin = { repeatable: () => ++asked < 2 };
      const { environment, clock, work, start } = setUp({ origin, maxAttempts: 4 });
      start();
      await clock.advance(1_000);

      expect(work.begun).toBe(2);
      expect(environment.of('retrySuppressed')).toMatchObject([
        { name: 'Client.load', attempt: 2, attempts: 2, reason: 'notRepeatable' },
      ]);
    });

    it('hedges up to the last moment before the deadline', async () => {
      const { clock, work, start } = setUp();
      const begin = clock.now();
      for (const ms of [99, 100, 101]) {
        const call = newCall({ clock });
        limit(call, begin + ms);
        start(work.run, call);
      }
      await clock.advance(1_000);

      expect(work.begun).toBe(4);
      expect(work.calls[3]?.deadline).toBe(begin + 101);
    });

    it('lets go of its timer, when the app has shut down', async () => {
      const { environment, clock, work, start } = setUp();
      start();
      expect(clock.keepingAlive).toBe(1);
      environment.lifecycle.dispose();
      expect(clock.pending).toBe(0);
      await clock.advance(1_000);

      expect(work.begun).toBe(1);
    });

    it.each([
      [5, 100],
      [6, 106],
    ])('takes a beginning %i ms late for a wait or not: it hedges after %i ms', async (late, hedged) => {
      const gate = new Gate();
      const { clock, environment, start } = setUp({ inside: gate });
      start();
      await clock.advance(late);
      gate.open();
      await clock.advance(hedged - late - 1);
      expect(environment.of('hedge')).toEqual([]);
      await clock.advance(1);

      expect(environment.of('hedge')).toHaveLength(1);
    });

    it('lets a call that waits for its turn wait: the delay runs from its beginning', async () => {
      const gate = new Gate();
      const admitted = vi.spyOn(gate, 'admit');
      const { clock, start } = setUp({ inside: gate });
      start();
      await clock.advance(550);
      expect(admitted).toHaveBeenCalledTimes(1);
      gate.open();
      await clock.advance(99);
      expect(admitted).toHaveBeenCalledTimes(1);
      await clock.advance(1);

      expect(admitted).toHaveBeenCalledTimes(2);
    });
  });

  describe('the budget', () => {
    it('earns by first attempts where no retry around it does', async () => {
      const environment = new TestEnvironment();
      const budget = new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, perSecond: 0 }, environment.clock.now());
      for (let taken = 0; taken < 5; taken++) budget.take(environment.clock.now());
      const answer = method(() => 'value');

      setUpIn(environment, budget, true).start(answer);
      setUpIn(environment, budget, false).start(answer);
      await settle();

      expect(budget.tokensAt(environment.clock.now())).toBeCloseTo(5.2);
    });

    it('takes one token for each hedge', async () => {
      const environment = new TestEnvironment();
      const { clock } = environment;
      const budget = new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, perSecond: 0 }, clock.now());
      const { start } = setUpIn(environment, budget, false);
      start(new ManualWork().run);
      await clock.advance(100);

      expect(budget.tokensAt(clock.now())).toBe(9);
    });
  });

  describe('cutting the call', () => {
    it('cuts all its attempts at once', async () => {
      const { clock, work, start } = setUp({ maxAttempts: 3 });
      const { call, result } = start();
      await clock.advance(250);
      call.abort('gone');
      await settle();

      expect(work.calls.map(({ reason }) => reason)).toEqual(['gone', 'gone', 'gone']);
      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
      expect(clock.keepingAlive).toBe(0);
    });

    it('cuts the newest first, so that none of them takes the place of another', async () => {
      const { clock, work, start } = setUp({ maxAttempts: 3 });
      const { call } = start();
      await clock.advance(250);
      const cut: number[] = [];
      for (const attempt of work.calls) attempt.onAbort(() => cut.push(attempt.attempt));
      call.abort('gone');

      expect(cut).toEqual([3, 2, 1]);
    });

    it('begins no further attempt, when a listener that is told of it cuts the call', async () => {
      const { environment, clock, work, start } = setUp();
      const { call, result } = start();
      environment.events.subscribe(({ type }) => {
        if (type === 'hedge') call.abort('gone');
      });
      await clock.advance(1_000);

      expect(environment.of('hedge')).toHaveLength(1);
      expect(work.begun).toBe(1);
      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    });

    it('does nothing more, once it has an answer', async () => {
      const { clock, work, start } = setUp();
      const { call, result } = start();
      await clock.advance(100);
      work.succeed(0);
      await settle();
      call.abort('late');
      await settle();

      expect(result.status).toBe('fulfilled');
      expect(work.calls[1]?.reason).toBeInstanceOf(FasterAttemptError);
    });
  });

  describe('streams', () => {
    const item = (attempt: Attempt | undefined) => attempt?.course.item(attempt);

    it('cuts the others, as soon as one has given an item: it is the one that goes on', async () => {
      const { clock, work, start } = setUp({ maxAttempts: 3 });
      const { result } = start();
      await clock.advance(250);
      item(work.calls[1]);
      item(work.calls[1]);
      await settle();
      expect(reasonsOf(work.calls)).toEqual([FasterAttemptError, undefined, FasterAttemptError]);
      expect(result.status).toBe('pending');
      work.succeed(1, 'ended');
      await settle();

      expect(result.outcome).toBe('ended');
    });

    it('stays with the first that has given an item, although another gives one as well, late', async () => {
      const { clock, work, start } = setUp();
      const { result } = start();
      await clock.advance(100);
      item(work.calls[1]);
      item(work.calls[0]);
      await settle();
      expect(reasonsOf(work.calls)).toEqual([FasterAttemptError, undefined]);
      work.succeed(1, 'ended');
      await settle();

      expect(result.outcome).toBe('ended');
    });

    it('ends with the error of the one that has given an item, not with that of one that was cut', async () => {
      const { clock, work, start } = setUp();
      const { result } = start();
      await clock.advance(100);
      item(work.calls[1]);
      work.fail(0, new Error('cut'));
      await settle();
      expect(result.status).toBe('pending');
      work.fail(1, boom);
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
    });

    it('ends at once with that error, although the one that was cut goes on', async () => {
      const { clock, work, start } = setUp();
      const { result } = start();
      await clock.advance(100);
      item(work.calls[0]);
      work.fail(0, boom);
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
    });

    it('begins no further attempt once there is an item', async () => {
      const { clock, work, start } = setUp();
      start();
      await clock.advance(50);
      item(work.calls[0]);
      await clock.advance(1_000);

      expect(work.begun).toBe(1);
      expect(work.calls[0]?.aborted).toBe(false);
    });
  });

  it('cuts the others before what the winner held is given on', async () => {
    const cutThen: boolean[] = [];
    const inside = new (class extends Bouncer {
      override released(): void {
        cutThen.push(work.calls[1]?.aborted === true);
      }
    })(() => undefined);
    const { clock, work, start } = setUp({ inside });
    start();
    await clock.advance(100);
    work.succeed(0);
    await settle();

    expect(cutThen[0]).toBe(true);
  });

  it('gives what is given inside, whoever gives it', async () => {
    const { environment, hedge } = setUp();
    const whole = newCall(environment);
    const inner: Inner = {
      part: () => newCall(environment),
      separate: () => newCall(environment),
      start: async () => 'value',
    };

    expect(await hedge.run(whole, inner)).toBe('value');
    expect(environment.clock.keepingAlive).toBe(0);
  });

  it('has begun, for its caller, once one of its attempts has', async () => {
    const gate = new Gate();
    const { clock, start } = setUp({ inside: gate });
    const { call } = start();
    await clock.advance(50);
    expect(callOf(call).begun).toBe(false);
    gate.open();
    await settle();

    expect(callOf(call).begun).toBe(true);
  });

  it('begins the further attempt in the context of its caller', async () => {
    const { clock, start } = setUp();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    storage.run('request 1', () => start(method(() => (seen.push(storage.getStore()), new Promise(() => undefined)))));
    await storage.run('elsewhere', () => clock.advance(100));

    expect(seen).toEqual(['request 1', 'request 1']);
  });

  it('needs one timer for many calls', async () => {
    const { clock, work, start } = setUp();
    for (let one = 0; one < 200; one++) start();
    expect(clock.timersMade).toBe(1);
    for (let one = 0; one < 200; one++) work.succeed(one);
    await settle();

    expect(clock.timersMade).toBe(1);
  });

  it('lets an answer win that waited behind a blocked event loop', async () => {
    const { clock, work, start } = setUp();
    const { result } = start();
    await settle();
    clock.block(300);
    clock.fireDueTimers();
    work.succeed(0, 'value');
    await clock.poll();
    await settle();

    expect(result.outcome).toBe('value');
    expect(work.begun).toBe(1);
  });

  describe('a percentile', () => {
    const percentile = (after: HedgeOptions['after']) => setUp({ after });

    /** Makes `count` calls one after the other that answer after `ms`. */
    async function answer({ clock, work, start }: ReturnType<typeof setUp>, count: number, ms: number): Promise<void> {
      for (let one = 0; one < count; one++) {
        start();
        const index = work.begun - 1;
        await clock.advance(ms);
        work.succeed(index);
        await settle();
      }
    }

    it('hedges nothing, until it has seen enough', async () => {
      const scene = percentile({ percentile: 95 });
      await answer(scene, 19, 100);
      await scene.clock.advance(1_000);
      scene.start();
      await scene.clock.advance(5_000);
      expect(scene.environment.of('hedge')).toEqual([]);

      scene.work.succeed(19);
      await settle();
      scene.start();
      // The twentieth took 5 s, and is the one above the percentile.
      await scene.clock.advance(200);
      expect(scene.environment.of('hedge')[0]?.delayMs).toBeGreaterThan(90);
      expect(scene.environment.of('hedge')[0]?.delayMs).toBeLessThan(110);
    });

    it('hedges after `max`, until it has seen enough', async () => {
      const scene = percentile({ percentile: 95, max: 400 });
      scene.start();
      await scene.clock.advance(400);

      expect(scene.environment.of('hedge')).toMatchObject([{ delayMs: 400 }]);
    });

    it.each([
      [{ percentile: 95, min: 250 }, 250],
      [{ percentile: 95, max: 40 }, 40],
    ])('stays within its bounds: %j', async (after, expected) => {
      const scene = percentile(after);
      await answer(scene, 25, 30);
      await answer(scene, 25, 100);
      await answer(scene, 25, 200);
      await scene.clock.advance(1_000);
      scene.start();
      await scene.clock.advance(300);

      expect(scene.environment.of('hedge').at(-1)?.delayMs).toBe(expected);
    });

    it('follows the latency, and forgets what is over a minute old', async () => {
      const scene = percentile({ percentile: 50 });
      await answer(scene, 50, 10);
      await scene.clock.advance(1_000);
      await answer(scene, 50, 200);
      await scene.clock.advance(70_000);
      await answer(scene, 20, 100);
      await scene.clock.advance(1_000);
      const before = scene.environment.of('hedge').length;
      scene.start();
      await scene.clock.advance(500);

      const last = scene.environment.of('hedge').slice(before);
      expect(last).toHaveLength(1);
      expect(last[0]?.delayMs).toBeGreaterThan(90);
      expect(last[0]?.delayMs).toBeLessThan(110);
    });

    it('does not shrink by the calls that it cuts short', async () => {
      const scene = percentile({ percentile: 90 });
      const { clock, work, start, environment } = scene;
      // One call in ten hangs; every hedge answers in 20 ms.
      for (let one = 0; one < 400; one++) {
        start();
        const index = work.begun - 1;
        const hangs = one % 10 === 9;
        await clock.advance(100);
        if (!hangs) work.succeed(index);
        await settle();
        if (hangs) {
          await clock.advance(400);
          work.succeed(work.begun - 1);
          await settle();
        }
      }

      const delays = environment.of('hedge').map(({ delayMs }) => delayMs);
      expect(delays.length).toBeGreaterThan(10);
      expect(Math.min(...delays)).toBeGreaterThan(90);
      expect(delays.length).toBeLessThan(80);
    });

    describe('is told of first attempts', () => {
      /** A hedge after 400 ms at first, and what it is told. */
      const measured = (more: Asked = {}) => {
        const scene = setUp({ after: { percentile: 95, max: 400 }, ...more });
        const told: number[] = [];
        vi.spyOn(scene.hedge.delay, 'record').mockImplementation((latencyMs) => void told.push(latencyMs));
        return { ...scene, told };
      };

      it('that answer, from the moment they began', async () => {
        const gate = new Gate();
        const { clock, work, start, told } = measured({ inside: gate });
        start();
        await clock.advance(150);
        gate.open();
        await clock.advance(70);
        work.succeed(0);
        await settle();

        expect(told).toEqual([70]);
      });

      it('that answer behind a hedge that goes on', async () => {
        const { clock, work, start, told } = measured();
        start();
        await clock.advance(450);
        work.succeed(0);
        await settle();

        expect(told).toEqual([450]);
      });

      it('that a hedge has beaten, as far as they came', async () => {
        const { clock, work, start, told } = measured();
        start();
        await clock.advance(430);
        work.succeed(1);
        await settle();
        work.succeed(0);
        await settle();

        expect(told).toEqual([430]);
      });

      it('that were cut after the delay, but not before it', async () => {
        const { clock, work, start, told } = measured();
        const [early, late] = [start(), start()];
        await clock.advance(399);
        early.call.abort('gone');
        await settle();
        expect(told).toEqual([]);
        await clock.advance(1);
        late.call.abort('gone');
        await settle();

        expect(told).toEqual([400]);
        expect(work.begun).toBe(3);
      });

      it('that ran out of time of their own, while a hedge goes on', async () => {
        const { clock, start, told } = measured({ perAttempt: 450 });
        const { result } = start();
        await clock.advance(500);
        expect(result.status).toBe('pending');
        expect(told).toEqual([450]);
        await clock.advance(500);

        expect(result.outcome).toBeInstanceOf(TimeoutException);
        expect(told).toEqual([450]);
      });

      it('not of those that were cut while nobody knows how long is long', async () => {
        const { clock, start, told } = measured({ after: { percentile: 95 } });
        const { call } = start();
        await clock.advance(5_000);
        call.abort('gone');
        await settle();

        expect(told).toEqual([]);
      });

      it('not of those that fail, nor of a hedge that answers in their place', async () => {
        const { clock, work, start, told } = measured();
        start();
        await clock.advance(450);
        work.fail(0);
        await settle();
        work.succeed(1);
        await settle();
        start();
        work.fail(2);
        await settle();

        expect(told).toEqual([]);
      });

      it('not of those that never began', async () => {
        const { clock, start, told } = measured({ inside: new Gate() });
        const { call } = start();
        await clock.advance(1_000);
        call.abort('gone');
        await settle();

        expect(told).toEqual([]);
      });

      it('only where a percentile is wanted', async () => {
        const { work, start, told } = measured({ after: 100 });
        start();
        work.succeed(0);
        await settle();

        expect(told).toEqual([]);
      });
    });

    it('needs a new timer only when the delay has changed', async () => {
      const scene = percentile({ percentile: 95, min: 100, max: 100 });
      await answer(scene, 200, 10);

      expect(scene.clock.pending).toBeLessThanOrEqual(1);
      expect(scene.clock.keepingAlive).toBe(0);
    });
  });
});
