import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import type { RateLimitOptions } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { settle } from '../../../support/settle.js';
import { RateLimitScene, type Begun } from './rate-limit.scene.js';
import { runs } from '../../../support/runs.js';

const KEYS = ['a', 'b', 'c', 'd', 'e'];

interface Arrival {
  /** How long after the one before it, ms. */
  after: number;
  /** Whether the event loop is blocked meanwhile, so that timers come late. */
  blocked: boolean;
  /** How many calls come. */
  count: number;
  key: string;
  cost: number;
  /** Which of the calls so far leaves at that moment, if any. */
  leaves: number | undefined;
}

const limits = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 50 })),
  per: fc.constantFrom(7, 100, 1_000),
  burst: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined, freq: 1 }),
  onLimit: fc.constantFrom('reject' as const, 'queue' as const),
  warmUp: fc.option(
    fc.record({ over: fc.integer({ min: 1, max: 2_000 }), coldFactor: fc.double({ min: 1.1, max: 5, noNaN: true }) }),
    { nil: undefined, freq: 1 },
  ),
  keyed: fc.boolean(),
  costly: fc.boolean(),
});
const arrivals = fc.array(
  fc.record<Arrival>({
    after: fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.double({ min: 0, max: 60, noNaN: true }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_500 }) },
    ),
    blocked: fc.boolean(),
    count: fc.oneof(
      { weight: 3, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.integer({ min: 2, max: 12 }) },
    ),
    key: fc.constantFrom(...KEYS),
    cost: fc.double({ min: 0, max: 12, noNaN: true }),
    leaves: fc.option(fc.nat(80), { nil: undefined, freq: 4 }),
  }),
  { minLength: 1, maxLength: 40 },
);
type Limits = typeof limits extends fc.Arbitrary<infer L> ? L : never;

function optionsOf({ keyed, costly, ...options }: Limits): RateLimitOptions {
  return {
    ...options,
    ...(keyed ? { key: (key: string) => key, maxKeys: 2 } : {}),
    ...(costly ? { cost: (_: string, cost: number) => cost } : {}),
  };
}

/** Lets the calls come, in virtual time, until all have begun or ended. */
async function play(scene: RateLimitScene, schedule: readonly Arrival[]): Promise<void> {
  const calls: Attempt[] = [];
  for (const { after, blocked, count, key, cost, leaves } of schedule) {
    if (blocked) {
      scene.clock.block(after);
      scene.clock.fireDueTimers();
      await settle();
    } else await scene.clock.advance(after);
    if (leaves !== undefined) calls[leaves]?.abort('gone');
    for (let made = 0; made < count; made++) scene.call([key, cost], (call) => void calls.push(call));
  }
  await settle();
  while (scene.limiter.waiting > 0) await scene.clock.advance(1_000);
}

/** By how much what began in some window exceeds what may begin in it, at most. */
function worstExcess(begun: readonly Begun[], options: RateLimitOptions): number {
  const { limit, per, burst = limit, cost } = options as { limit: number; per: number } & RateLimitOptions;
  let worst = -Infinity;
  for (let first = 0; first < begun.length; first++) {
    let sum = 0;
    for (let last = first; last < begun.length; last++) {
      const { args, at } = begun[last] as Begun;
      sum += cost === undefined ? 1 : cost(...args);
      const ms = at - (begun[first] as Begun).at;
      worst = Math.max(worst, sum - ((limit * ms) / per + burst));
    }
  }
  return worst;
}

describe('RateLimitGuard, for any limits and any calls', () => {
  it('never lets more begin in any window than limit x time / per + burst, for each key', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(limits, arrivals, async (chosen, schedule) => {
        const options = optionsOf(chosen);
        const scene = new RateLimitScene(options);

        await play(scene, schedule);

        for (const key of chosen.keyed ? KEYS : [undefined]) {
          const begun = scene.begun.filter(({ args }) => key === undefined || args[0] === key);
          expect(worstExcess(begun, options)).toBeLessThan(1e-6);
        }
        const refused = scene.results.filter(({ status }) => status === 'rejected');
        expect(scene.begun.length + refused.length).toBe(scene.results.length);
        expect(scene.clock.pending).toBe(0);
      }),
      { numRuns: runs(200, 2_000) },
    ),
  );

  it('gives no key more than its due, where keys lose their places to others', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 20 }),
        fc.array(
          fc.record({
            after: fc.constantFrom(0, 20, 60, 150, 400, 1_100),
            key: fc.constantFrom('a', 'b', 'c'),
            count: fc.integer({ min: 1, max: 30 }),
          }),
          { minLength: 3, maxLength: 30 },
        ),
        async (limit, schedule) => {
          const options = { limit, per: 1_000, key: (key: string) => key, maxKeys: 1 };
          const scene = new RateLimitScene(options);

          for (const { after, key, count } of schedule) {
            await scene.clock.advance(after);
            await scene.admitted(count, [key]);
          }

          for (const key of KEYS) {
            const begun = scene.begun.filter(({ args }) => args[0] === key);
            expect(worstExcess(begun, options)).toBeLessThan(1e-6);
          }
        },
      ),
      { numRuns: runs(150, 1_500) },
    ),
  );

  it('lets exactly those begin that a plain token bucket would', () =>
    fc.assert(
      fc.asyncProperty(limits, arrivals, async (chosen, schedule) => {
        const options = optionsOf({ ...chosen, onLimit: 'reject', warmUp: undefined, keyed: false });
        const { limit, per, burst = limit } = options as { limit: number; per: number; burst?: number };
        const scene = new RateLimitScene(options);
        let tokens = burst;
        let last = 0;
        for (const { after, key, cost } of schedule) {
          await scene.clock.advance(after);
          tokens = Math.min(burst, tokens + ((scene.now - last) * limit) / per);
          last = scene.now;
          const charged = chosen.costly ? cost : 1;
          const begins = (await scene.attempt([key, cost])) === 'begun';
          // Where rounding decides, either is right.
          if (Math.abs(tokens - charged) > 1e-6) expect(begins).toBe(tokens > charged);
          if (begins) tokens -= charged;
        }
      }),
      { numRuns: runs(100, 1_000) },
    ));

  it('lets queued calls begin in order of arrival, evenly spaced, and wastes no time', () =>
    fc.assert(
      fc.asyncProperty(limits, arrivals, async (chosen, schedule) => {
        const options = optionsOf({ ...chosen, onLimit: 'queue', burst: undefined, warmUp: undefined, keyed: false });
        const { limit, per } = options as { limit: number; per: number };
        const scene = new RateLimitScene(options);
        const punctual = schedule.map((one) => ({
          ...one,
          blocked: false,
          leaves: undefined,
          count: 1,
          cost: one.cost || 1,
        }));
        const expected: number[] = [];
        let free = 0;
        let now = 0;
        for (const { after, cost } of punctual) {
          now += after;
          const charged = chosen.costly ? cost : 1;
          if (charged > limit) continue;
          const begins = Math.max(free, now);
          expected.push(begins);
          free = begins + (charged * per) / limit;
        }

        await play(scene, punctual);

        expect(scene.begun).toHaveLength(expected.length);
        // A timer fires up to 1 ms late; with costs of their own calls do not make up for that.
        const late = chosen.costly ? expected.length : 1;
        scene.times.forEach((at, index) => {
          // Who comes while a wake-up is late makes up for that, and so keeps to the schedule.
          expect(at - (expected[index] as number)).toBeGreaterThan(-1 - 1e-5);
          expect(at - (expected[index] as number)).toBeLessThan(late + 1e-5);
        });
      }),
      { numRuns: runs(50, 500) },
    ));
});
