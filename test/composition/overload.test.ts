import { applyDecorators, Injectable } from '@nestjs/common';
import { fixed, Hedge, Retry } from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../support/seeded-random.js';
import { pass, startApp, type MethodGuard } from './scene.js';

const PODS = 4;
const CALLS = 1_500;
/** Five calls a second. */
const EVERY_MS = 200;
/** Over a shorter time than a minute what a budget holds at the start weighs more. */
const MINUTE = 60_000 / EVERY_MS;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An upstream that takes `ms` and fails at random; it knows how many calls reached it for each one that was due. */
class Upstream {
  /** How many reached it since the last call was made, for each round of calls. */
  readonly reached: number[] = [];
  readonly #random = seededRandom(11);

  constructor(
    private readonly failing: number,
    private readonly ms: number,
  ) {}

  async answer(): Promise<string> {
    this.reached[this.reached.length - 1]!++;
    const fails = this.#random() < this.failing;
    await new Promise((resolve) => setTimeout(resolve, this.ms));
    if (fails) throw new Error('upstream failed');
    return 'answer';
  }

  /** The load for each call that was made, in the worst stretch of so many rounds. */
  worst(rounds: number): number {
    let sum = this.reached.slice(0, rounds).reduce((one, other) => one + other, 0);
    let most = sum;
    for (let end = rounds; end < this.reached.length; end++) {
      sum += this.reached[end]! - this.reached[end - rounds]!;
      most = Math.max(most, sum);
    }
    return most / (rounds * PODS);
  }
}

/** Several pods, each an app of its own with a budget of its own, call one upstream five times a second each. */
async function load(guards: MethodGuard[], { failing, ms = 20 }: { failing: number; ms?: number }): Promise<Upstream> {
  const upstream = new Upstream(failing, ms);

  @Injectable()
  class Client {
    @applyDecorators(...guards)
    async load(): Promise<string> {
      return upstream.answer();
    }
  }

  const pods = [];
  for (let pod = 0; pod < PODS; pod++) pods.push((await startApp([Client])).get(Client));
  for (let call = 0; call < CALLS; call++) {
    upstream.reached.push(0);
    for (const pod of pods) pod.load().catch(() => undefined);
    await pass(EVERY_MS);
  }
  return upstream;
}

describe('the load that retries of several pods put on an upstream', () => {
  it('is at most 1.3 times the calls in every minute, when 30 % of its answers are failures', async () => {
    const upstream = await load([Retry({ backoff: fixed(50) })], { failing: 0.3 });

    expect(upstream.worst(MINUTE)).toBeLessThanOrEqual(1.3);
    // The calls that are let go on show that it is the budget which holds the others back.
    expect(upstream.worst(CALLS)).toBeGreaterThan(1.15);
  });

  it('would be more without a budget', async () => {
    const upstream = await load([Retry({ backoff: fixed(50), budget: false })], { failing: 0.3 });

    expect(upstream.worst(CALLS)).toBeGreaterThan(1.35);
  });

  it('is at most 1.3 times the calls in every minute, when the upstream is down', async () => {
    const upstream = await load([Retry({ maxAttempts: 5, backoff: fixed(10) })], { failing: 1 });

    expect(upstream.worst(MINUTE)).toBeLessThanOrEqual(1.3);
  });

  it('is no more when slow calls are hedged as well', async () => {
    const guards = [Retry({ backoff: fixed(10) }), Hedge({ after: 10 })];
    const upstream = await load(guards, { failing: 0.3, ms: 50 });

    expect(upstream.worst(MINUTE)).toBeLessThanOrEqual(1.3);
    const unbounded = [Retry({ backoff: fixed(10), budget: false }), Hedge({ after: 10, budget: false })];
    expect((await load(unbounded, { failing: 0.3, ms: 50 })).worst(CALLS)).toBeGreaterThan(1.9);
  });
});
