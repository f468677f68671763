import { describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { callOf } from '../../../../lib/kernel/call.js';
import { TotalTimeoutDecision } from '../../../../lib/policies/timeout/total-timeout.decision.js';
import { guarded, ManualWork, newCall, type Policy } from '../../../support/calls.js';
import { Gate } from '../../../support/guards.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** As in every pipeline of an app, a cut ends the attempt. */
function setUp(inside?: Policy) {
  const environment = new TestEnvironment();
  const total = new TotalTimeoutDecision('Client.load', 1_000, environment);
  const work = new ManualWork();
  const attempt = newCall(environment);
  const run = guarded({ 'timeout.total': total, bulkhead: inside }, work.run, { endsEarly: true });
  const execute = (one = attempt) => run(one);
  return { environment, clock: environment.clock, work, call: callOf(attempt), execute };
}

describe('TotalTimeoutDecision', () => {
  it('gives the value or the error, when it comes in time', async () => {
    const { environment, clock, work, execute } = setUp();
    const [value, error] = [track(execute()), track(execute(newCall(environment)))];

    await clock.advance(999);
    work.succeed(0, 'value');
    work.fail(1, 'error');
    await settle();

    expect([value.outcome, error.outcome]).toEqual(['value', 'error']);
  });

  it('ends the call with a TimeoutException that carries the numbers, when its time is over', async () => {
    const { environment, clock, execute } = setUp();
    const result = track(execute());

    await clock.advance(999);
    expect(result.status).toBe('pending');
    await clock.advance(1);

    expect(result.outcome).toBeInstanceOf(TimeoutException);
    expect(result.outcome).toMatchObject({ queued: false, details: { limitMs: 1_000, scope: 'total' } });
    expect(environment.of('timeout')).toMatchObject([{ limitMs: 1_000, scope: 'total', name: 'Client.load' }]);
  });

  it('cuts the attempt with the TimeoutException as the reason', async () => {
    const { clock, work, execute } = setUp();
    const result = track(execute());
    await settle();

    await clock.advance(1_000);

    expect(work.calls[0]?.signal.reason).toBe(result.outcome);
  });

  it('leaves the call around it whole, so that a fallback can work', async () => {
    const { clock, call, execute } = setUp();
    track(execute());

    await clock.advance(1_000);

    expect([call.aborted, call.signal.aborted, call.deadline]).toEqual([false, false, Infinity]);
  });

  it('is the deadline of every attempt inside', async () => {
    const { clock, work, execute } = setUp();
    const due = clock.now() + 1_000;

    track(execute());
    await settle();

    expect(work.calls[0]?.deadline).toBe(due);
  });

  it('marks the timeout as queued, and as a refusal, when the method had not begun', async () => {
    const { environment, clock, execute } = setUp(new Gate());
    const result = track(execute());

    await clock.advance(1_000);

    expect(result.outcome).toMatchObject({ code: 'TIMEOUT', queued: true, refusal: true });
    expect(environment.of('timeout')).toMatchObject([{ scope: 'total', queued: true }]);
  });

  it("leaves the caller's abort its reason", async () => {
    const { environment, clock, call, execute } = setUp();
    const result = execute();

    call.abort('gone');

    expect(await errorOf(result)).toBe('gone');
    await clock.advance(2_000);
    expect(environment.told).toEqual([]);
  });

  it('bounds a stream up to its first item', async () => {
    const { clock, work, execute } = setUp();
    const result = track(execute());
    await clock.advance(900);

    const [attempt] = work.calls;
    attempt?.course.item(attempt);
    await clock.advance(5_000);

    expect(result.status).toBe('pending');
    expect(clock.keepingAlive).toBe(0);
  });

  it('has no timer left that keeps the process alive, when its calls are done', async () => {
    const { clock, work, execute } = setUp();
    track(execute());
    await settle();

    work.succeed(0);
    await settle();

    expect(clock.keepingAlive).toBe(0);
  });
});
