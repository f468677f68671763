import { describe, expect, it } from 'vitest';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { exponential } from '../../../../lib/kernel/backoff/exponential.js';
import { anyOf } from '../../../../lib/policies/circuit-breaker/trip/any-of.js';
import { failureRate } from '../../../../lib/policies/circuit-breaker/trip/failure-rate.js';
import { slowCallRate } from '../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import type { TripWindow } from '../../../../lib/policies/circuit-breaker/trip/trip-strategy.js';
import { linear } from '../../../../lib/kernel/backoff/linear.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { settle } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';

const RESET = 30_000;
const once = consecutiveFailures(1);
const busy = (seconds: number) =>
  Object.assign(new Error('busy'), { status: 503, headers: { 'retry-after': String(seconds) } });

/** A breaker that has just opened; nobody listens, so nothing but calls and the clock can move it. */
async function opened(options: CircuitBreakerOptions = {}, listening = false): Promise<BreakerScene> {
  const scene = new BreakerScene({ trip: once, ...options }, new TestEnvironment(listening));
  await scene.fail();
  return scene;
}

/** A breaker whose reset time has just passed. */
async function halfOpened(options: CircuitBreakerOptions = {}, listening = false): Promise<BreakerScene> {
  const scene = await opened(options, listening);
  await scene.clock.advance(RESET);
  return scene;
}

