import { describe, expect, it } from 'vitest';
import { RollingWindow } from '../../../../lib/policies/circuit-breaker/rolling-window.js';
import { runs } from '../../../support/runs.js';
import { pick, seededRandom } from '../../../support/seeded-random.js';

const START = 1_000_000;
const STEPS = runs(1_000, 3_000);

describe('RollingWindow', () => {
  it.each(Array.from({ length: runs(2, 30) }, (_, index) => index + 1))(
    'counts what a list of all calls counts, seed %i',
    (seed) => {
      const random = seededRandom(seed);
      const buckets = 1 + pick(random, 12);
      const bucketMs = 1 + pick(random, 500);
      const window = new RollingWindow(buckets * bucketMs, buckets);
      let calls: { tick: number; failed: boolean; ms: number }[] = [];
      let now = START + random() * 1_000;

      for (let step = 0; step < STEPS; step++) {
        if (random() < 0.2) now += random() * bucketMs * (random() < 0.05 ? buckets * 3 : 2);
        const tick = Math.floor(now / bucketMs);
        window.advance(now);
        const [failed, ms] = [random() < 0.4, random() * 1_000];
        if (failed) window.failure(false);
        else window.success(ms);
        calls.push({ tick, failed, ms });
        calls = calls.filter((call) => tick - call.tick < buckets);
        if (random() < 0.002) {
          window.clear();
          calls = [];
        }
        const good = calls.filter((call) => !call.failed);
        const mean = good.length === 0 ? undefined : good.reduce((sum, call) => sum + call.ms, 0) / good.length;

        expect([step, window.successes, window.failures]).toEqual([step, good.length, calls.length - good.length]);
        if (mean === undefined) expect(window.meanSuccessMs).toBeUndefined();
        else expect(window.meanSuccessMs).toBeCloseTo(mean, 6);
      }
    },
  );
});
