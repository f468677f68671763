import { HttpException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CallThrottledException } from '../../../../lib/errors/call-throttled.exception.js';
import { AdaptiveThrottleGuard } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.guard.js';
import { AdaptiveThrottle } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.js';
import {
  ADAPTIVE_THROTTLE_DEFAULTS,
  type AdaptiveThrottleOptions,
} from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';
import { execute, ManualWork, method, newCall } from '../../../support/calls.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp(options: AdaptiveThrottleOptions = {}, random = () => 0) {
  const environment = Object.assign(new TestEnvironment(), { random });
  const throttle = new AdaptiveThrottle('search', { ...ADAPTIVE_THROTTLE_DEFAULTS, ...options }, environment);
  const guard = new AdaptiveThrottleGuard(throttle, environment.clock);
  const call = (outcome: unknown, prepare?: (call: ReturnType<typeof newCall>) => void): Promise<unknown> => {
    const attempt = newCall(environment);
    prepare?.(attempt);
    return execute(
      guard,
      attempt,
      method(() => (outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome))),
    );
  };
  const make = async (count: number, outcome: unknown): Promise<void> => {
    for (let i = 0; i < count; i++) await call(outcome).catch(() => undefined);
  };
  return { environment, throttle, call, make };
}

const down = new Error('down');

describe('AdaptiveThrottleGuard', () => {
  it('asks for no random number while the dependency is well', async () => {
    const { make, throttle } = setUp({}, () => expect.fail('it asked'));

    await make(100, 'value');
    await make(100, down);

    expect([throttle.requests, throttle.accepts]).toEqual([200, 100]);
  });

  it('refuses the share of the book, what it has refused included', async () => {
    let chance = 1;
    const { environment, make, throttle, call } = setUp({}, () => chance);
    await make(10, 'value');
    await make(20, down);
    chance = 0;
    expect(throttle.refusedShareAt(environment.clock.now())).toBeCloseTo((30 - 2 * 10) / 31);

    await expect(call('value')).rejects.toThrow(CallThrottledException);

    expect([throttle.requests, throttle.accepts]).toEqual([31, 10]);
    expect(environment.of('refused')).toMatchObject([
      { name: 'search', policy: 'adaptiveThrottle', code: 'CALL_THROTTLED', details: { requests: 30, accepts: 10 } },
    ]);
  });

  it('refuses by chance, and never more than the most', async () => {
    let next = 0;
    const { make, call } = setUp({ maxRefusedPercentage: 50, volumeThreshold: 1 }, () => next);
    await make(50, down);

    next = 0.49;
    await expect(call('value')).rejects.toThrow(CallThrottledException);
    next = 0.5;
    await expect(call('value')).resolves.toBe('value');
  });

  it('refuses nothing before it has seen enough, and forgets with its window', async () => {
    const { environment, make, call } = setUp({ volumeThreshold: 3, window: 10_000 });
    await make(2, down);
    await expect(call('value')).resolves.toBe('value');
    await make(5, down);
    await expect(call('value')).rejects.toThrow(CallThrottledException);

    await environment.clock.advance(10_500);

    await expect(call('value')).resolves.toBe('value');
  });

  it('takes an answer that says no for accepted, and counts nothing that says nothing of the dependency', async () => {
    const { throttle, make, call } = setUp();

    await make(1, new HttpException('no', 404));
    await make(1, new CallThrottledException({ policy: 'x', instanceName: 'x', message: 'x' }));
    await call('value', (attempt) => attempt.abort(new Error('gone'))).catch(() => undefined);

    expect([throttle.requests, throttle.accepts]).toEqual([1, 1]);
  });

  it('leaves the probe of a breaker alone', async () => {
    const { make, call } = setUp();
    await make(20, down);

    await expect(call('value', (attempt) => (attempt.rarely().probe = true))).resolves.toBe('value');
  });

  it('only tells in the shadow', async () => {
    const { environment, make, call, throttle } = setUp({ mode: 'metricsOnly' });
    await make(20, down);

    await expect(call('value')).resolves.toBe('value');

    expect(environment.of('refused').at(-1)).toMatchObject({ metricsOnly: true });
    expect(throttle.requests).toBe(21);
  });

  it('takes on other options, and keeps what it has counted unless the window differs', async () => {
    const { make, throttle } = setUp();
    await make(20, down);

    throttle.reconfigure({ ...throttle.options, factor: 3 });
    expect(throttle.requests).toBe(20);
    throttle.reconfigure({ ...throttle.options, window: 5_000 });
    expect(throttle.requests).toBe(0);
  });

  it('lets what is under way already begin, and leaves what is told of an attempt to that alone', async () => {
    const { make, call } = setUp();
    await make(20, down);

    await expect(call('value', (attempt) => (attempt.rarely().underway = true))).resolves.toBe('value');
    await expect(call('value', (attempt) => void attempt.rarely())).rejects.toThrow(CallThrottledException);
  });

  it.each([
    ['a success at the moment when it began', 'value', 0],
    ['a failure at the moment when it ended', down, 1],
  ])('counts %s', async (_what, end, left) => {
    const { environment, throttle } = setUp({ window: 10_000 });
    const work = new ManualWork();
    const guard = new AdaptiveThrottleGuard(throttle, environment.clock);
    const running = execute(guard, newCall(environment), work.run).catch(() => undefined);
    await environment.clock.advance(9_000);
    if (end instanceof Error) work.fail(0, end);
    else work.succeed(0, end);
    await running;
    expect(throttle.requests).toBe(1);

    throttle.refusedShareAt(environment.clock.now() + 2_000);

    expect(throttle.requests).toBe(left);
  });

  it('does not refuse at the edge of what it forgives, nor below its volume', async () => {
    const { environment, make, throttle } = setUp({ volumeThreshold: 10 }, () => 1);
    const share = () => throttle.refusedShareAt(environment.clock.now());
    await make(9, down);
    expect(share()).toBe(0);
    await make(1, down);
    expect(share()).toBeCloseTo(0.9);
    await make(10, 'value');
    expect(share()).toBe(0);
  });

  it('says how much it refuses, and of what, in words', async () => {
    const { make, call } = setUp({ volumeThreshold: 1 });
    await make(3, down);

    const error = await call('value').catch((reason: unknown) => reason);

    expect(error).toMatchObject({
      explanation: 'search takes too few of its calls, so 75 % are refused here: it accepted 0 of 3 within 60000 ms',
    });
  });

  it('tells nobody, where nobody listens', async () => {
    const { environment, make, call } = setUp();
    await make(20, down);
    environment.told.length = 0;
    const silent = new TestEnvironment(false);
    const throttle = new AdaptiveThrottle(
      'search',
      ADAPTIVE_THROTTLE_DEFAULTS,
      Object.assign(silent, { random: () => 0 }),
    );
    for (let i = 0; i < 20; i++) throttle.ended(false, silent.clock.now());

    expect(throttle.refusal(silent.clock.now())).toBeInstanceOf(CallThrottledException);
    expect(silent.told).toEqual([]);
    await expect(call('value')).rejects.toThrow(CallThrottledException);
    expect(environment.of('refused')).toEqual([expect.not.objectContaining({ metricsOnly: true })]);
  });
});