describe('the states of a breaker', () => {
  describe('closed', () => {
    it('is how it begins; every call passes', async () => {
      const scene = new BreakerScene();

      expect(scene.state).toBe('closed');
      expect(await scene.lets()).toBe(true);
    });

    it('ends, when the trip strategy says so', async () => {
      const scene = await opened();

      expect(scene.state).toBe('open');
    });
  });

  describe('open', () => {
    it('refuses every call until the reset time is over', async () => {
      const scene = await opened();

      expect(await scene.lets()).toBe(false);
      await scene.clock.advance(RESET - 1);
      expect(await scene.lets()).toBe(false);
      await scene.clock.advance(1);

      expect(await scene.lets()).toBe(true);
    });

    it('reads half-open as soon as the reset time is over, without a call, and tells nothing', async () => {
      const environment = new TestEnvironment();
      const scene = new BreakerScene({ trip: once }, environment);
      await scene.fail();
      environment.told.length = 0;

      scene.clock.block(RESET - 1);
      expect(scene.state).toBe('open');
      scene.clock.block(1);
      for (let reading = 0; reading < 5; reading++) expect(scene.state).toBe('halfOpen');

      expect(environment.told).toEqual([]);
    });

    it('lasts as long as resetTimeout says', async () => {
      const scene = await opened({ resetTimeout: 500 });

      await scene.clock.advance(499);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('gives the time to the next probe', async () => {
      const scene = await opened();
      await scene.clock.advance(10_000);

      const refused = scene.begin();
      await settle();

      expect(refused.result.outcome).toMatchObject({ retryAfterMs: 20_000 });
    });

    it('does not count calls that began before it: neither late failures nor late successes move it', async () => {
      const scene = new BreakerScene({ trip: once }, new TestEnvironment(false));
      const [late, later] = [scene.begin(), scene.begin()];
      await scene.fail();
      await scene.clock.advance(10_000);

      await late.fail();
      await later.succeed();

      expect(scene.state).toBe('open');
      await scene.clock.advance(RESET - 10_000);
      expect(scene.state).toBe('halfOpen');
      expect(scene.stats).toMatchObject({ successes: 0 });
    });
  });

  describe('half-open', () => {
    it('lets one probe through at a time, and refuses the rest', async () => {
      const scene = await halfOpened();
      const probe = scene.begin();
      const other = scene.begin();
      await settle();

      expect([probe.begun, other.begun]).toEqual([true, false]);
      expect(other.result.outcome).toBeInstanceOf(CircuitOpenException);
    });

    it('closes, when the probe succeeds', async () => {
      const scene = await halfOpened();

      await scene.begin().succeed();

      expect(scene.state).toBe('closed');
      expect(await scene.lets()).toBe(true);
    });

    it('closes with an answer that is no success to its caller: 404', async () => {
      const scene = await halfOpened();

      await scene.fail(1, Object.assign(new Error('not found'), { status: 404 }));

      expect(scene.state).toBe('closed');
    });

    it('reopens for the whole reset time, when the probe fails', async () => {
      const scene = await halfOpened();

      await scene.fail();
      expect(scene.state).toBe('open');
      await scene.clock.advance(RESET - 1);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('runs at most halfOpenCalls at once, and all must succeed', async () => {
      const scene = await halfOpened({ halfOpenCalls: 3 });
      const probes = [scene.begin(), scene.begin(), scene.begin(), scene.begin()];
      await settle();
      expect(probes.map(({ begun }) => begun)).toEqual([true, true, true, false]);

      await probes[2]?.succeed();
      await probes[0]?.succeed();
      expect(scene.state).toBe('halfOpen');
      expect(await scene.lets()).toBe(false);
      await probes[1]?.succeed();

      expect(scene.state).toBe('closed');
    });

    it('takes no more than halfOpenCalls in all, one after the other too', async () => {
      const scene = await halfOpened({ halfOpenCalls: 3 });

      await scene.succeed(2);
      expect(scene.state).toBe('halfOpen');
      await scene.succeed(1);

      expect(scene.state).toBe('closed');
    });

    it('reopens with any failure, whatever the other probes do', async () => {
      const scene = await halfOpened({ halfOpenCalls: 3 });
      const probes = [scene.begin(), scene.begin(), scene.begin()];

      await probes[0]?.succeed();
      await probes[1]?.fail();
      expect(scene.state).toBe('open');
      await probes[2]?.succeed();

      expect(scene.state).toBe('open');
    });

    it('forgets the successes of an earlier half-open', async () => {
      const scene = await halfOpened({ halfOpenCalls: 2 });
      await scene.succeed();
      await scene.fail();
      await scene.clock.advance(RESET);

      await scene.succeed();

      expect(scene.state).toBe('halfOpen');
    });

    it('is not closed or reopened by calls that began before the trip', async () => {
      const scene = new BreakerScene({ trip: once }, new TestEnvironment(false));
      const [good, bad] = [scene.begin(), scene.begin()];
      await scene.fail();
      await scene.clock.advance(RESET);
      const probe = scene.begin();

      await good.succeed();
      expect(scene.state).toBe('halfOpen');
      await bad.fail();
      expect(scene.state).toBe('halfOpen');
      await probe.succeed();

      expect(scene.state).toBe('closed');
    });

    it('is not moved by a probe of an earlier half-open', async () => {
      const scene = await halfOpened({ halfOpenCalls: 2 });
      const stale = scene.begin();
      await scene.fail();
      await scene.clock.advance(RESET);
      const fresh = scene.begin();

      await stale.fail();
      expect(scene.state).toBe('halfOpen');
      await fresh.succeed();
      expect(scene.state).toBe('halfOpen');
      await scene.succeed();

      expect(scene.state).toBe('closed');
    });

    it('gets a permit back, when its probe is aborted by the caller', async () => {
      const scene = await halfOpened();
      const controller = new AbortController();
      scene.begin({ signal: controller.signal });
      await settle();
      expect(await scene.lets()).toBe(false);

      controller.abort();
      await settle();

      expect(scene.state).toBe('halfOpen');
      expect(await scene.lets()).toBe(true);
    });

    it('does not get a permit back twice', async () => {
      const scene = await halfOpened({ halfOpenCalls: 2 });
      const probes = [scene.begin({ signal: AbortSignal.abort() }), scene.begin()];
      await settle();

      await probes[0]?.succeed();
      const next = [scene.begin(), scene.begin()];
      await settle();

      expect(next.map(({ begun }) => begun)).toEqual([true, false]);
    });

    it('is judged by its probes alone: the window need not be full', async () => {
      const scene = new BreakerScene({ volumeThreshold: 10 }, new TestEnvironment(false));
      await scene.fail(10);
      await scene.clock.advance(RESET);

      await scene.fail(1);

      expect(scene.state).toBe('open');
    });
  });

  describe('halfOpenErrorThresholdPercentage', () => {
    const reasonOf = (scene: BreakerScene) => scene.environment.of('stateChange').at(-1)?.reason;
    const half = { halfOpenCalls: 4, halfOpenErrorThresholdPercentage: 50 };

    it('lets as many probes fail, and closes when all are judged', async () => {
      const scene = await halfOpened(half, true);

      await scene.fail(2);
      await scene.succeed();
      expect(scene.state).toBe('halfOpen');
      await scene.succeed();

      expect(scene.state).toBe('closed');
      expect(reasonOf(scene)).toBe('2 of 4 probes succeeded');
    });

    it('closes with a failure too, if it is the last to be judged', async () => {
      const scene = await halfOpened(half);
      const probes = [scene.begin(), scene.begin(), scene.begin(), scene.begin()];
      for (const probe of probes.slice(0, 3)) await probe.succeed();
      expect(scene.state).toBe('halfOpen');

      await probes[3]?.fail();

      expect(scene.state).toBe('closed');
    });

    it('reopens as soon as more have failed', async () => {
      const scene = await halfOpened(half, true);

      await scene.fail(2);
      expect(scene.state).toBe('halfOpen');
      await scene.fail();

      expect(scene.state).toBe('open');
      expect(reasonOf(scene)).toBe('3 of 4 probes failed, limit 50 %: a probe failed');
    });

    it('lets no more than halfOpenCalls through, those that failed included', async () => {
      const scene = await halfOpened(half);
      await scene.fail(2);
      const probes = [scene.begin(), scene.begin(), scene.begin()];
      await settle();

      expect(probes.map(({ begun }) => begun)).toEqual([true, true, false]);
    });

    it('hands the permit back of a probe that counts nowhere', async () => {
      const scene = await halfOpened({ ...half, errorFilter: (error) => error === 'filtered' });

      await scene.fail(5, 'filtered');
      await scene.fail(2);
      await scene.succeed(2);

      expect(scene.state).toBe('closed');
    });

    it.each([
      [3, 33, 0],
      [3, 34, 1],
      [50, 58, 29],
      [3, 100, 3],
      [1, 99, 0],
    ])('of %i probes at %i %% lets %i fail', async (halfOpenCalls, halfOpenErrorThresholdPercentage, mayFail) => {
      const kept = await halfOpened({ halfOpenCalls, halfOpenErrorThresholdPercentage });
      await kept.fail(mayFail);
      await kept.succeed(halfOpenCalls - mayFail);
      expect(kept.state).toBe('closed');
      if (mayFail === halfOpenCalls) return;

      const broken = await halfOpened({ halfOpenCalls, halfOpenErrorThresholdPercentage });
      await broken.fail(mayFail + 1);

      expect(broken.state).toBe('open');
    });

    it('begins anew with the next half-open', async () => {
      const scene = await halfOpened(half);
      await scene.fail(3);
      await scene.clock.advance(RESET);

      await scene.fail(2);

      expect(scene.state).toBe('halfOpen');
    });

    it('is by default 0: one failure reopens, whatever succeeded before', async () => {
      const scene = await halfOpened({ halfOpenCalls: 4 });
      await scene.succeed(3);

      await scene.fail();

      expect(scene.state).toBe('open');
    });

    it('does not keep a hung probe from reopening it', async () => {
      const scene = await halfOpened({ ...half, halfOpenErrorThresholdPercentage: 100, halfOpenMaxWait: 500 });
      scene.begin();

      await scene.clock.advance(500);

      expect(scene.state).toBe('open');
    });

    it('judges what is there anew under other options', async () => {
      const [stricter, fewer] = [await halfOpened(half), await halfOpened(half)];
      await stricter.fail();
      await fewer.fail();
      await fewer.succeed();

      const reconfigure = (scene: BreakerScene, more: CircuitBreakerOptions): void =>
        scene.named.reconfigure({ ...scene.named.options, ...more });
      reconfigure(stricter, { halfOpenErrorThresholdPercentage: 0 });
      reconfigure(fewer, { halfOpenCalls: 2 });

      expect([stricter.state, fewer.state]).toEqual(['open', 'closed']);
    });
  });

  describe('a slow probe', () => {
    const slow = slowCallRate({ slowerThan: 20, percentage: 50 });
    const slowed = async (options: CircuitBreakerOptions = {}, listening = false): Promise<BreakerScene> => {
      const scene = new BreakerScene({ trip: slow, volumeThreshold: 1, ...options }, new TestEnvironment(listening));
      await scene.succeed(1, 30);
      expect(scene.state).toBe('open');
      const left = (await refusedAfter(scene)).retryAfterMs as number;
      await scene.clock.advance(left);
      return scene;
    };
    const refusedAfter = async (scene: BreakerScene): Promise<CircuitOpenException> => {
      const refused = scene.begin();
      await settle();
      return refused.result.outcome as CircuitOpenException;
    };

    it('reopens, and says why', async () => {
      const scene = await slowed({}, true);

      await scene.succeed(1, 30);

      expect(scene.state).toBe('open');
      expect(scene.environment.of('stateChange').at(-1)?.reason).toBe('a probe took 30 ms, limit 20 ms');
    });

    it('closes, if it took no longer than the limit', async () => {
      const scene = await slowed();

      await scene.succeed(1, 20);

      expect(scene.state).toBe('closed');
    });

    it.each([
      ['anyOf', anyOf(consecutiveFailures(5), slow)],
      ['anyOf in anyOf', anyOf(consecutiveFailures(5), anyOf(failureRate(), slow))],
    ])('reopens inside %s too', async (_where, trip) => {
      const scene = await slowed({ trip });

      await scene.succeed(1, 30);

      expect(scene.state).toBe('open');
    });

    it('reopens with an answer that is an error too: 404', async () => {
      const scene = await slowed();
      const probe = scene.begin();
      scene.clock.block(30);

      await probe.fail(Object.assign(new Error('not found'), { status: 404 }));

      expect(scene.state).toBe('open');
    });

    it('makes the open time grow', async () => {
      const resetTimeout = exponential({ initial: 60, factor: 2, max: 10_000, jitter: 'none' });
      const scene = await slowed({ resetTimeout });
      const openTimes: unknown[] = [];

      for (let probe = 0; probe < 4; probe++) {
        await scene.succeed(1, 30);
        const { retryAfterMs } = await refusedAfter(scene);
        openTimes.push(retryAfterMs);
        await scene.clock.advance(retryAfterMs as number);
      }

      expect(openTimes).toEqual([120, 240, 480, 960]);
    });

    it('is one of those that may fail', async () => {
      const scene = await slowed({ halfOpenCalls: 2, halfOpenErrorThresholdPercentage: 50 });

      await scene.succeed(1, 30);
      expect(scene.state).toBe('halfOpen');
      await scene.succeed();

      expect(scene.state).toBe('closed');
    });

    it('is a success in the numbers: its caller got its value', async () => {
      const scene = await slowed();
      const before = scene.stats.successes;

      await scene.succeed(1, 30);

      expect(scene.stats).toMatchObject({ successes: before + 1, failures: 0 });
    });

    it('closes under a strategy that has nothing to do with slowness', async () => {
      const scene = await halfOpened();

      await scene.succeed(1, 10_000);

      expect(scene.state).toBe('closed');
    });

    it('decides nothing any more, when the strategy itself has steered the breaker', async () => {
      const track = () => ({
        shouldTrip: (window: TripWindow) => window.failures > 0,
        failsProbe: () => (scene.breaker.forceClose(), true),
      });
      const scene: BreakerScene = await halfOpened({ trip: { name: 'own', shouldTrip: () => false, track } });

      await scene.succeed();

      expect(scene.state).toBe('closed');
    });

    it.each<[boolean | string | undefined, string, string | undefined]>([
      ['my reason', 'open', 'my reason'],
      [true, 'open', 'a probe failed by trip strategy own'],
      [false, 'closed', '1 of 1 probes succeeded'],
      [undefined, 'closed', '1 of 1 probes succeeded'],
    ])("is what a user's own strategy says it is: %s", async (verdict, state, reason) => {
      const track = () => ({
        shouldTrip: (window: TripWindow) => window.failures > 0,
        failsProbe: () => verdict as boolean,
      });
      const scene = await halfOpened({ trip: { name: 'own', shouldTrip: () => false, track } }, true);

      await scene.succeed();

      expect(scene.state).toBe(state);
      expect(scene.environment.of('stateChange').at(-1)?.reason).toBe(reason);
    });
  });

  describe('a hung probe', () => {
    it('reopens it after halfOpenMaxWait, with or without a call, and reading tells nothing', async () => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000 });
      scene.begin();
      await settle();

      await scene.clock.advance(4_999);
      expect(scene.state).toBe('halfOpen');
      await scene.clock.advance(1);
      expect(scene.state).toBe('open');
      await scene.clock.advance(RESET - 1);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('is given 30 s, when nothing is said', async () => {
      const scene = await halfOpened();
      scene.begin();

      await scene.clock.advance(29_999);
      expect(scene.state).toBe('halfOpen');
      await scene.clock.advance(1);

      expect(scene.state).toBe('open');
    });

    it('refuses calls after it, with the time to the next probe', async () => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000 });
      scene.begin();
      await scene.clock.advance(6_000);

      const refused = scene.begin();
      await settle();

      expect(refused.begun).toBe(false);
      expect(refused.result.outcome).toMatchObject({ retryAfterMs: RESET - 1_000, details: { state: 'open' } });
      expect((refused.result.outcome as CircuitOpenException).explanation).toContain(
        'a probe gave no answer within 5000 ms',
      );
    });

    it('does not block for ever: the next probe can close', async () => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000 });
      scene.begin();
      await scene.clock.advance(5_000 + RESET);

      expect(await scene.lets()).toBe(true);

      expect(scene.state).toBe('closed');
    });

    it.each(['succeeds', 'fails'])('moves nothing, when it %s after all, after another call came', async (how) => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000 });
      const hung = scene.begin();
      await scene.clock.advance(6_000);
      await scene.lets();

      await (how === 'succeeds' ? hung.succeed() : hung.fail());

      expect(scene.state).toBe('open');
      await scene.clock.advance(RESET - 1_000);
      expect(scene.state).toBe('halfOpen');
    });

    it.each(['succeeds', 'fails'])('moves nothing, when it %s after all, and no call came meanwhile', async (how) => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000 });
      const hung = scene.begin();
      await scene.clock.advance(6_000);
      expect(scene.state).toBe('open');

      await (how === 'succeeds' ? hung.succeed() : hung.fail());

      expect(scene.state).toBe('open');
      await scene.clock.advance(RESET - 1_001);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);
      expect(scene.state).toBe('halfOpen');
    });

    it('is the oldest of those that run', async () => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000, halfOpenCalls: 2 });
      scene.begin();
      await scene.clock.advance(3_000);
      scene.begin();

      await scene.clock.advance(1_999);
      expect(scene.state).toBe('halfOpen');
      await scene.clock.advance(1);

      expect(scene.state).toBe('open');
    });

    it('is none that has ended: the time of the next oldest counts', async () => {
      const scene = await halfOpened({ halfOpenMaxWait: 5_000, halfOpenCalls: 2 });
      const first = scene.begin();
      await scene.clock.advance(3_000);
      scene.begin();
      await first.succeed();

      await scene.clock.advance(4_999);
      expect(scene.state).toBe('halfOpen');
      await scene.clock.advance(1);

      expect(scene.state).toBe('open');
    });
  });

  describe('the open time', () => {
    it('is lengthened by up to resetJitter, never shortened', async () => {
      for (const [chance, expected] of [
        [0, 1_000],
        [0.5, 1_050],
        [0.999, 1_099.9],
      ] as const) {
        const environment = new TestEnvironment(false);
        const scene = new BreakerScene({ trip: once, resetTimeout: 1_000 }, environment);
        environment.chances = [chance];
        await scene.fail();

        await scene.clock.advance(expected - 0.5);
        expect(scene.state).toBe('open');
        await scene.clock.advance(0.5);
        expect(scene.state).toBe('halfOpen');
      }
    });

    it('is exact with resetJitter 0, and doubled at most with 1', async () => {
      const exact = new BreakerScene({ trip: once, resetTimeout: 1_000, resetJitter: 0 }, new TestEnvironment(false));
      const wide = new BreakerScene({ trip: once, resetTimeout: 1_000, resetJitter: 1 }, new TestEnvironment(false));
      for (const scene of [exact, wide]) {
        scene.environment.chances = [0.9];
        await scene.fail();
        await scene.clock.advance(1_000);
      }

      expect([exact.state, wide.state]).toEqual(['halfOpen', 'open']);
      await wide.clock.advance(900);
      expect(wide.state).toBe('halfOpen');
    });

    it('does not change by being looked at', async () => {
      const scene = await halfOpened({ halfOpenMaxWait: 1_000, resetTimeout: RESET });
      scene.environment.chances = [0.5, 0.9, 0.1, 0.7, 0.3];
      scene.begin();
      await scene.clock.advance(1_000);

      // The first chance holds for the opening: 31_500 ms.
      for (let reading = 0; reading < 4; reading++) expect(scene.state).toBe('open');
      await scene.clock.advance(31_499);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('grows with each opening in a row, by a backoff, and shrinks back by closing', async () => {
      const scene = new BreakerScene(
        { trip: once, resetTimeout: exponential({ initial: 1_000, factor: 3, max: 5_000, jitter: 'none' }) },
        new TestEnvironment(false),
      );
      const openTimes: number[] = [];
      const measure = async (): Promise<void> => {
        await scene.fail();
        const refused = scene.begin();
        await settle();
        const ms = (refused.result.outcome as CircuitOpenException).retryAfterMs as number;
        openTimes.push(ms);
        await scene.clock.advance(ms);
      };

      for (let opening = 0; opening < 4; opening++) await measure();
      await scene.succeed();
      expect(scene.state).toBe('closed');
      await measure();

      expect(openTimes).toEqual([1_000, 3_000, 5_000, 5_000, 1_000]);
    });

    it('grows by hung probes too', async () => {
      const scene = new BreakerScene(
        { trip: once, resetTimeout: linear({ initial: 1_000, step: 1_000 }), halfOpenMaxWait: 500 },
        new TestEnvironment(false),
      );
      await scene.fail();
      await scene.clock.advance(1_000);
      scene.begin();

      await scene.clock.advance(500 + 1_999);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('is as long as the dependency asked for by Retry-After, where that is longer', async () => {
      const scene = new BreakerScene({ trip: once, resetTimeout: 1_000 }, new TestEnvironment(false));

      await scene.fail(1, busy(20));
      await scene.clock.advance(19_999);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('is not shortened by Retry-After', async () => {
      const scene = new BreakerScene({ trip: once, resetTimeout: 10_000 }, new TestEnvironment(false));

      await scene.fail(1, busy(1));
      await scene.clock.advance(9_999);

      expect(scene.state).toBe('open');
    });

    it('follows Retry-After for a minute at most', async () => {
      const scene = new BreakerScene({ trip: once, resetTimeout: 1_000 }, new TestEnvironment(false));

      await scene.fail(1, busy(86_400));
      await scene.clock.advance(59_999);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);

      expect(scene.state).toBe('halfOpen');
    });

    it('follows the Retry-After of a failed probe', async () => {
      const scene = await halfOpened();

      await scene.fail(1, busy(50));
      await scene.clock.advance(49_999);

      expect(scene.state).toBe('open');
    });
  });

  describe('recovery', () => {
    const recovery = { over: 10_000, from: 0.2 };

    it('admits a share that grows from `from` to all, after it has closed', async () => {
      const scene = await halfOpened({ recovery });
      await scene.succeed();
      const letsWith = async (chance: number) => {
        scene.environment.chances = [chance];
        return scene.lets();
      };

      expect([await letsWith(0.19), await letsWith(0.21)]).toEqual([true, false]);
      await scene.clock.advance(5_000);
      expect([await letsWith(0.59), await letsWith(0.61)]).toEqual([true, false]);
      await scene.clock.advance(5_000);

      expect(await letsWith(0.999)).toBe(true);
    });

    it('refuses the others with the reason, and without a time', async () => {
      const scene = await halfOpened({ recovery });
      await scene.succeed();
      scene.environment.chances = [0.9];

      const refused = scene.begin();
      await settle();

      expect(refused.result.outcome).toMatchObject({ code: 'CIRCUIT_OPEN' });
      expect((refused.result.outcome as CircuitOpenException).explanation).toContain('recovering');
      expect(scene.stats.rejects).toBe(1);
    });

    it('does not hold back a breaker that was never open', async () => {
      const scene = new BreakerScene({ recovery });
      scene.environment.chances = [0.9];

      expect(await scene.lets()).toBe(true);
    });

    it('begins anew with each closing', async () => {
      const scene = await halfOpened({ recovery });
      await scene.succeed();
      await scene.clock.advance(20_000);
      await scene.succeed();
      await scene.fail();
      await scene.clock.advance(RESET);
      await scene.succeed();
      scene.environment.chances = [0.9];

      expect(await scene.lets()).toBe(false);
    });

    it.each<[string, (scene: BreakerScene) => void]>([
      ['reset()', ({ breaker }) => breaker.reset()],
      ['forceClose()', ({ breaker }) => breaker.forceClose()],
      ['close()', ({ breaker }) => breaker.close()],
      ['disable() and enable()', ({ breaker }) => (breaker.disable(), breaker.enable())],
      ['forceOpen() and enable()', ({ breaker }) => (breaker.forceOpen(), breaker.enable())],
    ])('is none after %s, whatever it was before: by hand it closes wholly', async (_way, close) => {
      const [open, probing, ramping] = [
        await opened({ recovery }),
        await halfOpened({ recovery }),
        await halfOpened({ recovery }),
      ];
      probing.begin();
      await ramping.succeed();

      for (const scene of [open, probing, ramping]) {
        close(scene);
        scene.environment.chances = [0.999];

        expect([scene.state, await scene.lets()]).toEqual(['closed', true]);
      }
    });

    it('goes on in its own time below an order, and does not begin anew with its end', async () => {
      const scene = await halfOpened({ recovery });
      await scene.succeed();
      scene.named.say('rule', { state: 'disabled', reason: 'a rule' });
      await scene.clock.advance(5_000);

      scene.named.say('rule', undefined);
      scene.environment.chances = [0.59];
      expect(await scene.lets()).toBe(true);
      scene.environment.chances = [0.61];
      expect(await scene.lets()).toBe(false);

      scene.named.say('rule', { state: 'disabled', reason: 'a rule' });
      await scene.clock.advance(3_600_000);
      scene.named.say('rule', undefined);
      scene.environment.chances = [0.999];
      expect(await scene.lets()).toBe(true);
    });

    it('is none in a state that was restored', async () => {
      const scene = await halfOpened({ recovery });
      await scene.succeed();

      scene.breaker.restore({ ...new BreakerScene().breaker.snapshot() });
      scene.environment.chances = [0.999];

      expect(await scene.lets()).toBe(true);
    });

    it('is none, when nothing is said', async () => {
      const scene = await halfOpened();
      await scene.succeed();
      scene.environment.chances = [0.999];

      expect(await scene.lets()).toBe(true);
    });
  });

  describe('allowWarmUp', () => {
    it('does not open within the first rollingCountTimeout, and does after it', async () => {
      const scene = new BreakerScene({ trip: once, allowWarmUp: true }, new TestEnvironment(false));

      await scene.fail(5);
      await scene.clock.advance(9_999);
      await scene.fail(5);
      expect(scene.state).toBe('closed');
      expect(scene.breaker.warmUp).toBe(true);
      await scene.clock.advance(1);
      await scene.fail(1);

      expect(scene.state).toBe('open');
      expect(scene.breaker.warmUp).toBe(false);
    });

    it('is off, when nothing is said', () => {
      expect(new BreakerScene().breaker.warmUp).toBe(false);
    });
  });

  describe("mode 'metricsOnly'", () => {
    it('judges and tells what it would have done, and refuses nothing', async () => {
      const scene = await opened({ mode: 'metricsOnly' }, true);

      expect(scene.state).toBe('open');
      expect(await scene.lets()).toBe(true);

      expect(scene.stats).toMatchObject({ fires: 2, failures: 1, rejects: 1, successes: 1 });
      expect(scene.environment.of('stateChange')).toMatchObject([{ to: 'open', metricsOnly: true }]);
      expect(scene.environment.of('refused')).toMatchObject([
        { code: 'CIRCUIT_OPEN', retryAfterMs: RESET, details: { state: 'open' }, metricsOnly: true },
      ]);
    });

    it('counts on while it would be open, and neither opens anew nor closes by that', async () => {
      const scene = await opened({ mode: 'metricsOnly' }, true);

      await scene.succeed(3);
      await scene.fail(2);

      expect(scene.stats).toMatchObject({ failures: 3, successes: 3, rejects: 5 });
      expect(scene.environment.of('stateChange')).toHaveLength(1);
      expect(scene.environment.of('success')).toHaveLength(3);
      await scene.clock.advance(RESET);
      expect(scene.state).toBe('halfOpen');
    });

    it('sees recovery as if it had refused: only what would have been a probe is one', async () => {
      const scene = await halfOpened({ mode: 'metricsOnly' }, true);
      const probe = scene.begin();
      await scene.fail(2);
      scene.begin().call.abort(new Error('gone'));
      await settle();
      expect(scene.state).toBe('halfOpen');

      await probe.succeed();

      expect(scene.state).toBe('closed');
      expect(scene.environment.of('refused')).toHaveLength(3);
    });

    it('reopens by a probe that failed', async () => {
      const scene = await halfOpened({ mode: 'metricsOnly' }, true);

      await scene.fail();

      expect(scene.state).toBe('open');
      expect(await scene.lets()).toBe(true);
    });

    it('keeps the permit of a probe that began at the same moment as a call that counts nowhere', async () => {
      const scene = await halfOpened({ mode: 'metricsOnly' });
      scene.begin();
      await scene.fail(1, new ShutdownException({ policy: 'retry', instanceName: 'x', message: 'bye' }));

      const [third] = [scene.begin()];
      await third.fail();

      expect(scene.state).toBe('halfOpen');
    });

    it('holds no breaker of a key for idle while a call goes on that it would have refused', async () => {
      const scene = await opened({ mode: 'metricsOnly' });
      const running = scene.begin();
      await settle();
      expect(scene.breaker.core.inFlight).toBe(1);

      await running.succeed();

      expect(scene.breaker.core.inFlight).toBe(0);
    });

    it('tells and counts in the same way of what is fired by hand', async () => {
      const scene = await opened({ mode: 'metricsOnly' }, true);

      expect(await scene.breaker.fire(() => 'fired')).toBe('fired');

      expect(scene.stats).toMatchObject({ successes: 1, rejects: 1 });
      expect(scene.environment.of('refused')).toMatchObject([{ metricsOnly: true }]);
      expect(scene.breaker.core.inFlight).toBe(0);
    });

    it('does not mark its changes otherwise', async () => {
      const scene = await opened({}, true);

      expect(scene.environment.of('stateChange')[0]).not.toHaveProperty('metricsOnly');
    });
  });

  describe('disabled', () => {
    it('counts nothing, and remembers nothing of it when it is enabled', async () => {
      const scene = new BreakerScene({ volumeThreshold: 1 });
      await scene.succeed(2);
      const running = scene.begin();
      scene.breaker.disable();
      const before = scene.stats;

      await scene.succeed(3);
      await scene.fail(3);
      await scene.fail(1, new BulkheadFullException({ policy: 'bulkhead', instanceName: 'inner', message: 'full' }));
      await running.fail();
      await scene.breaker.fire(() => 'fired');

      expect(scene.stats).toEqual(before);
      expect(before.fires).toBe(3);
      expect(scene.breaker.core.inFlight).toBe(0);
    });

    it('counts nothing by its options either', async () => {
      const scene = new BreakerScene({ enabled: false });

      await scene.fail(5);

      expect(scene.stats).toMatchObject({ fires: 0, failures: 0, rejects: 0 });
    });
  });

  describe('by hand', () => {
    it('is forced open until it is closed, whatever time passes', async () => {
      const scene = new BreakerScene({}, new TestEnvironment(false));

      scene.breaker.forceOpen('maintenance');
      await scene.clock.advance(1_000_000);
      expect(scene.state).toBe('forcedOpen');
      expect(await scene.lets()).toBe(false);
      scene.breaker.close();

      expect(scene.state).toBe('closed');
      expect(await scene.lets()).toBe(true);
    });

    it('is closed at once, with an empty window, and judges on', async () => {
      const scene = await opened({ trip: consecutiveFailures(2) });
      await scene.fail();
      expect(scene.state).toBe('open');

      scene.breaker.close();
      expect([scene.state, scene.stats.failures]).toEqual(['closed', 0]);
      await scene.fail(1);
      expect(scene.state).toBe('closed');
      await scene.fail(1);

      expect(scene.state).toBe('open');
    });

    it('forgets by being closed what was counted while it was closed already', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(3) });
      await scene.fail(2);

      scene.breaker.close();
      await scene.fail(2);

      expect(scene.state).toBe('closed');
    });

    it('forgets everything by reset, also that it was forced open', async () => {
      const scene = new BreakerScene();
      await scene.fail(5);
      scene.breaker.forceOpen();

      scene.breaker.reset();

      expect(scene.state).toBe('closed');
      expect(scene.stats).toMatchObject({ fires: 0, failures: 0, successes: 0, rejects: 0 });
    });

    it('lets everything through while it is disabled, and counts nothing', async () => {
      const scene = await opened();

      scene.breaker.disable();
      await scene.fail(20);

      expect(scene.state).toBe('disabled');
      expect(await scene.lets()).toBe(true);
      expect(scene.breaker.enabled).toBe(false);
      expect(scene.stats.failures).toBeLessThanOrEqual(1);
    });

    it('judges again with a clean window, when it is enabled', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(2) });
      await scene.fail(1);
      scene.breaker.disable();

      scene.breaker.enable();
      expect([scene.state, scene.stats.failures]).toEqual(['closed', 0]);
      await scene.fail(2);

      expect(scene.state).toBe('open');
    });

    it('does not count what began before it was disabled or enabled', async () => {
      const scene = new BreakerScene({ trip: once });
      const before = scene.begin();
      scene.breaker.disable();
      const during = scene.begin();
      scene.breaker.enable();

      await before.fail();
      await during.fail();

      expect([scene.state, scene.stats.failures]).toEqual(['closed', 0]);
    });

    it('does nothing by enable(), when it is not disabled', async () => {
      const scene = await opened();

      scene.breaker.enable();

      expect(scene.state).toBe('open');
    });

    it('opens by open(), and lets a probe through after the reset time', async () => {
      const scene = new BreakerScene({}, new TestEnvironment(false));

      scene.breaker.open();
      expect(scene.state).toBe('open');
      await scene.clock.advance(RESET);

      expect(scene.state).toBe('halfOpen');
    });

    it('begins disabled with enabled: false', async () => {
      const scene = new BreakerScene({ enabled: false, trip: once });

      await scene.fail(5);

      expect(scene.state).toBe('disabled');
      expect(await scene.lets()).toBe(true);
    });
  });

  describe('what it tells', () => {
    it('tells every transition with its reason, at the moment at which it came about', async () => {
      const scene = new BreakerScene({ trip: once });
      const start = scene.clock.wallNow();
      await scene.fail();
      scene.clock.block(RESET + 7_000);

      await scene.succeed();

      expect(scene.environment.of('stateChange')).toEqual([
        {
          type: 'stateChange',
          name: 'payments',
          policy: 'circuitBreaker',
          from: 'closed',
          to: 'open',
          reason: '1 failure in a row, limit 1',
          at: start,
        },
        expect.objectContaining({ from: 'open', to: 'halfOpen', at: start + RESET }),
        expect.objectContaining({ from: 'halfOpen', to: 'closed', at: start + RESET + 7_000 }),
      ]);
    });

    it('tells by itself that it went half-open, when somebody listens', async () => {
      const scene = new BreakerScene({ trip: once });
      const start = scene.clock.wallNow();
      await scene.fail();

      await scene.clock.advance(RESET + 100);

      expect(scene.environment.of('stateChange').at(-1)).toMatchObject({ to: 'halfOpen', at: start + RESET });
    });

    it('tells by itself that a hung probe reopened it', async () => {
      const scene = new BreakerScene({ trip: once, halfOpenMaxWait: 5_000 });
      await scene.fail();
      await scene.clock.advance(RESET);
      scene.begin();
      const begun = scene.clock.wallNow();

      await scene.clock.advance(5_100);

      expect(scene.environment.of('stateChange').at(-1)).toMatchObject({
        from: 'halfOpen',
        to: 'open',
        at: begun + 5_000,
      });
    });

    it('tells what was done by hand', () => {
      const scene = new BreakerScene();

      scene.breaker.forceOpen('maintenance');
      scene.breaker.close();
      scene.breaker.disable();
      scene.breaker.enable();
      scene.breaker.open();
      scene.breaker.reset();

      expect(scene.environment.of('stateChange').map(({ from, to }) => `${from} ${to}`)).toEqual([
        'closed forcedOpen',
        'forcedOpen closed',
        'closed disabled',
        'disabled closed',
        'closed open',
        'open closed',
      ]);
      expect(scene.environment.of('stateChange')[0]?.reason).toBe('maintenance');
    });

    it('tells nothing, where nothing changes', () => {
      const scene = new BreakerScene();

      scene.breaker.close();
      scene.breaker.reset();
      scene.breaker.enable();

      expect(scene.environment.told).toEqual([]);
    });
  });
});
