import { describe, expect, it } from 'vitest';
import { AdaptiveThrottle } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.js';
import { ADAPTIVE_THROTTLE_DEFAULTS } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { overload } from './overload.scene.js';

const SCENE = { seconds: 300, capacity: 200, offered: 300 };

describe('a dependency that gets half as much again as it can do', () => {
  it('does all that it can, in every second, where refusing is cheap', async () => {
    const { goodput, worst, refusedHere } = await overload({ ...SCENE, refusalCost: 0.01 }, { factor: 1.1 });

    expect(goodput).toBeGreaterThanOrEqual(0.95);
    expect(worst).toBeGreaterThan(0.75);
    expect(refusedHere).toBeGreaterThan(0);
  });

  it('does most of it where refusing costs half as much as answering, and half of it unthrottled', async () => {
    const throttled = await overload({ ...SCENE, refusalCost: 0.5 }, { factor: 1.1 });
    const alone = await overload({ ...SCENE, refusalCost: 0.5 }, undefined);

    expect(alone.goodput).toBeLessThan(0.6);
    expect(throttled.goodput).toBeGreaterThanOrEqual(0.9);
  });
});

it('refuses none of a million calls of a dependency that is well', () => {
  const environment = Object.assign(new TestEnvironment(false), { random: () => 0 });
  const throttle = new AdaptiveThrottle('search', ADAPTIVE_THROTTLE_DEFAULTS, environment);
  const random = seededRandom(3);
  let refused = 0;
  for (let call = 0; call < 1_000_000; call++) {
    const now = call / 10;
    if (throttle.refusal(now) !== undefined) refused++;
    // Now and then one fails.
    throttle.ended(random() > 0.01, now);
  }
  expect(refused).toBe(0);
});
