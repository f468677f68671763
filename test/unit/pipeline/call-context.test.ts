import { beforeAll, describe, expect, it } from 'vitest';
import { callOf } from '../../../lib/kernel/call.js';
import { currentCall, enableCallContext, inCall, outerCall, runAround } from '../../../lib/pipeline/current-call.js';
import { limit, newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const app = { clock: environment.clock, callContext: true };

beforeAll(enableCallContext);

describe('the running call', () => {
  it('is the attempt that runs, with its number and its signal', async () => {
    const attempt = callOf(newCall(app)).nextAttempt();

    const seen = await inCall(attempt, async () => {
      await Promise.resolve();
      return currentCall();
    });

    expect([seen?.attempt, seen?.signal]).toEqual([2, attempt.signal]);
    expect([currentCall(), outerCall()]).toEqual([undefined, undefined]);
  });

  it('is handed to the code that runs in it', () => {
    const attempt = newCall(app);

    expect(inCall(attempt, (one) => [one, outerCall()])).toEqual([attempt, attempt]);
  });

  it('is unknown where the app has not asked for it', () => {
    const attempt = newCall(environment);

    expect(inCall(attempt, (one) => [one, outerCall()])).toEqual([attempt, undefined]);
  });

  it('may be one around work that is no guarded call', () => {
    const around = newCall(app);

    expect(runAround(around, () => outerCall())).toBe(around);
  });

  it('has a deadline in epoch ms, and the time left until it, never below 0', () => {
    const call = newCall(app);
    limit(call, environment.clock.now() + 800);
    const seen = inCall(call, () => currentCall());
    environment.clock.block(300);

    expect([seen?.deadline, seen?.timeLeft()]).toEqual([environment.clock.wallNow() + 500, 500]);
    environment.clock.block(900);
    expect(seen?.timeLeft()).toBe(0);
  });

  it('has none where nothing bounds it', () => {
    const seen = inCall(newCall(app), () => currentCall());

    expect([seen?.deadline, seen?.timeLeft()]).toEqual([undefined, Infinity]);
  });

  it('says how old the oldest last good answer is that it was given', () => {
    const call = newCall(app);
    const seen = inCall(call, () => currentCall());
    expect(seen?.staleMs).toBeUndefined();

    call.rarely().staleMs = 700;

    expect(seen?.staleMs).toBe(700);
  });

  it('has the key by which a dependency knows a repetition', () => {
    const call = newCall(app);
    expect(inCall(call, () => currentCall())?.idempotencyKey).toBeUndefined();
    const target = { ...call.course.target, idempotencyKey: () => 'order-7' };
    call.course = Object.assign(Object.create(call.course) as typeof call.course, { target });

    expect(inCall(call, () => currentCall())?.idempotencyKey).toBe('order-7');
  });
});
