import { describe, expect, it } from 'vitest';
import { AdaptiveLimit } from '../../../lib/kernel/adaptive-limit/adaptive-limit.js';
import { adaptive } from '../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { RetryBudget } from '../../../lib/kernel/retry-budget/retry-budget.js';
import { BreakerScene } from '../../support/breaker-scene.js';

const breakerOptions = { ...CIRCUIT_BREAKER_DEFAULTS, volumeThreshold: 1, resetTimeout: 1_000, resetJitter: 0 };

describe('a breaker that takes on other options', () => {
  it('keeps the time for which it is open, and takes the next one from the new options', async () => {
    const scene = new BreakerScene(breakerOptions);
    await scene.fail();
    scene.named.reconfigure({ ...breakerOptions, resetTimeout: 5_000 });

    await scene.clock.advance(1_000);
    expect(scene.state).toBe('halfOpen');
    await scene.fail();
    await scene.clock.advance(4_999);
    expect(scene.state).toBe('open');
    await scene.clock.advance(1);
    expect(scene.state).toBe('halfOpen');
  });

  it('closes when as many probes have succeeded as it takes now', async () => {
    const scene = new BreakerScene({ ...breakerOptions, halfOpenCalls: 5 });
    await scene.fail();
    await scene.clock.advance(1_000);
    await scene.succeed(2);
    expect(scene.state).toBe('halfOpen');

    scene.named.reconfigure({ ...breakerOptions, halfOpenCalls: 2 });

    expect(scene.state).toBe('closed');
  });

  it('keeps what it has counted under another trip strategy', async () => {
    const scene = new BreakerScene({ ...breakerOptions, volumeThreshold: 100 });
    await scene.fail(2);
    scene.named.reconfigure({ ...breakerOptions, trip: consecutiveFailures(3) });

    expect(scene.state).toBe('closed');
    await scene.fail();
    expect(scene.state).toBe('open');
  });

  it('counts the end of a call that began before, also in a new window', async () => {
    const scene = new BreakerScene({ ...breakerOptions, volumeThreshold: 100 });
    const running = scene.begin();
    scene.named.reconfigure({ ...breakerOptions, volumeThreshold: 100, rollingCountTimeout: 500 });
    await running.fail();

    expect(scene.stats.failures).toBe(1);
  });
});

describe('an adaptive limit that takes on other bounds', () => {
  it('keeps what it has found as far as they let it, and tells', () => {
    const told: number[] = [];
    const limit = new AdaptiveLimit(adaptive({ initial: 20 }).options, 0, (now) => told.push(now));

    limit.reconfigure(adaptive({ initial: 40, max: 50 }).options);
    expect(limit.current).toBe(20);
    limit.reconfigure(adaptive({ max: 8 }).options);

    expect(limit.current).toBe(8);
    expect(told).toEqual([8]);
  });
});

describe('a retry budget that takes on other options', () => {
  it('keeps what it holds as far as it fits', () => {
    const budget = new RetryBudget({ ratio: 0.2, perSecond: 0, min: 10 }, 0);
    for (let taken = 0; taken < 4; taken++) budget.take(0);

    budget.reconfigure({ ratio: 0.2, perSecond: 0, min: 20 }, 0);
    expect(budget.tokensAt(0)).toBe(6);
    budget.reconfigure({ ratio: 0.2, perSecond: 0, min: 3 }, 0);
    expect(budget.tokensAt(0)).toBe(3);
  });
});
