import { describe, expect, it } from 'vitest';
import { DeadlineQueues } from '../../../../lib/kernel/deadline-queues.js';
import { HedgeDelay } from '../../../../lib/policies/hedge/hedge-delay.js';
import type { HedgePercentile } from '../../../../lib/policies/hedge/hedge.options.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** How long a reading of the percentile stands. */
const LOOK_EVERY_MS = 1_000;

function setUp(after: number | HedgePercentile) {
  const environment = new TestEnvironment();
  const start = environment.clock.now();
  const delay = new HedgeDelay(after, environment);
  /** Takes note of `count` latencies, `at` ms after the start. */
  const record = (count: number, latencyMs: number, at = 0): void => {
    for (let one = 0; one < count; one++) delay.record(latencyMs, start + at);
  };
  return { delay, record, at: (ms: number) => delay.at(start + ms) };
}

describe('the delay of a hedge', () => {
  describe('given in milliseconds', () => {
    it('is in force from the first call on, and never changes', () => {
      const { delay, at } = setUp(100);

      expect(at(0)?.ms).toBe(100);
      expect(at(3_600_000)).toBe(at(0));
      expect(delay.measures).toBe(false);
    });

    it('takes no notice of latencies', () => {
      const { record, at } = setUp(100);
      record(200, 5_000);

      expect(at(LOOK_EVERY_MS)?.ms).toBe(100);
    });
  });

  describe('given as a percentile', () => {
    it('wants to be told of latencies', () => {
      expect(setUp({ percentile: 95 }).delay.measures).toBe(true);
    });

    it.each([
      [10, 20],
      [50, 20],
      [95, 20],
      [97, 34],
      [98, 50],
      [99, 100],
      [99.9, 100],
    ])('of %d %% needs %i latencies, so that one lies above it', (percentile, enough) => {
      const few = setUp({ percentile });
      few.record(enough - 1, 200);
      const plenty = setUp({ percentile });
      plenty.record(enough, 200);

      expect(few.at(0)).toBeUndefined();
      expect(plenty.at(0)?.ms).toBeCloseTo(208);
    });

    it('is the latency that so many did not exceed', () => {
      const { record, at } = setUp({ percentile: 90 });
      record(90, 20);
      record(10, 1_000);
      expect(at(0)?.ms).toBeCloseTo(22);

      record(1, 1_000);
      expect(at(LOOK_EVERY_MS)?.ms).toBeCloseTo(1_024);
    });

    it('is `max` until there are enough, from the first call on', () => {
      const { record, at } = setUp({ percentile: 95, max: 400 });
      expect(at(0)?.ms).toBe(400);
      record(19, 20);
      expect(at(LOOK_EVERY_MS)?.ms).toBe(400);
      record(1, 20, LOOK_EVERY_MS);

      expect(at(2 * LOOK_EVERY_MS)?.ms).toBeCloseTo(22);
    });

    it('is at least 1 ms, unless `min` says less', () => {
      const [usual, less] = [setUp({ percentile: 95 }), setUp({ percentile: 95, min: 0.25 })];
      for (const { record } of [usual, less]) record(20, 0.1);

      expect(usual.at(0)?.ms).toBe(1);
      expect(less.at(0)?.ms).toBe(0.25);
    });

    it.each([
      [{ percentile: 95, min: 500 }, 500],
      [{ percentile: 95, max: 50 }, 50],
    ])('stays within its bounds: %j', (after, expected) => {
      const { record, at } = setUp(after);
      record(20, 200);

      expect(at(0)?.ms).toBe(expected);
    });

    it('is read again after a second, not before', () => {
      const { record, at } = setUp({ percentile: 50 });
      record(20, 200);
      const first = at(0);
      record(100, 20);

      expect(at(LOOK_EVERY_MS - 1)).toBe(first);
      expect(at(LOOK_EVERY_MS)?.ms).toBeCloseTo(22);
    });

    it('looks back a minute', () => {
      const { record, at } = setUp({ percentile: 50 });
      record(20, 200);

      expect(at(49_000)?.ms).toBeCloseTo(208);
      expect(at(61_000)).toBeUndefined();
    });

    it('forgets a part at a time', () => {
      const { record, at } = setUp({ percentile: 50 });
      record(30, 200);
      record(20, 20, 30_000);

      expect(at(49_000)?.ms).toBeCloseTo(208);
      expect(at(61_000)?.ms).toBeCloseTo(22);
    });

    it('keeps its timer as long as it stays the same', () => {
      const { record, at } = setUp({ percentile: 50 });
      record(20, 200);
      const first = at(0);
      record(20, 200, LOOK_EVERY_MS);
      expect(at(LOOK_EVERY_MS)).toBe(first);
      record(100, 20, LOOK_EVERY_MS);

      expect(at(2 * LOOK_EVERY_MS)?.queue).not.toBe(first?.queue);
    });
  });

  it('shares its timer with others of the same duration, where the app has one', () => {
    const environment = new TestEnvironment();
    const { clock } = environment;
    const shared = Object.assign(environment, { deadlines: new DeadlineQueues(environment) });

    const [one, other] = [new HedgeDelay(100, shared), new HedgeDelay(100, shared)];

    expect(one.at(clock.now())?.queue).toBe(other.at(clock.now())?.queue);
    expect(one.at(clock.now())?.queue).toBe(shared.deadlines.of(100));
  });
});
