import { beforeAll, describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf } from '../../../lib/kernel/call.js';
import { enableCallContext, inCall } from '../../../lib/pipeline/current-call.js';
import { Incoming } from '../../../lib/pipeline/incoming-call.js';
import { outgoing } from '../../../lib/pipeline/outgoing.js';
import { limit, newCall, type Given } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();

function attemptOf(target: object = {}, given: Given = {}): Attempt {
  const attempt = newCall({ ...environment, callContext: true }, given);
  const { course } = attempt;
  attempt.course = Object.assign(Object.create(course) as typeof course, { target: { ...course.target, ...target } });
  return attempt;
}

const within = (attempt: Attempt) => inCall(attempt, () => outgoing());

beforeAll(enableCallContext);

describe('what a call hands on to what it calls', () => {
  it('is nothing outside of guarded calls', () => {
    expect(outgoing()).toBeUndefined();
  });

  it('is its signal, and no header where nothing bounds it and nothing repeats it', () => {
    const attempt = attemptOf();

    expect(within(attempt)).toMatchObject({ timeLeft: Infinity, headers: {} });
    expect(within(attempt)?.headers).toEqual({});
    expect(within(attempt)?.signal).toBe(attempt.signal);
  });

  it('is the time that it has left', () => {
    const attempt = attemptOf();
    limit(attempt, environment.clock.now() + 800);
    environment.clock.block(300);

    expect(within(attempt)).toMatchObject({ timeLeft: 500, headers: { 'x-request-timeout': '500m' } });
  });

  it('is the number of the attempt of the nearest layer that repeats', () => {
    const outer = callOf(attemptOf({ retries: true })).nextAttempt();
    const inner = attemptOf({}, { outer });
    const headersIn = (attempt: Attempt) => within(attempt)?.headers;

    expect(headersIn(outer)).toEqual({ 'x-retry-attempt': '2' });
    expect(headersIn(inner)).toEqual({ 'x-retry-attempt': '2' });
    const repeating = attemptOf({ retries: true }, { outer });
    expect(headersIn(repeating)).toEqual({ 'x-retry-attempt': '1' });
  });

  it('is the number of the attempt where whoever sent the request makes it again', () => {
    const attempt = attemptOf();
    attempt.rarely().callerRetries = true;

    expect(within(attempt)?.headers).toEqual({ 'x-retry-attempt': '1' });
  });

  it('is the key by which the dependency knows a repetition', () => {
    expect(within(attemptOf({ idempotencyKey: () => 'order-7' }))?.headers).toEqual({ 'idempotency-key': 'order-7' });
  });

  it('is the error of a request whose time is over, in place of the answer of the dependency', () => {
    const { clock, lifecycle } = environment;
    const incoming = new Incoming(clock, lifecycle).begin();
    incoming.limit(100);
    const seen = incoming.run(() => outgoing());
    expect(seen?.instead()).toBeUndefined();

    clock.block(99);

    expect(seen?.instead()).toBeInstanceOf(TimeoutException);
    incoming.end();
  });
});
