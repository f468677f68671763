import { describe, expect, it } from 'vitest';
import { Attempt } from '../../../../lib/kernel/attempt.js';
import { LatencySampling } from '../../../../lib/policies/circuit-breaker/latency-sampling.js';
import { slowCallRate } from '../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { newCall } from '../../../support/calls.js';
import { seededRandom } from '../../../support/seeded-random.js';

const START = 5_000_000;

function weights(sampling: LatencySampling, calls: number, everyMs: number): number[] {
  return Array.from({ length: calls }, (_, index) => sampling.weightAt(START + index * everyMs));
}

describe('LatencySampling', () => {
  it('has every latency measured at 4 calls a ms, for however long', () => {
    expect(new Set(weights(new LatencySampling(), 100_000, 0.25))).toEqual(new Set([1]));
  });

  it('has 10,000 calls of one moment measured, then one in 16', () => {
    const seen = weights(new LatencySampling(), 20_000, 0);

    expect(seen.slice(0, 10_000).every((weight) => weight === 1)).toBe(true);
    expect(seen.slice(10_000).filter((weight) => weight !== 0)).toEqual(new Array(625).fill(16));
  });

  it('lets the measured calls stand for all', () => {
    const total = weights(new LatencySampling(), 500_000, 0.01).reduce((sum, weight) => sum + weight, 0);

    expect(Math.abs(total - 500_000)).toBeLessThan(16);
  });

  it('measures every call again after a pause', () => {
    const sampling = new LatencySampling();
    weights(sampling, 50_000, 0);

    const later = Array.from({ length: 10_000 }, () => sampling.weightAt(START + 10_000));

    expect(new Set(later)).toEqual(new Set([1]));
  });
});

describe('a breaker under a load at which latencies are sampled', () => {
  const CALLS = 12_000;

  /** Makes calls that begin in one moment and succeed one after the other. @returns how long each took. */
  function load({ environment, guard, clock }: BreakerScene): number[] {
    const random = seededRandom(11);
    const begun = clock.now();
    const { course } = newCall(environment);
    const calls = Array.from({ length: CALLS }, () => new Attempt(course, undefined, [], undefined));
    for (const call of calls) guard.admit(call);
    return calls.map((call) => {
      clock.block(random() * 0.2);
      guard.settled(call, 'value', undefined);
      return clock.now() - begun;
    });
  }

  it('counts every call, and its percentiles stay within 10 %', () => {
    const scene = new BreakerScene();
    const latencies = load(scene);

    const { fires, successes, failures, percentiles } = scene.stats;

    expect([fires, successes, failures]).toEqual([CALLS, CALLS, 0]);
    for (const fraction of [0.25, 0.5, 0.9, 0.99]) {
      const exact = latencies[Math.ceil(fraction * CALLS) - 1] as number;
      expect(Math.abs((percentiles[fraction] as number) - exact) / exact).toBeLessThan(0.1);
    }
  });

  it('is judged by every call where it looks for slow ones', () => {
    const scene = new BreakerScene({ trip: slowCallRate({ slowerThan: 1_100, percentage: 7 }) });

    load(scene);

    expect(scene.state).toBe('open');
  });

  it('tells every call to whoever listens', () => {
    const scene = new BreakerScene();
    const seen: number[] = [];
    scene.breaker.on('success', (_result: unknown, latencyMs: number) => seen.push(latencyMs));

    const latencies = load(scene);

    expect(seen).toHaveLength(CALLS);
    expect(seen.at(-1)).toBeCloseTo(latencies.at(-1) as number, 6);
  });
});
