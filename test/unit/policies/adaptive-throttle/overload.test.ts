import { describe, expect, it } from 'vitest';
import { AdaptiveThrottle } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.js';
import {
  ADAPTIVE_THROTTLE_DEFAULTS,
  type AdaptiveThrottleOptions,
} from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const SECONDS = 300;
const CAPACITY = 200;

/**
 * A dependency that can answer so many calls a second, and refuses the others, at a share of the cost of an answer.
 *
 * @returns how many it answered in each second, and how many were refused here.
 */
async function run(offered: number, refusalCost: number, options: AdaptiveThrottleOptions | undefined) {
  const environment = Object.assign(new TestEnvironment(false), { random: seededRandom(7) });
  const throttle =
    options && new AdaptiveThrottle('search', { ...ADAPTIVE_THROTTLE_DEFAULTS, ...options }, environment);
  const answered: number[] = [];
  let refusedHere = 0;
  for (let second = 0; second < SECONDS; second++) {
    let left = CAPACITY;
    let sum = 0;
    for (let i = 0; i < offered; i++) {
      const now = environment.clock.now();
      // Each call comes at its own time, and finds the part of the second's work that is left until then.
      const share = (CAPACITY * (i + 1)) / offered;
      if (throttle?.refusal(now) !== undefined) refusedHere++;
      else {
        const accepted = CAPACITY - left + 1 <= share;
        left -= accepted ? 1 : refusalCost;
        if (accepted) sum++;
        throttle?.ended(accepted, now);
      }
      if (i % 20 === 19) await environment.clock.advance(20_000 / offered);
    }
    answered.push(sum);
  }
  const steady = answered.slice(SECONDS / 3);
  const goodput = steady.reduce((all, one) => all + one, 0) / (steady.length * CAPACITY);
  return { goodput, worst: Math.min(...steady) / CAPACITY, refusedHere };
}

describe('a dependency that gets half as much again as it can do', () => {
  it('does all that it can, in every second, where refusing is cheap', async () => {
    const { goodput, worst, refusedHere } = await run(CAPACITY * 1.5, 0.01, { factor: 1.1 });

    expect(goodput).toBeGreaterThanOrEqual(0.95);
    expect(worst).toBeGreaterThan(0.75);
    expect(refusedHere).toBeGreaterThan(0);
  });

  it('does most of it where refusing costs half as much as answering, and half of it unthrottled', async () => {
    const throttled = await run(CAPACITY * 1.5, 0.5, { factor: 1.1 });
    const alone = await run(CAPACITY * 1.5, 0.5, undefined);

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
