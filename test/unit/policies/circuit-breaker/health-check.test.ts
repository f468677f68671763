import { describe, expect, it, vi } from 'vitest';
import { Breaker } from '../../../../lib/policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../../../lib/policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
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

  it('refuses what is no function, or no time', () => {
    const { breaker } = setUp();

    expect(() => breaker.healthCheck('ping' as never)).toThrow(TypeError);
    expect(() => breaker.healthCheck(() => undefined, NaN)).toThrow(TypeError);
    expect(() => breaker.healthCheck(() => undefined, -1)).toThrow(TypeError);
  });
});
