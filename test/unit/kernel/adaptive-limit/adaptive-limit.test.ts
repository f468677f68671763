import { describe, expect, it } from 'vitest';
import { AdaptiveLimit, type Ending } from '../../../../lib/kernel/adaptive-limit/adaptive-limit.js';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { Simulation } from '../../../support/simulated-service.js';

const always = (ms: number) => () => ms;
/** Lengths of work with a mean, by how they vary. */
const WORK: Record<string, (mean: number) => (random: () => number) => number> = {
  'not at all': always,
  evenly: (mean) => (random) => mean * (0.6 + 0.8 * random()),
  exponentially: (mean) => (random) => -Math.log(1 - random()) * mean,
  'log-normally': (mean) => (random) => mean * Math.exp(normal(random) - 0.5),
};
const SEEDS = [1, 2, 3];
const INITIAL = [1, 4, 20, 50, 200];
const each = INITIAL.flatMap((initial) => SEEDS.map((seed) => ({ initial, seed })));

/** With mean 0 and deviation 1 (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe('AdaptiveLimit', () => {
  describe.each(Object.entries(WORK))('before a service with a knee at 20 and work that varies %s', (_, lengthOf) => {
    const service = (initial: number, seed: number) =>
      new Simulation({ slots: 20, workMs: lengthOf(50) }, { initial, min: 1 }, seed);

    it.each(each)('is between 15 and 30 within 30 s and stays there, $initial at first, seed $seed', (run) => {
      const simulation = service(run.initial, run.seed);

      simulation.offer(1_200, 60_000);

      const [lowest, highest] = simulation.range(30_000);
      expect(lowest).toBeGreaterThanOrEqual(15);
      expect(highest).toBeLessThanOrEqual(30);
    });

    it.each(SEEDS)('has settled 15 s after the service has lost half its slots, and got them back, seed %i', (seed) => {
      const simulation = service(20, seed);
      simulation.offer(1_200, 30_000);

      simulation.model.slots = 10;
      simulation.offer(1_200, 30_000);

      const [low, high] = simulation.range(45_000);
      simulation.model.slots = 20;
      simulation.offer(1_200, 30_000);
      const [lowAgain, highAgain] = simulation.range(75_000);

      expect(low).toBeGreaterThanOrEqual(7);
      expect(high).toBeLessThanOrEqual(17);
      expect(lowAgain).toBeGreaterThanOrEqual(15);
      expect(highAgain).toBeLessThanOrEqual(30);
    });

    it.each(SEEDS)('has settled 15 s after everything takes twice as long, seed %i', (seed) => {
      const simulation = service(20, seed);
      simulation.offer(1_200, 30_000);

      simulation.model.workMs = lengthOf(100);
      simulation.offer(1_200, 30_000);

      const [low, high] = simulation.range(45_000);
      expect(low).toBeGreaterThanOrEqual(15);
      expect(high).toBeLessThanOrEqual(31);
    });

    it.each(each)('leaves the service busy, $initial at first, seed $seed', ({ initial, seed }) => {
      const simulation = service(initial, seed);
      simulation.offer(1_200, 30_000);
      const before = simulation.done;

      simulation.offer(1_200, 30_000);

      // At best 20 each 50 ms: 400 a second.
      expect((simulation.done - before) / 30).toBeGreaterThan((lengthOf === always ? 0.95 : 0.9) * 400);
    });

    it.each(SEEDS)('grows on, when nothing ever queues, seed %i', (seed) => {
      const simulation = new Simulation({ slots: Infinity, workMs: lengthOf(50) }, { max: 200 }, seed);

      simulation.offer(6_000, 60_000);

      expect(simulation.limit.settled).toBeGreaterThan(150);
    });
  });

  it.each(
    [20, 100, 1_000].flatMap((rate) =>
      [0.9, 0.5, 0.1].flatMap((slow) => [1, 20, 200].map((initial) => ({ rate, slow, initial }))),
    ),
  )(
    'never falls below 4 for work of 5 or 500 ms, $slow of it slow, $rate/s, $initial at first',
    ({ rate, slow, initial }) => {
      const workMs = (random: () => number): number => (random() < slow ? 500 : 5);
      const simulation = new Simulation({ slots: Infinity, workMs }, { initial, min: 1 });

      simulation.offer(rate, 60_000);

      expect(
        Math.min(...simulation.limits.filter(({ limit }) => limit < initial).map(({ current }) => current), 4),
      ).toBe(4);
      expect(simulation.limit.settled).toBeGreaterThanOrEqual(Math.min(initial, 4));
    },
  );

  it.each([1.25, 1.5, 2, 3].flatMap((tolerance) => [4, 20, 200].map((initial) => ({ tolerance, initial }))))(
    'lets the work take $tolerance times as long, when it is told to tolerate that, $initial at first',
    ({ tolerance, initial }) => {
      const simulation = new Simulation({ slots: 20, workMs: always(50) }, { tolerance, initial });

      simulation.offer(1_200, 60_000);

      // 20 times that, and room for growth.
      const [low, high] = simulation.range(30_000);
      expect(low).toBeGreaterThanOrEqual(20 * tolerance);
      expect(high).toBeLessThanOrEqual(29 * tolerance);
    },
  );

  it('grows to max, when nothing ever queues', () => {
    const simulation = new Simulation({ slots: Infinity, workMs: always(50) }, { max: 60 });

    simulation.offer(10_000, 10_000);

    expect(simulation.limit.settled).toBe(60);
  });

  it('does not move while the calls stay under it', () => {
    const simulation = new Simulation({ slots: Infinity, workMs: always(50) }, { initial: 50 });

    // 10 in flight on average.
    simulation.offer(200, 60_000);

    expect(simulation.range(0)).toEqual([50, 50]);
  });

  it.each(SEEDS)('falls while the service hangs, and finds the knee again afterwards, seed %i', (seed) => {
    const simulation = new Simulation({ slots: 20, workMs: always(50), timeoutMs: 1_000 }, {}, seed);
    simulation.offer(1_200, 30_000);

    Object.assign(simulation.model, { slots: Infinity, workMs: always(5_000) });
    simulation.offer(1_200, 120_000);
    const [, highest] = simulation.range(30_500, 150_000);
    const [, last] = simulation.range(140_000, 150_000);
    Object.assign(simulation.model, { slots: 20, workMs: always(50) });
    simulation.offer(1_200, 30_000);
    const [lowAgain, highAgain] = simulation.range(170_000);

    expect(highest).toBeLessThanOrEqual(30);
    expect(last).toBe(4);
    expect(lowAgain).toBeGreaterThanOrEqual(15);
    expect(highAgain).toBeLessThanOrEqual(30);
  });

  /** Always as many calls in flight as may be; each ends as `of` says. */
  function saturate(limit: AdaptiveLimit, from: number, to: number, of: () => { ms: number; ending?: Ending }): void {
    const running: { began: number; at: number; ending: Ending | undefined }[] = [];
    for (let now = from; now < to;) {
      while (running.length < limit.current) {
        const { ms, ending } = of();
        running.push({ began: now, at: now + ms, ending });
        limit.began(now, running.length);
      }
      running.sort((one, other) => one.at - other.at);
      const [next] = running as [(typeof running)[number]];
      now = next.at;
      limit.ended(now, now - next.began, running.length, next.ending);
      running.shift();
    }
  }

  it.each(['cut', 'failed'] as const)('falls while calls take very long and are %s then', (ending) => {
    const random = seededRandom(1);
    const limit = new AdaptiveLimit(adaptive({ max: 100 }).options, 0);
    saturate(limit, 0, 5_000, () => ({ ms: 40 + 20 * random() }));
    const before = limit.settled;

    saturate(limit, 5_000, 120_000, () => ({ ms: 1_000, ending }));

    expect(before).toBeGreaterThan(20);
    expect(limit.settled).toBe(4);
  });

  it('falls while every call is cut from the first on', () => {
    const limit = new AdaptiveLimit(adaptive().options, 0);

    saturate(limit, 0, 60_000, () => ({ ms: 1_000, ending: 'cut' }));

    expect(limit.settled).toBe(4);
  });

  it.each([15_000, 20_000, 40_000])('grows too when the work takes %i ms and never queues', (ms) => {
    const random = seededRandom(1);
    const limit = new AdaptiveLimit(adaptive({ max: 60 }).options, 0);

    saturate(limit, 0, 3_600_000, () => ({ ms: ms * (0.7 + 0.6 * random()) }));

    expect(limit.settled).toBe(60);
  });

  it('tells each move of the settled limit', () => {
    const moves: [number, number][] = [];
    const limit = new AdaptiveLimit(adaptive({ initial: 4, min: 4 }).options, 0, (to, from) => moves.push([from, to]));

    for (let now = 0; now < 2_000; now += 5) {
      limit.began(now, limit.current);
      limit.ended(now, 20, limit.current);
    }

    expect(moves[0]).toEqual([4, 6]);
    expect(moves.at(-1)?.[1]).toBe(limit.settled);
    for (const [index, [from]] of moves.entries()) expect(from).toBe(index === 0 ? 4 : moves[index - 1]?.[1]);
  });

  it('gives up a probe that nobody comes to feed', () => {
    const limit = new AdaptiveLimit(adaptive({ initial: 20 }).options, 0);
    for (let now = 0; limit.current === 20 && now < 5_000; now += 5) {
      limit.began(now, 20);
      limit.ended(now, 20, 20);
    }
    expect(limit.current).toBe(12);

    limit.began(60_000, 1);

    expect(limit.current).toBe(20);
  });

  it('keeps within its bounds, whatever happens', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const pick = (count: number): number => Math.floor(random() * count);
      let [min, max] = [1 + pick(8), 8 + pick(300)];
      let [now, workMs] = [0, 50];
      const limit = new AdaptiveLimit(adaptive({ min, max, initial: min + pick(max - min) }).options, now);
      const running: { began: number; at: number; ending: Ending }[] = [];
      for (let step = 0; step < 10_000; step++) {
        if (random() < 0.001) workMs = [0, 0.001, 5, 50, 2_000, 60_000][pick(6)] as number;
        if (random() < 0.0005) {
          [min, max] = [1 + pick(8), 8 + pick(300)];
          limit.reconfigure(adaptive({ min, max, tolerance: 1 + 2 * random() }).options);
        }
        if (random() < 0.55 && running.length < limit.current) {
          const ending = (['done', 'done', 'done', 'failed', 'cut'] as const)[pick(5)] as Ending;
          running.push({ began: now, at: now - workMs * Math.log(1 - random()), ending });
          limit.began(now, running.length);
        } else {
          running.sort((one, other) => one.at - other.at);
          const next = running[0];
          // A quiet time, now and then a long one.
          now = next === undefined ? now + (random() < 0.01 ? 100_000 : 1) : Math.max(now, next.at);
          if (next !== undefined) limit.ended(now, now - next.began, running.length, next.ending);
          running.shift();
        }
        const { settled, current } = limit;
        if (settled >= min && settled <= max && current >= 1 && current <= max) continue;
        expect.fail(`seed ${seed}, step ${step}: ${settled}, now ${current}, is not from ${min} to ${max}`);
      }
    }
  });
});
