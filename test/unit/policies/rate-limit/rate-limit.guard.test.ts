import { describe, expect, it } from 'vitest';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { RateLimitScene } from './rate-limit.scene.js';

const refusal = expect.any(RateLimitExceededException) as RateLimitExceededException;

describe('RateLimitGuard that refuses', () => {
  it('lets a burst begin at once, then refuses', async () => {
    const scene = new RateLimitScene({ limit: 10, per: 1_000 });

    expect(await scene.admitted(15)).toBe(10);

    expect(scene.results.slice(0, 10).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(scene.results.slice(10).map(({ outcome }) => outcome)).toEqual(new Array(5).fill(refusal));
  });

  it('lets one more begin each per / limit ms', async () => {
    const scene = new RateLimitScene({ limit: 10, per: 1_000 });
    await scene.admitted(10);

    await scene.clock.advance(99);
    expect(await scene.admitted(1)).toBe(0);
    await scene.clock.advance(1);
    expect(await scene.admitted(2)).toBe(1);
    await scene.clock.advance(250);
    expect(await scene.admitted(5)).toBe(2);
  });

  it('is full again after a rest, and holds no more than a burst', async () => {
    const scene = new RateLimitScene({ limit: 10, per: 1_000, burst: 4 });

    expect(await scene.admitted(10)).toBe(4);
    await scene.clock.advance(100_000);
    expect(await scene.admitted(10)).toBe(4);
  });

  it.each([3, 7, 10, 99])('says to the millisecond when the next call is let through, limit %i', async (limit) => {
    const scene = new RateLimitScene({ limit, per: 1_000 });
    await scene.admitted(limit);
    for (let round = 0; round < 20; round++) {
      const { retryAfterMs } = (await scene.attempt()) as RateLimitExceededException;
      expect(Number.isInteger(retryAfterMs)).toBe(true);

      await scene.clock.advance((retryAfterMs as number) - 1);
      expect(await scene.attempt()).toEqual(refusal);
      await scene.clock.advance(1);
      expect(await scene.attempt()).toBe('begun');
      // At a moment between two milliseconds.
      scene.clock.block(0.3);
      await scene.admitted(limit);
    }
  });

  it('refuses with the numbers, as an error and as an event', async () => {
    const scene = new RateLimitScene({ limit: 10, per: 1_000, burst: 2 });
    await scene.admitted(2);
    await scene.clock.advance(40);

    const error = (await scene.attempt()) as RateLimitExceededException;

    const details = { limit: 10, per: 1_000, burst: 2, cost: 1, waitMs: 60 };
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      policy: 'rateLimit',
      instanceName: 'search',
      refusal: true,
      retryAfterMs: 60,
      details,
    });
    expect(error.getStatus()).toBe(429);
    expect(error.explanation).toBe(
      'rate limit search lets 10 through in 1000 ms, 2 at once: used up; a call may begin in 60 ms',
    );
    expect(scene.environment.told).toEqual([
      {
        type: 'refused',
        name: 'search',
        policy: 'rateLimit',
        code: 'RATE_LIMITED',
        retryAfterMs: 60,
        details,
        at: scene.clock.wallNow(),
      },
    ]);
  });

  it('spends no time on a stack for a refusal, and leaves those of others alone', async () => {
    const { stackTraceLimit } = Error;
    const scene = new RateLimitScene({ limit: 1, per: 1_000 });
    await scene.admitted(1);

    const error = (await scene.attempt()) as RateLimitExceededException;

    expect(error.stack).not.toMatch(/\n\s+at /);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  it('needs no timer', async () => {
    const scene = new RateLimitScene({ limit: 10, per: 1_000, warmUp: { over: 100 }, key: (key: string) => key });

    for (let index = 0; index < 100; index++) await scene.attempt([String(index % 7)]);

    expect(scene.clock.timersMade).toBe(0);
  });

  it('charges nothing for a refused call, nor for one that was cut before it came', async () => {
    const scene = new RateLimitScene({ limit: 2, per: 1_000 });
    await scene.admitted(50);
    await scene.clock.advance(500);

    const cut = scene.call([], (call) => call.abort('gone'));

    expect(await scene.admitted(1)).toBe(1);
    expect(cut).toEqual({ status: 'rejected', outcome: 'gone' });
  });

  it('builds no event that nobody hears', async () => {
    const environment = new TestEnvironment(false);
    const scene = new RateLimitScene({ limit: 1, per: 1_000 }, environment);
    await scene.admitted(1);

    expect(await scene.attempt()).toEqual(refusal);
  });
});

describe('cost', () => {
  it('charges what a call costs', async () => {
    const scene = new RateLimitScene({ limit: 100, per: 1_000, cost: (tokens: number) => tokens });

    expect(await scene.attempt([60])).toBe('begun');
    expect(await scene.attempt([41])).toMatchObject({ retryAfterMs: 10, details: { cost: 41 } });
    expect(await scene.attempt([40])).toBe('begun');
    expect(await scene.attempt([0.5])).toMatchObject({ retryAfterMs: 5 });
  });

  it('takes money as well', async () => {
    const scene = new RateLimitScene({ limit: 2.5, per: 1_000, cost: (price: number) => price });

    expect(await scene.attempt([1.25])).toBe('begun');
    expect(await scene.attempt([1.25])).toBe('begun');
    expect(await scene.attempt([0.01])).toMatchObject({ retryAfterMs: 4 });
  });

  it('lets pass what costs nothing', async () => {
    const scene = new RateLimitScene({ limit: 1, per: 1_000, cost: (price: number) => price });
    await scene.attempt([1]);

    expect(await scene.attempt([0])).toBe('begun');
  });

  it('always refuses what costs more than a burst, and says so', async () => {
    const scene = new RateLimitScene({ limit: 100, per: 1_000, burst: 50, cost: (tokens: number) => tokens });

    const error = (await scene.attempt([51])) as RateLimitExceededException;

    expect(error.retryAfterMs).toBeUndefined();
    expect(error.explanation).toBe(
      'rate limit search lets 100 through in 1000 ms, 50 at once: a call that costs 51 never fits',
    );
    expect(await scene.attempt([50])).toBe('begun');
  });

  it.each([
    ['throws', () => thrower()],
    ['is negative', () => -1],
    ['is NaN', () => NaN],
    ['is infinite', () => Infinity],
    ['is no number', () => '5' as unknown as number],
    ['is missing', () => undefined as unknown as number],
  ])('is 1, with a report, when the callback %s', async (_, cost) => {
    const scene = new RateLimitScene({ limit: 2, per: 1_000, cost });

    expect(await scene.admitted(3)).toBe(2);
    expect(scene.environment.reports).toHaveLength(3);
    expect(scene.environment.reports[0]).toMatchObject({ place: 'search, cost', error: expect.any(Error) });
  });
});

describe('warmUp', () => {
  /** 100/s; cold: 33.3/s. Permits: threshold 50, cold at 100. */
  const WARM_UP = { limit: 100, per: 1_000, warmUp: { over: 1_000 } };

  it('begins with a rate of limit / coldFactor', async () => {
    const scene = new RateLimitScene({ ...WARM_UP, burst: 1 });

    expect(await scene.attempt()).toBe('begun');
    // 30 ms for the coldest permit, 0.4 less for each below it: the first takes 29.8.
    expect(await scene.attempt()).toMatchObject({ retryAfterMs: 30, details: { waitMs: expect.closeTo(29.8, 6) } });
  });

  it('lets a burst of the cold rate begin at once', async () => {
    const scene = new RateLimitScene(WARM_UP);

    // 1,000 ms at some 30 to 15 ms each.
    const cold = await scene.admitted(200);

    expect(cold).toBe(50);
  });

  it.each([2, 3, 5])('reaches the limit after `over` ms of use, cold factor %i', async (coldFactor) => {
    const over = 2_000;
    const scene = new RateLimitScene({ ...WARM_UP, burst: 1, warmUp: { over, coldFactor } });
    const interval = async (): Promise<number> => {
      const { details } = (await scene.attempt()) as RateLimitExceededException;
      return (details as { waitMs: number }).waitMs;
    };
    expect(await scene.attempt()).toBe('begun');
    const first = await interval();
    expect(first).toBeGreaterThan(10 * coldFactor * 0.97);
    expect(first).toBeLessThan(10 * coldFactor);
    let last = first;
    let calls = 1;

    while (scene.now + last < over) {
      scene.clock.block(last);
      expect(await scene.attempt()).toBe('begun');
      calls++;
      const next = await interval();
      expect(next).toBeLessThanOrEqual(last + 1e-6);
      last = next;
    }

    // The area under the line from cold to the threshold is `over`.
    const permits = (2 * over) / (10 + 10 * coldFactor);
    expect(Math.abs(calls - permits)).toBeLessThan(2);
    scene.clock.block(last);
    expect(await scene.attempt()).toBe('begun');
    expect(await interval()).toBeCloseTo(10, 1);
  });

  it.each([
    [1_000, 29.8],
    [5_000, 29.8],
    [750, 19.8],
    [500, 10],
    [0, 10],
  ])('has cooled after %i ms without use, so that a call takes %f ms', async (idle, taken) => {
    const scene = new RateLimitScene({ ...WARM_UP, burst: 1 });
    const waitMs = async (): Promise<number> => {
      const { details } = (await scene.attempt()) as RateLimitExceededException;
      return (details as { waitMs: number }).waitMs;
    };
    for (let calls = 0; calls < 110; calls++) {
      expect(await scene.attempt()).toBe('begun');
      scene.clock.block(await waitMs());
    }

    scene.clock.block(idle);

    expect(await scene.attempt()).toBe('begun');
    expect(await waitMs()).toBeCloseTo(taken, 5);
  });

  it('stays cold under light use', async () => {
    const scene = new RateLimitScene({ ...WARM_UP, burst: 1 });
    for (let calls = 0; calls < 100; calls++) {
      expect(await scene.attempt()).toBe('begun');
      scene.clock.block(41);
    }

    await scene.attempt();
    expect(await scene.attempt()).toMatchObject({ details: { waitMs: expect.closeTo(29.8, 6) } });
  });

  it.each([1, 2, 50])('says to the millisecond when the next call is let through, burst %i', async (burst) => {
    const scene = new RateLimitScene({ ...WARM_UP, burst });
    await scene.admitted(burst);
    for (let round = 0; round < 60; round++) {
      const refused = await scene.attempt();
      if (refused === 'begun') continue;
      const { retryAfterMs } = refused as RateLimitExceededException;
      await scene.clock.advance((retryAfterMs as number) - 1);
      expect(await scene.attempt()).toEqual(refusal);
      await scene.clock.advance(1);
      expect(await scene.attempt()).toBe('begun');
    }
  });
});

function thrower(): never {
  throw new Error('no cost');
}
