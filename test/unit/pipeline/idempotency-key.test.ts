import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf } from '../../../lib/kernel/call.js';
import { idempotencyKeyOf } from '../../../lib/pipeline/idempotency-key.js';
import { newCall, type Given } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
let made = 0;

interface Kind {
  readonly name?: string;
  readonly idempotent?: boolean;
}

/** An attempt of a method; one that is idempotent gets a key of its own at each call. */
function attemptOf(given: Given = {}, { name = 'load', idempotent = true }: Kind = {}): Attempt {
  const attempt = newCall(environment, given);
  const idempotencyKey = idempotent ? ([id = name]: readonly unknown[]) => `${id as string}-${++made}` : undefined;
  const { course } = attempt;
  const target = { ...course.target, methodName: name, idempotencyKey };
  attempt.course = Object.assign(Object.create(course) as typeof course, { target });
  return attempt;
}

describe('the key of a call', () => {
  it('is undefined where neither it nor one around it is idempotent', () => {
    const outer = attemptOf({}, { idempotent: false });

    expect(idempotencyKeyOf(attemptOf({ outer }, { idempotent: false }))).toBeUndefined();
  });

  it('is the same for all attempts of the call, and another one for the next call', () => {
    const first = attemptOf({ args: ['order'] });
    const key = idempotencyKeyOf(first);

    expect(key).toMatch(/^order-\d+$/);
    expect(idempotencyKeyOf(first)).toBe(key);
    expect(idempotencyKeyOf(callOf(first).nextAttempt())).toBe(key);
    expect(idempotencyKeyOf(attemptOf({ args: ['order'] }))).not.toBe(key);
  });

  it('is that of the nearest call around', () => {
    const outermost = attemptOf({}, { name: 'outermost' });
    const outer = attemptOf({ outer: outermost }, { name: 'outer' });
    const inner = attemptOf({ outer }, { name: 'inner', idempotent: false });

    expect(idempotencyKeyOf(inner)).toBe(idempotencyKeyOf(outer));
    expect(idempotencyKeyOf(outer)).toMatch(/^outer-/);
    expect(idempotencyKeyOf(outermost)).toMatch(/^outermost-/);
  });

  it('is that of the whole, for each of its attempts beside each other', () => {
    const whole = attemptOf();
    const [one, other] = [1, 2].map(() => {
      const part = attemptOf({ outer: whole });
      part.rarely().isPart = true;
      return part;
    });

    const key = idempotencyKeyOf(whole);
    expect([idempotencyKeyOf(one as Attempt), idempotencyKeyOf(other as Attempt)]).toEqual([key, key]);
  });

  it('is that of the caller who began a run that others share', () => {
    const first = attemptOf();
    const run = attemptOf({}, { name: 'run' });
    run.rarely().startedBy = first;

    expect(idempotencyKeyOf(run)).toBe(idempotencyKeyOf(first));
  });

  it('is that of the request, where an interceptor calls the handler anew for each attempt', () => {
    const handler = attemptOf({ context: {} });
    expect(idempotencyKeyOf(attemptOf({ outer: handler }))).toBe(idempotencyKeyOf(handler));

    // Another method, or one that no interceptor calls, is a call of its own.
    expect(idempotencyKeyOf(attemptOf({ outer: handler }, { name: 'save' }))).toMatch(/^save-/);
    const direct = attemptOf();
    expect(idempotencyKeyOf(attemptOf({ outer: direct }))).not.toBe(idempotencyKeyOf(direct));
  });

  it('is that of the request for the same method alone of the same class', () => {
    const handler = attemptOf({ context: {} });
    const other = attemptOf({ outer: handler });
    Object.assign(other.course.target, { className: 'Other' });

    expect(idempotencyKeyOf(other)).not.toBe(idempotencyKeyOf(handler));
  });
});
