import { describe, expect, it, vi } from 'vitest';
import { Breaker } from '../../../../lib/policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../../../lib/policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { thrownBy } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp() {
  const environment = new TestEnvironment();
  const breaker = new Breaker(new BreakerCore({ name: 'upstream', options: CIRCUIT_BREAKER_DEFAULTS, environment }));
  return { environment, breaker, clock: environment.clock };
}

describe("a breaker's health check", () => {
  it('is asked at once and then in its interval, without keeping the process alive', async () => {
    const { breaker, clock } = setUp();
    const check = vi.fn(() => Promise.resolve());

    breaker.healthCheck(check, 1_000);
    await clock.advance(3_500);

    expect(check).toHaveBeenCalledTimes(4);
    expect(check.mock.contexts[0]).toBe(breaker);
    expect([breaker.opened, clock.keepingAlive]).toEqual([false, 0]);
  });

  it('opens the breaker, when it fails in either way', async () => {
    for (const failing of [
      () => Promise.reject(new Error('ill')),
      () => {
        throw new Error('ill');
      },
    ]) {
      const { breaker, clock } = setUp();
      const told = vi.fn();
      breaker.on('healthCheckFailed', told);

      breaker.healthCheck(failing);
      await clock.advance(0);

      expect(breaker.opened).toBe(true);
      expect(told).toHaveBeenCalledWith(new Error('ill'));
    }
  });

  it.each([
    { end: 'the app shuts down', stop: ({ environment }: ReturnType<typeof setUp>) => environment.lifecycle.dispose() },
    { end: 'the breaker is shut down', stop: ({ breaker }: ReturnType<typeof setUp>) => breaker.shutdown() },
    { end: 'the breaker is no longer in use', stop: ({ breaker }: ReturnType<typeof setUp>) => breaker.core.retire() },
  ])('ends with all others, when $end', async ({ stop }) => {
    const scene = setUp();
    const checks = [vi.fn(), vi.fn()];
    for (const check of checks) scene.breaker.healthCheck(check, 1_000);
    await scene.clock.advance(0);

    stop(scene);
    await scene.clock.advance(10_000);

    expect(checks.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    expect(scene.clock.pending).toBe(0);
  });

  it('does not begin after the app has shut down', async () => {
    const { environment, breaker, clock } = setUp();
    environment.lifecycle.dispose();

    breaker.healthCheck(() => Promise.reject(new Error('ill')));
    await clock.advance(0);

    expect([breaker.opened, clock.timersMade]).toEqual([false, 0]);
  });

  it('is asked every 5 s where nothing is said, and 0 says nothing', async () => {
    for (const interval of [undefined, 0]) {
      const { breaker, clock } = setUp();
      const check = vi.fn();
      breaker.healthCheck(check, interval);

      await clock.advance(4_999);
      expect(check).toHaveBeenCalledTimes(1);
      await clock.advance(1);
      expect(check).toHaveBeenCalledTimes(2);
    }
  });

  it('waits no shorter for a longer interval than a timer can hold', async () => {
    const { breaker, clock } = setUp();
    const check = vi.fn();
    breaker.healthCheck(check, 1e12);

    await clock.advance(2 ** 31 - 2);
    expect(check).toHaveBeenCalledTimes(1);
    await clock.advance(1);

    expect(check).toHaveBeenCalledTimes(2);
  });

  it('says nothing any more, when it fails after it was stopped', async () => {
    const { breaker, clock } = setUp();
    let fail = (_error: Error): void => {};
    breaker.healthCheck(() => new Promise((_, reject) => (fail = reject)));

    breaker.core.retire();
    fail(new Error('ill'));
    await clock.advance(0);

    expect(breaker.opened).toBe(false);
  });

  it('opens no breaker that is open already, and closes none', async () => {
    const { breaker, clock, environment } = setUp();
    let ill = true;
    breaker.healthCheck(() => (ill ? Promise.reject(new Error('ill')) : undefined), 1_000);

    await clock.advance(2_500);
    ill = false;
    await clock.advance(2_500);

    expect(breaker.opened).toBe(true);
    expect(environment.of('stateChange')).toMatchObject([{ to: 'open', reason: 'its health check failed' }]);
    expect(environment.of('stateChange')[0]).not.toHaveProperty('byHand');
  });

  it('takes an interval as text for a number', async () => {
    const { breaker, clock } = setUp();
    const check = vi.fn();

    breaker.healthCheck(check, '200' as never);
    await clock.advance(200);

    expect(check).toHaveBeenCalledTimes(2);
  });

  it('refuses what is no function, or no time', () => {
    const { breaker } = setUp();

    const refusal = (check: unknown, interval?: unknown): TypeError =>
      thrownBy(() => breaker.healthCheck(check as never, interval as never));
    expect(refusal('ping')).toEqual(new TypeError("upstream: expected a function as health check, got 'ping'"));
    expect(refusal(() => undefined, NaN)).toEqual(
      new TypeError('upstream: expected the interval of a health check in ms, got NaN'),
    );
    expect(refusal(() => undefined, -1)).toBeInstanceOf(TypeError);
    expect(refusal(() => undefined, 'soon')).toBeInstanceOf(TypeError);
  });
});
