import { describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { callOf } from '../../../../lib/kernel/call.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { guarded, limit, ManualWork, method, newCall, type Policy } from '../../../support/calls.js';
import { Gate } from '../../../support/guards.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** Tells of whoever hears of changes alone, as the log does. */
async function toldOfChanges(limitOf?: 'circuitBreaker'): Promise<string[]> {
  const environment = new TestEnvironment(false);
  const told: string[] = [];
  const nothing = (): void => undefined;
  environment.events.watchChanges({ changed: ({ type }) => void told.push(type), repeated: nothing });
  const timeout = attemptTimeout('Client.load', 100, environment, limitOf);
  void track(
    guarded({ 'timeout.perAttempt': timeout }, new ManualWork().run, { endsEarly: true })(newCall(environment)),
  );
  await environment.clock.advance(100);
  return told;
}

function setUp({ limited = true, inside }: { limited?: boolean; inside?: Policy } = {}) {
  const environment = new TestEnvironment();
  const timeout = limited ? attemptTimeout('Client.load', 100, environment) : undefined;
  const work = new ManualWork();
  const call = newCall(environment);
  /** As in every pipeline of an app, a cut ends the attempt. */
  const run = (attempt = call, body = work.run) =>
    guarded({ 'timeout.perAttempt': timeout, bulkhead: inside }, body, { endsEarly: true })(attempt);
  return { environment, clock: environment.clock, work, call, run };
}

describe('attemptTimeout', () => {
  it('tells those who hear of changes alone only of the limit that a breaker brings', async () => {
    expect(await toldOfChanges()).toEqual([]);
    expect(await toldOfChanges('circuitBreaker')).toEqual(['timeout']);
  });

  it('gives the value, when it comes in time', async () => {
    const { clock, run, work } = setUp();
    const result = track(run());

    await clock.advance(99);
    work.succeed(0, 'value');
    await settle();

    expect(result).toEqual({ status: 'fulfilled', outcome: 'value' });
  });

  it('gives the error, when it comes in time', async () => {
    const { run, work } = setUp();
    const error = new Error('no');
    const result = run();

    work.fail(0, error);

    expect(await errorOf(result)).toBe(error);
  });

  it('ends the attempt with a TimeoutException that carries the numbers, when its time is over', async () => {
    const { clock, run } = setUp();
    const result = track(run());

    await clock.advance(99);
    expect(result.status).toBe('pending');
    await clock.advance(1);

    expect(result.outcome).toBeInstanceOf(TimeoutException);
    expect(result.outcome).toMatchObject({
      code: 'TIMEOUT',
      policy: 'timeout',
      instanceName: 'Client.load',
      queued: false,
      refusal: false,
      details: { limitMs: 100, attempt: 1, scope: 'perAttempt' },
    });
    expect((result.outcome as TimeoutException).explanation).toContain('Client.load gave no answer within 100 ms');
  });

  it('tells a timeout', async () => {
    const { environment, clock, run } = setUp();
    track(run());

    await clock.advance(100);

    expect(environment.told).toStrictEqual([
      {
        type: 'timeout',
        name: 'Client.load',
        policy: 'timeout',
        limitMs: 100,
        scope: 'perAttempt',
        queued: false,
        at: clock.wallNow(),
      },
    ]);
  });

  it("says whose limit it was, when it is a breaker's", async () => {
    const environment = new TestEnvironment();
    const timeout = attemptTimeout('Client.load', 100, environment, 'circuitBreaker');
    const run = guarded({ 'timeout.perAttempt': timeout }, new ManualWork().run, { endsEarly: true });
    track(run(newCall(environment)));

    await environment.clock.advance(100);

    expect(environment.of('timeout')).toMatchObject([{ policy: 'timeout', limitOf: 'circuitBreaker' }]);
  });

  it('tells nothing, when the call ends in time', async () => {
    const { environment, clock, run, work } = setUp();
    track(run());

    work.succeed(0);
    await clock.advance(1_000);

    expect(environment.told).toEqual([]);
  });

  it("aborts the attempt's signal with the TimeoutException", async () => {
    const { clock, run, call } = setUp();
    const result = track(run());
    const { signal } = call;
    expect(signal.aborted).toBe(false);

    await clock.advance(100);

    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(result.outcome);
  });

  it('never aborts the signal because the call ended', async () => {
    const { clock, run, work, call } = setUp();
    track(run());

    work.succeed(0);
    await clock.advance(1_000);

    expect(call.signal.aborted).toBe(false);
  });

  it('gives each attempt a signal of its own', async () => {
    const { clock, run, call } = setUp();
    const first = call;

    track(run(first));
    await clock.advance(60);
    const second = callOf(call).nextAttempt();
    track(run(second));
    await clock.advance(40);

    expect(first.signal).not.toBe(second.signal);
    expect([first.signal.aborted, second.signal.aborted, callOf(call).signal.aborted]).toEqual([true, false, false]);
  });

  it.each(['resolves', 'rejects'])('drops a late result, when the method %s after all', async (how) => {
    const { clock, run, work } = setUp();
    const result = track(run());
    await clock.advance(100);

    if (how === 'resolves') work.succeed(0, 'late');
    else work.fail(0, new Error('late'));
    await settle();

    expect(result.outcome).toBeInstanceOf(TimeoutException);
  });

  it('rejects with its own error, when the method rejects because of the signal', async () => {
    const { clock, run, call } = setUp();
    const body = method(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted by the client')))),
    );
    const result = track(run(call, body));

    await clock.advance(100);

    expect(result.outcome).toBeInstanceOf(TimeoutException);
  });

  it('marks the timeout as queued, and as a refusal, when the method had not begun', async () => {
    const { environment, clock, run } = setUp({ inside: new Gate() });
    const result = track(run());

    await clock.advance(100);

    expect(result.outcome).toMatchObject({ queued: true, refusal: true });
    expect((result.outcome as TimeoutException).explanation).toContain('did not get its turn within 100 ms');
    expect(environment.of('timeout')).toMatchObject([{ queued: true }]);
  });

  it('bounds the wait and the run together', async () => {
    const gate = new Gate();
    const { clock, run } = setUp({ inside: gate });
    const result = track(run());
    await clock.advance(60);
    gate.open();

    await clock.advance(40);

    expect(result.outcome).toMatchObject({ code: 'TIMEOUT', queued: false });
  });

  it('puts its limit into the deadline of the call, but never extends it', () => {
    const { environment, clock, run, call } = setUp();
    const outer = newCall(environment);
    const hurried = newCall(environment, { outer });
    limit(outer, clock.now() + 30);

    track(run());
    track(run(hurried));

    expect(call.deadline).toBe(clock.now() + 100);
    expect(hurried.deadline).toBe(clock.now() + 30);
  });

  it('needs one timer for all calls at once', () => {
    const { environment, clock, run } = setUp();

    for (let index = 0; index < 50; index++) track(run(newCall(environment)));

    expect(clock.timersMade).toBe(1);
  });

  it('has no timer left that keeps the process alive, when its calls are done', async () => {
    const { clock, run, work } = setUp();
    track(run());

    work.succeed(0);
    await settle();

    expect(clock.keepingAlive).toBe(0);
  });

  it('lets an answer win that was waiting behind a blocked event loop', async () => {
    const { clock, run, work } = setUp();
    const result = track(run());

    clock.block(400);
    clock.fireDueTimers();
    work.succeed(0, 'from the socket');
    await settle();
    await clock.poll();

    expect(result.outcome).toBe('from the socket');
  });

  describe("and the caller's abort", () => {
    it.each([true, false])("ends the attempt at once with the signal's reason, with a limit: %s", async (limited) => {
      const { run, environment } = setUp({ limited });
      const controller = new AbortController();
      const call = newCall(environment, { signal: controller.signal });
      const result = track(run(call));
      await settle();

      controller.abort('gone');
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
      expect(call.signal.reason).toBe('gone');
      expect(environment.told).toEqual([]);
    });

    it('does not begin, when the call was aborted before', async () => {
      const { run, work, call } = setUp();
      call.abort('gone');

      const result = run();

      await expect(result).rejects.toBe('gone');
      expect(work.begun).toBe(0);
    });

    it('drops what the method does later', async () => {
      const { run, work, call } = setUp();
      const result = track(run());

      call.abort('gone');
      work.succeed(0);
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    });

    it('has no limit to keep after it', async () => {
      const { environment, clock, run, call } = setUp();
      track(run());

      call.abort('gone');
      await clock.advance(1_000);

      expect(environment.told).toEqual([]);
      expect(clock.keepingAlive).toBe(0);
    });
  });

  describe('without a limit', () => {
    it('adds nothing to a call that nobody can cut', () => {
      const { clock, call, run } = setUp({ limited: false });

      track(run());

      expect([call.bounded, call.deadline, clock.timersMade]).toEqual([false, Infinity, 0]);
    });
  });

  describe('on a stream', () => {
    it('bounds the time to each next item', async () => {
      const { clock, run, call } = setUp();
      const result = track(run());

      for (let item = 0; item < 5; item++) {
        await clock.advance(90);
        call.course.item(call);
        call.course.wanted(call);
      }
      expect(result.status).toBe('pending');
      await clock.advance(100);

      expect(result.outcome).toBeInstanceOf(TimeoutException);
    });

    it('owes no item, while nobody asks for one', async () => {
      const { clock, run, call } = setUp();
      const result = track(run());

      call.course.item(call);
      await clock.advance(10_000);
      expect(result.status).toBe('pending');
      call.course.wanted(call);
      await clock.advance(100);

      expect(result.outcome).toBeInstanceOf(TimeoutException);
    });

    it('does not begin a new limit, once the call is done', async () => {
      const { clock, run, work, call } = setUp();
      track(run());
      work.succeed(0);
      await settle();

      call.course.wanted(call);

      expect(clock.keepingAlive).toBe(0);
    });
  });
});
