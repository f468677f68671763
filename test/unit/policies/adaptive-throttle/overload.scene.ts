import { AdaptiveThrottle } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.js';
import {
  ADAPTIVE_THROTTLE_DEFAULTS,
  type AdaptiveThrottleOptions,
} from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** What a dependency gets, and what it can do. */
export interface Overload {
  readonly seconds: number;
  /** How many calls it can answer in a second. */
  readonly capacity: number;
  /** How many of them come. */
  readonly offered: number;
  /** What a refusal costs it, as a share of the cost of an answer. */
  readonly refusalCost: number;
}

/**
 * A dependency that can answer so many calls a second, and refuses the others, at a share of the cost of an answer.
 *
 * @returns how many it answered in each second, and how many were refused here.
 */
export async function overload(
  { seconds, capacity, offered, refusalCost }: Overload,
  options: AdaptiveThrottleOptions | undefined,
) {
  const environment = Object.assign(new TestEnvironment(false), { random: seededRandom(7) });
  const throttle =
    options && new AdaptiveThrottle('search', { ...ADAPTIVE_THROTTLE_DEFAULTS, ...options }, environment);
  const answered: number[] = [];
  let refusedHere = 0;
  for (let second = 0; second < seconds; second++) {
    let left = capacity;
    let sum = 0;
    for (let i = 0; i < offered; i++) {
      const now = environment.clock.now();
      // Each call comes at its own time, and finds the part of the second's work that is left until then.
      const share = (capacity * (i + 1)) / offered;
      if (throttle?.refusal(now) !== undefined) refusedHere++;
      else {
        const accepted = capacity - left + 1 <= share;
        left -= accepted ? 1 : refusalCost;
        if (accepted) sum++;
        throttle?.ended(accepted, now);
      }
      if (i % 20 === 19) await environment.clock.advance(20_000 / offered);
    }
    answered.push(sum);
  }
  const steady = answered.slice(seconds / 3);
  const goodput = steady.reduce((all, one) => all + one, 0) / (steady.length * capacity);
  return { goodput, worst: Math.min(...steady) / capacity, refusedHere };
}

/** How many of so many calls are refused, ten a millisecond, of a dependency that fails one in a hundred. */
export function refusalsOfHealthy(calls: number): number {
  const environment = Object.assign(new TestEnvironment(false), { random: () => 0 });
  const throttle = new AdaptiveThrottle('search', ADAPTIVE_THROTTLE_DEFAULTS, environment);
  const random = seededRandom(3);
  let refused = 0;
  for (let call = 0; call < calls; call++) {
    const now = call / 10;
    if (throttle.refusal(now) !== undefined) refused++;
    throttle.ended(random() > 0.01, now);
  }
  return refused;
}
