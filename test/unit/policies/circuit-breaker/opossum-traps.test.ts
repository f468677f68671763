import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Breaker } from '../../../../lib/policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../../../lib/policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BULKHEAD_DEFAULTS } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { execute, guarded, ManualWork, method, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const RESET = 30_000;
const once = consecutiveFailures(1);

afterEach(() => vi.restoreAllMocks());

/** The traps of opossum's `fire()`, in the order of design.md, section 3. */
describe('what opossum does, and a breaker here does not', () => {
  it('1: a failure looks at nothing but the sums of the window, however many calls are in it', async () => {
    const scene = new BreakerScene({ errorThresholdPercentage: 100 });
    await scene.succeed(200);
    const sort = vi.spyOn(Array.prototype, 'sort');
    const percentiles = vi.spyOn(scene.breaker.core, 'stats', 'get');

    await scene.fail(10);

    // Whoever runs the test may sort something of his own meanwhile.
    const sorted = sort.mock.contexts.filter((list) => (list as unknown[]).length >= 200);
    expect([sorted.length, percentiles.mock.calls.length]).toEqual([0, 0]);
  });

  it('2: no latency is kept by itself', async () => {
    const scene = new BreakerScene();

    await scene.succeed(500, 10);

    expect(scene.stats.latencyTimes).toEqual([]);
  });

  it('3: a breaker has no interval and no timer', () => {
    const interval = vi.spyOn(globalThis, 'setInterval');
    const timeout = vi.spyOn(globalThis, 'setTimeout');

    new BreakerScene({ allowWarmUp: true });

    expect([interval.mock.calls.length, timeout.mock.calls.length]).toEqual([0, 0]);
  });

  it('4: calls that began before the trip neither close nor reopen it in half-open', async () => {
    const scene = new BreakerScene({ trip: once });
    const [good, bad] = [scene.begin(), scene.begin()];
    await scene.fail();
    await scene.clock.advance(RESET);
    const states: string[] = [];

    await good.succeed();
    states.push(scene.state);
    await bad.fail();
    states.push(scene.state);

    expect(states).toEqual(['halfOpen', 'halfOpen']);
  });

  it('5: a filtered error does not close it', async () => {
    const scene = new BreakerScene({ trip: once, errorFilter: (error) => error === 'filtered' });
    await scene.fail();
    await scene.clock.advance(RESET);

    await scene.fail(1, 'filtered');

    expect(scene.state).toBe('halfOpen');
  });

  it('6: a threshold of 100 trips', async () => {
    const scene = new BreakerScene({ errorThresholdPercentage: 100 });

    await scene.fail(10);

    expect(scene.state).toBe('open');
  });

  it('7: refusals do not dilute the rate', async () => {
    const scene = new BreakerScene({ volumeThreshold: 4, resetTimeout: 100 });
    await scene.fail(4);
    for (let index = 0; index < 50; index++) await scene.lets();
    await scene.clock.advance(100);
    await scene.succeed();

    await scene.succeed(2);
    await scene.fail(2);

    expect(scene.state).toBe('open');
  });

  it('8: a full bulkhead does not trip it', async () => {
    const scene = new BreakerScene({ volumeThreshold: 1 });
    const bulkhead = new BulkheadGuard('b', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1 }, scene.environment);
    const work = new ManualWork();

    for (let index = 0; index < 50; index++) {
      track(guarded({ circuitBreaker: scene.guard, bulkhead }, work.run)(newCall(scene.environment)));
    }
    await settle();

    expect(scene.state).toBe('closed');
    expect(scene.stats).toMatchObject({ fires: 50, failures: 0, semaphoreRejections: 49 });
  });

  it('9: a timeout does not free capacity, while the work goes on', async () => {
    const environment = new TestEnvironment();
    const bulkhead = new BulkheadGuard('b', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1 }, environment);
    const timeout = attemptTimeout('t', 100, environment);
    const work = new ManualWork();
    const policies = { 'timeout.perAttempt': timeout, bulkhead };
    track(guarded(policies, work.run, { endsEarly: true })(newCall(environment)));

    await environment.clock.advance(100);

    expect(bulkhead.active).toBe(1);
  });

  it('10: a hung probe does not block for ever', async () => {
    const scene = new BreakerScene({ trip: once });
    await scene.fail();
    await scene.clock.advance(RESET);
    scene.begin();

    await scene.clock.advance(CIRCUIT_BREAKER_DEFAULTS.halfOpenMaxWait + RESET);

    expect(await scene.lets()).toBe(true);
  });

  it('11: lastTimerAt is the time of the opening, and a restored breaker waits only what was left', async () => {
    const scene = new BreakerScene({ trip: once });
    await scene.clock.advance(5_000);
    const openedAt = scene.clock.wallNow();
    await scene.fail();
    await scene.clock.advance(RESET - 1_000);
    const restored = new BreakerScene({ trip: once });
    await restored.clock.advance(5_000 + RESET - 1_000);

    restored.breaker.restore(scene.breaker.snapshot());
    await restored.clock.advance(1_000);

    expect(scene.breaker.toJSON().state['lastTimerAt']).toBe(openedAt);
    expect(restored.state).toBe('halfOpen');
  });

  it('12: a synchronous undefined is a success', async () => {
    const scene = new BreakerScene();

    const result = await execute(
      scene.guard,
      newCall(scene.environment),
      method(() => undefined),
    );

    expect(result).toBeUndefined();
    expect(scene.stats).toMatchObject({ successes: 1, failures: 0 });
  });

  it('13: an errorFilter that throws does not hang the call', async () => {
    const scene = new BreakerScene({
      errorFilter: () => {
        throw new Error('mine');
      },
    });
    const running = scene.begin();

    await running.fail('no');

    expect(running.result).toEqual({ status: 'rejected', outcome: 'no' });
  });

  it('14: the options are not changed', () => {
    const options = { ...CIRCUIT_BREAKER_DEFAULTS };

    new Breaker(new BreakerCore({ name: 'b', options, environment: new TestEnvironment() }));

    expect(options).toEqual(CIRCUIT_BREAKER_DEFAULTS);
  });

  it('15: nothing is set going in the context of the request that made or tripped it', async () => {
    const context = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    for (const name of ['setTimeout', 'setInterval'] as const) {
      vi.spyOn(globalThis, name).mockImplementation((() => {
        stores.push(context.getStore());
        return { ref: () => {}, unref: () => {} };
      }) as never);
    }
    const { systemClock } = await import('../../../../lib/kernel/clock.js');
    const told: string[] = [];
    const environment = Object.assign(Object.create(new TestEnvironment()) as TestEnvironment, { clock: systemClock });
    environment.events.subscribe(({ type }) => told.push(type));

    await context.run('the request', async () => {
      const breaker = new Breaker(
        new BreakerCore({ name: 'b', options: { ...CIRCUIT_BREAKER_DEFAULTS, trip: once }, environment }),
      );
      await breaker.fire(() => Promise.reject(new Error('no'))).catch(() => {});
    });

    expect(told).toContain('stateChange');
    expect(stores.length).toBeGreaterThan(0);
    expect(stores.filter((store) => store !== undefined)).toEqual([]);
  });

  it('16: each call has an AbortController of its own', async () => {
    const scene = new BreakerScene();
    const [one, other] = [scene.begin({}, 100), scene.begin({}, 200)];

    await scene.clock.advance(100);

    expect([one.call.signal.aborted, other.call.signal.aborted]).toEqual([true, false]);
  });
});
