import { describe, expect, it } from 'vitest';
import { FasterAttemptError } from '../../../../lib/kernel/call-info.js';
import { anyOf } from '../../../../lib/policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { slowCallRate } from '../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import { guarded, ManualWork, newCall } from '../../../support/calls.js';
import { Gate } from '../../../support/guards.js';
import { settle } from '../../../support/settle.js';
import { BreakerScene } from '../../../support/breaker-scene.js';

/** Makes `count` calls that are cut after `ms`, since another attempt was faster. */
async function lose(scene: BreakerScene, count: number, ms: number): Promise<void> {
  for (let one = 0; one < count; one++) {
    const { call } = scene.begin({ signal: new AbortController().signal });
    await settle();
    scene.clock.block(ms);
    call.abort(new FasterAttemptError());
    await settle();
  }
}

const slow = slowCallRate({ slowerThan: 100, percentage: 50 });

describe('an attempt that lost against a faster one', () => {
  it('counts nowhere, and says why', async () => {
    const scene = new BreakerScene({ volumeThreshold: 1 });
    await lose(scene, 5, 1_000);

    expect(scene.stats).toMatchObject({ fires: 5, successes: 0, failures: 0, timeouts: 0 });
    expect(scene.state).toBe('closed');
    expect(scene.environment.of('ignored')[0]).toMatchObject({ reason: 'a faster attempt answered' });
  });

  it.each([
    ['alone', slow],
    ['among others', anyOf(consecutiveFailures(50), slow)],
  ])('counts as slow, if it was, for a strategy %s', async (_which, trip) => {
    const scene = new BreakerScene({ trip, volumeThreshold: 10 });
    await lose(scene, 9, 150);
    expect(scene.state).toBe('closed');
    await lose(scene, 1, 150);

    expect(scene.state).toBe('open');
    expect(scene.stats).toMatchObject({ successes: 0, failures: 0 });
  });

  it('reopens as a probe that was slow, and hands its permit back if it was not', async () => {
    const scene = new BreakerScene({ trip: slow, volumeThreshold: 1 });
    await scene.succeed(1, 150);
    await scene.clock.advance(30_000);

    await lose(scene, 3, 50);
    expect(scene.state).toBe('halfOpen');
    await lose(scene, 1, 150);

    expect(scene.state).toBe('open');
  });

  it('is no call at all, if it was not slow yet', async () => {
    const scene = new BreakerScene({ trip: slow, volumeThreshold: 10 });
    await lose(scene, 9, 150);
    await lose(scene, 20, 50);
    expect(scene.state).toBe('closed');
    await lose(scene, 1, 150);

    expect(scene.state).toBe('open');
  });

  it('says nothing about the dependency, if it never began', async () => {
    const scene = new BreakerScene({ trip: slow, volumeThreshold: 1 });
    const call = newCall(scene.environment);
    const policies = { circuitBreaker: scene.guard, bulkhead: new Gate() };
    const waiting = guarded(policies, new ManualWork().run)(call);
    waiting.catch(() => undefined);
    scene.clock.block(1_000);
    call.abort(new FasterAttemptError());
    await settle();

    expect(scene.state).toBe('closed');
  });

  it('hands back the permit of a half-open breaker', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1), resetTimeout: 1_000 });
    await scene.fail();
    scene.clock.block(1_000);
    await lose(scene, 1, 10);

    expect(scene.state).toBe('halfOpen');
    expect(await scene.lets()).toBe(true);
  });

  it('does not count in a state that it did not begin in', async () => {
    const scene = new BreakerScene({ trip: slow, volumeThreshold: 1 });
    const { call } = scene.begin({ signal: new AbortController().signal });
    await settle();
    scene.clock.block(500);
    scene.breaker.reset();
    call.abort(new FasterAttemptError());
    await settle();

    expect(scene.state).toBe('closed');
  });

  it('does not hang its call, when a strategy throws', async () => {
    const trip = {
      name: 'broken',
      shouldTrip: () => false,
      recordLost: () => {
        throw new Error('broken');
      },
    };
    const scene = new BreakerScene({ trip: { ...trip, track: () => trip } });
    const { call, result } = scene.begin({ signal: new AbortController().signal });
    await settle();
    call.abort(new FasterAttemptError());
    await settle();

    expect(result.status).toBe('rejected');
    expect(scene.environment.reports).toMatchObject([{ place: 'payments, trip strategy' }]);
  });
});

describe('isClosedFor', () => {
  it('is true while calls pass freely: closed, disabled, or only watched', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1) });
    const asks = () => scene.named.isClosedFor(newCall(scene.environment));
    expect(asks()).toBe(true);
    await scene.fail();
    expect(asks()).toBe(false);
    scene.clock.block(30_000);
    expect(asks()).toBe(false);
    scene.breaker.disable();
    expect(asks()).toBe(true);

    const shadow = new BreakerScene({ trip: consecutiveFailures(1), mode: 'metricsOnly' });
    await shadow.fail();
    expect(shadow.named.isClosedFor(newCall(shadow.environment))).toBe(true);
  });

  it('is asked for the breaker of the key', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1), key: (id: string) => id });
    await scene.fail(1, new Error('boom'), { args: ['a'] });

    expect(scene.named.isClosedFor(newCall(scene.environment, { args: ['a'] }))).toBe(false);
    expect(scene.named.isClosedFor(newCall(scene.environment, { args: ['b'] }))).toBe(true);
  });
});
