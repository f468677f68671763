import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import type { CallInfo } from '../../../../lib/kernel/call-info.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BULKHEAD_DEFAULTS } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { execute, guarded, ManualWork, newCall } from '../../../support/calls.js';
import { Gate } from '../../../support/guards.js';
import { settle, track } from '../../../support/settle.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const status = (code: number, headers: object = {}) =>
  Object.assign(new Error(`status ${code}`), { status: code, response: { headers } });
const grpc = (code: number) => Object.assign(new Error(`code ${code}`), { code, details: '', metadata: {} });

/** What one call that ended with `error` counted as. */
async function countOf(error: unknown, options: CircuitBreakerOptions = {}) {
  const scene = new BreakerScene(options);
  await scene.fail(1, error);
  const { fires, successes, failures, timeouts } = scene.stats;
  expect(fires).toBe(1);
  const kinds = scene.environment.told.map(({ type }) => type);
  return { successes, failures, timeouts, kinds };
}

const FAILURE = { successes: 0, failures: 1, timeouts: 0, kinds: ['failure'] };
const SUCCESS = { successes: 1, failures: 0, timeouts: 0, kinds: ['success'] };
const IGNORED = { successes: 0, failures: 0, timeouts: 0, kinds: ['ignored'] };

describe('CircuitBreakerGuard', () => {
  it('gives the value or the error of the method as it is', async () => {
    const scene = new BreakerScene();
    const [good, bad] = [scene.begin(), scene.begin()];
    const error = new Error('no');

    await good.succeed('value');
    await bad.fail(error);

    expect(good.result).toEqual({ status: 'fulfilled', outcome: 'value' });
    expect(bad.result.outcome).toBe(error);
  });

  describe('what counts as what', () => {
    it.each([
      ['an error', new Error('x')],
      ['a string', 'x'],
      ['undefined', undefined],
      ['408', status(408)],
      ['425', status(425)],
      ['429', status(429)],
      ['500', status(500)],
      ['501', status(501)],
      ['gRPC 2', grpc(2)],
      ['gRPC 14', grpc(14)],
      ['SQLSTATE 40001', Object.assign(new Error('x'), { code: '40001' })],
    ])('counts as a failure: %s', async (_what, error) => {
      expect(await countOf(error)).toEqual(FAILURE);
    });

    it.each([
      ['404', new NotFoundException()],
      ['422', status(422)],
      ['gRPC 5', grpc(5)],
      ['SQLSTATE 23505', Object.assign(new Error('x'), { code: '23505' })],
    ])('counts as a success, for the dependency answered: %s', async (_what, error) => {
      expect(await countOf(error)).toEqual(SUCCESS);
    });

    it.each([
      ['a full bulkhead', new BulkheadFullException(init)],
      ['a rate limit', new RateLimitExceededException(init)],
      ['an open breaker deeper in', new CircuitOpenException(init)],
      ['a timeout in the queue', new TimeoutException({ ...init, queued: true })],
      ['gRPC 1', grpc(1)],
    ])('ignores: %s', async (_what, error) => {
      expect(await countOf(error)).toEqual(IGNORED);
    });

    it('counts a value as a success, undefined too', async () => {
      const scene = new BreakerScene();

      await scene.begin().succeed(undefined);

      expect(scene.stats).toMatchObject({ fires: 1, successes: 1, failures: 0 });
    });

    it("ignores the caller's abort", async () => {
      const scene = new BreakerScene();
      const controller = new AbortController();
      const running = scene.begin({ signal: controller.signal });
      await settle();

      controller.abort();
      await settle();

      expect(running.result.outcome).toBe(controller.signal.reason);
      expect(scene.stats).toMatchObject({ successes: 0, failures: 0 });
      expect(scene.environment.told).toMatchObject([{ type: 'ignored', error: controller.signal.reason }]);
    });

    it('counts a stream that was left after an item as a success, before it as nothing', async () => {
      const scene = new BreakerScene();
      const begin = () => scene.begin({ signal: new AbortController().signal });
      const [after, before] = [begin(), begin()];
      await settle();

      after.call.course.item(after.call);
      await after.fail((after.call.abort('gone'), 'gone'));
      await before.fail((before.call.abort('gone'), 'gone'));

      expect(scene.stats).toMatchObject({ successes: 1, failures: 0 });
    });

    it('ignores whatever ended the attempt before the method began', async () => {
      const scene = new BreakerScene();
      const call = newCall(scene.environment);
      const timeout = new TimeoutException(init);
      const policies = { circuitBreaker: scene.guard, bulkhead: new Gate() };
      const result = track(guarded(policies, new ManualWork().run)(call));

      call.abort(timeout);
      await settle();

      expect(result.outcome).toBe(timeout);
      expect(scene.stats).toMatchObject({ fires: 1, successes: 0, failures: 0 });
      expect(scene.environment.of('ignored')).toHaveLength(1);
    });

    it('tells the latency from the moment at which the method was called', async () => {
      const scene = new BreakerScene();
      const bulkhead = new BulkheadGuard(
        'b',
        { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1 },
        scene.environment,
      );
      const work = new ManualWork();
      for (let index = 0; index < 2; index++) {
        track(guarded({ circuitBreaker: scene.guard, bulkhead }, work.run)(newCall(scene.environment)));
      }

      await scene.clock.advance(300);
      work.succeed(0);
      await settle();
      await scene.clock.advance(40);
      work.succeed(1);
      await settle();

      expect(scene.environment.of('success').map(({ latencyMs }) => latencyMs)).toEqual([300, 40]);
    });
  });

  describe('an attempt that time cut', () => {
    const cutAfter = async (scene: BreakerScene, ms: number) => {
      const running = scene.begin({}, ms);
      await scene.clock.advance(ms);
      expect(running.result.outcome).toBeInstanceOf(TimeoutException);
    };

    it('is a failure and a timeout, without a success in the window', async () => {
      const scene = new BreakerScene();

      await cutAfter(scene, 100);

      expect(scene.stats).toMatchObject({ failures: 1, timeouts: 1 });
    });

    it('is a failure, when it ran as long as successes take in the mean, or longer', async () => {
      const scene = new BreakerScene();
      await scene.succeed(1, 50);
      await scene.succeed(1, 150);

      await cutAfter(scene, 100);
      await cutAfter(scene, 500);

      expect(scene.stats).toMatchObject({ failures: 2, timeouts: 2 });
    });

    it('is ignored, when it ran for less than successes take in the mean', async () => {
      const scene = new BreakerScene();
      await scene.succeed(1, 50);
      await scene.succeed(1, 150);

      await cutAfter(scene, 99);

      expect(scene.stats).toMatchObject({ successes: 2, failures: 0, timeouts: 0 });
      expect(scene.environment.of('ignored')).toMatchObject([{ reason: 'cut after 99 ms, successes take 100 ms' }]);
    });

    it('is judged by the run alone: the wait for a slot is not in it', async () => {
      const scene = new BreakerScene();
      await scene.succeed(1, 100);
      const bulkhead = new BulkheadGuard(
        'b',
        { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1 },
        scene.environment,
      );
      const work = new ManualWork();
      track(execute(bulkhead, newCall(scene.environment), work.run));
      const call = newCall(scene.environment, { outer: newCall(scene.environment) });
      const timeout = new TimeoutException(init);
      track(guarded({ circuitBreaker: scene.guard, bulkhead }, work.run, { endsEarly: true })(call));

      await scene.clock.advance(500);
      work.succeed(0);
      await settle();
      await scene.clock.advance(99);
      call.abort(timeout);
      await settle();

      expect(scene.stats).toMatchObject({ successes: 1, failures: 0 });
    });

    it('is a failure, when the only success has left the window meanwhile', async () => {
      const scene = new BreakerScene();
      await scene.succeed(1, 20_000);
      const running = scene.begin({}, 15_000);

      await scene.clock.advance(15_000);

      expect(running.result.status).toBe('rejected');
      expect(scene.stats).toMatchObject({ successes: 0, failures: 1 });
    });

    it.each([
      ['a TimeoutException of a total limit or a deadline', new TimeoutException(init)],
      ["a DOMException TimeoutError of the caller's signal", new DOMException('too slow', 'TimeoutError')],
    ])('counts likewise for %s', async (_what, reason) => {
      const scene = new BreakerScene();
      const controller = new AbortController();
      scene.begin({ signal: controller.signal });
      const quick = new BreakerScene();
      await quick.succeed(1, 100);
      quick.begin({ signal: controller.signal });
      await settle();

      controller.abort(reason);
      await settle();

      expect(scene.stats).toMatchObject({ failures: 1, timeouts: 1 });
      expect(quick.stats).toMatchObject({ failures: 0, timeouts: 0 });
    });

    it('does not spare a failure that the method had by itself', async () => {
      const scene = new BreakerScene();
      await scene.succeed(1, 100);

      await scene.fail(1, new TimeoutException(init));

      expect(scene.stats.failures).toBe(1);
    });
  });

  describe('errorFilter', () => {
    it('makes an error count nowhere', async () => {
      expect(await countOf(new Error('x'), { errorFilter: () => true })).toEqual(IGNORED);
      expect(await countOf(new NotFoundException(), { errorFilter: () => true })).toEqual(IGNORED);
    });

    it('learns the error and the arguments', async () => {
      const seen: unknown[] = [];
      const scene = new BreakerScene({ errorFilter: (...given: unknown[]) => seen.push(given) > 99 });
      const error = new Error('x');

      await scene.fail(1, error, { args: [1, 'two'] });

      expect(seen).toEqual([[error, 1, 'two']]);
      expect(scene.stats.failures).toBe(1);
    });

    it('closes nothing in half-open: the permit is handed back', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(1), errorFilter: (error) => error === 'filtered' });
      await scene.fail();
      await scene.clock.advance(30_000);

      await scene.fail(1, 'filtered');

      expect(scene.state).toBe('halfOpen');
      expect(await scene.lets()).toBe(true);
    });

    it('is reported, when it throws, and the error counts by the default', async () => {
      const scene = new BreakerScene({
        errorFilter: () => {
          throw new Error('mine');
        },
      });
      const failing = scene.begin();
      const error = new Error('x');

      await failing.fail(error);
      await scene.fail(1, new NotFoundException());

      expect(failing.result.outcome).toBe(error);
      expect(scene.stats).toMatchObject({ failures: 1, successes: 1 });
      expect(scene.environment.reports[0]).toMatchObject({
        place: 'payments, errorFilter',
        error: { message: 'mine' },
      });
    });
  });

  describe('answerOn', () => {
    class Declined extends Error {}
    class Unknown extends Error {}

    it.each([
      ['a class', Declined],
      ['a list', [TypeError, Declined]],
      ['a list with a predicate', [TypeError, (error: unknown) => error instanceof Declined]],
      ['a predicate', (error: unknown) => error instanceof Declined],
    ])('makes the errors that it names successes, by %s', async (_form, answerOn) => {
      expect(await countOf(new Declined(), { answerOn })).toEqual(SUCCESS);
      expect(await countOf(new Unknown(), { answerOn })).toEqual(FAILURE);
    });

    it('gives the error to the caller as it is, and tells a success', async () => {
      const scene = new BreakerScene({ answerOn: Declined });
      const running = scene.begin();
      const error = new Declined();

      await running.fail(error);

      expect(running.result).toEqual({ status: 'rejected', outcome: error });
      expect(scene.environment.told).toMatchObject([{ type: 'success' }]);
    });

    it('closes in half-open, and keeps it closed', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(1), answerOn: Declined });
      await scene.fail();
      await scene.clock.advance(30_000);

      await scene.fail(1, new Declined());
      await scene.fail(5, new Declined());

      expect(scene.state).toBe('closed');
    });

    it('speaks of what would be a failure: not of a refusal inside, nor of the abort of a caller', async () => {
      const answerOn = () => true;
      const full = new BulkheadFullException({ policy: 'bulkhead', instanceName: 'b', message: 'full' });
      expect(await countOf(full, { answerOn })).toEqual(IGNORED);
      const scene = new BreakerScene({ answerOn });
      const running = scene.begin();
      const gone = new Error('gone');

      running.call.abort(gone);
      await running.fail(gone);

      expect(scene.stats).toMatchObject({ successes: 0, failures: 0 });
    });

    it('comes after errorFilter', async () => {
      expect(await countOf(new Declined(), { answerOn: Declined, errorFilter: () => true })).toEqual(IGNORED);
    });

    it('learns the call', async () => {
      const seen: unknown[] = [];
      const answerOn = (error: unknown, { methodName, args }: CallInfo) => seen.push([error, methodName, args]) > 99;
      const scene = new BreakerScene({ answerOn });

      await scene.fail(1, 'no', { args: [1] });

      expect(seen).toEqual([['no', 'load', [1]]]);
    });

    it('is that of the options in force', async () => {
      const scene = new BreakerScene({ answerOn: Declined });
      scene.named.reconfigure({ ...scene.named.options, answerOn: Unknown });

      await scene.fail(1, new Declined());
      await scene.fail(1, new Unknown());

      expect(scene.stats).toMatchObject({ successes: 1, failures: 1 });
    });

    it('holds for every key, and for what is fired by hand', async () => {
      const scene = new BreakerScene({ answerOn: Declined, key: () => 'k' });
      await scene.fail(1, new Declined());
      const ofKey = scene.named.breaker('k');
      await expect(ofKey?.fire(() => Promise.reject(new Declined()))).rejects.toThrow();

      expect(ofKey?.stats).toMatchObject({ successes: 2, failures: 0 });
    });
  });

  describe('isFailure', () => {
    it('makes a result a failure, and gives it all the same', async () => {
      const scene = new BreakerScene({ isFailure: (result) => result === 'bad' });
      const [good, bad] = [scene.begin(), scene.begin()];

      await good.succeed('good');
      await bad.succeed('bad');

      expect([good.result.outcome, bad.result.outcome]).toEqual(['good', 'bad']);
      expect(scene.stats).toMatchObject({ successes: 1, failures: 1 });
    });

    it('learns the result and the call', async () => {
      const seen: unknown[] = [];
      const scene = new BreakerScene({
        isFailure: (result, { methodName, args }: CallInfo) => seen.push([result, methodName, args]) > 99,
      });

      await scene.begin({ args: [1] }).succeed('value');

      expect(seen).toEqual([['value', 'load', [1]]]);
    });

    it('opens it, and reopens it in half-open', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(1), isFailure: () => true });

      await scene.succeed();
      expect(scene.state).toBe('open');
      await scene.clock.advance(30_000);
      await scene.succeed();

      expect(scene.state).toBe('open');
    });

    it('stays open as long as the result asks for by Retry-After', async () => {
      const busy = { status: 503, headers: { 'retry-after': '50' } };
      const scene = new BreakerScene({ trip: consecutiveFailures(1), isFailure: () => true });

      await scene.begin().succeed(busy);
      await scene.clock.advance(49_999);

      expect(scene.state).toBe('open');
      await scene.clock.advance(1);
      expect(scene.state).toBe('halfOpen');
    });

    it('is reported, when it throws, and the result is a success', async () => {
      const scene = new BreakerScene({
        isFailure: () => {
          throw new Error('mine');
        },
      });
      const running = scene.begin();

      await running.succeed('value');

      expect(running.result).toEqual({ status: 'fulfilled', outcome: 'value' });
      expect(scene.stats).toMatchObject({ successes: 1, failures: 0 });
      expect(scene.environment.reports).toMatchObject([{ place: 'payments, isFailure' }]);
    });
  });

  describe('a refusal', () => {
    it('says since when, why, and when the next probe comes', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(2) });
      await scene.fail(2, new TypeError('secret text'));
      await scene.clock.advance(12_500);
      const refused = scene.begin();
      await settle();

      const error = refused.result.outcome as CircuitOpenException;

      expect(error).toBeInstanceOf(CircuitOpenException);
      expect(error).toMatchObject({
        code: 'CIRCUIT_OPEN',
        policy: 'circuitBreaker',
        instanceName: 'payments',
        retryAfterMs: 17_500,
        refusal: true,
        details: { state: 'open', failures: 2, calls: 2, lastError: 'TypeError: secret text' },
      });
      expect(error.explanation).toBe(
        'circuit breaker payments is open since 00:00:00 UTC: 2 failures in a row, limit 2; next probe in 17.5 s; last error: TypeError: secret text',
      );
      expect(error.getResponse()).toEqual({
        statusCode: 503,
        message: 'Service Unavailable',
        errorCode: 'CIRCUIT_OPEN',
      });
    });

    it('does not call the method, and is counted and told', async () => {
      const scene = new BreakerScene({ trip: consecutiveFailures(1) });
      await scene.fail();

      const refused = scene.begin();
      await settle();

      expect(refused.begun).toBe(false);
      expect(scene.stats).toMatchObject({ fires: 2, failures: 1, rejects: 1 });
      expect(scene.environment.of('refused')).toMatchObject([
        { name: 'payments', policy: 'circuitBreaker', code: 'CIRCUIT_OPEN', retryAfterMs: 30_000 },
      ]);
    });

    it('knows no time, while it is forced open', async () => {
      const scene = new BreakerScene();
      scene.breaker.forceOpen('maintenance');

      const refused = scene.begin();
      await settle();

      expect(refused.result.outcome).toMatchObject({ retryAfterMs: undefined, details: { state: 'forcedOpen' } });
      expect((refused.result.outcome as CircuitOpenException).explanation).toContain(
        'is forced open since 00:00:00 UTC: maintenance',
      );
    });
  });

  describe('with a bulkhead inside', () => {
    function behind(options: CircuitBreakerOptions, maxQueue = 5) {
      const scene = new BreakerScene({ trip: consecutiveFailures(1), ...options });
      const bulkhead = new BulkheadGuard('b', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue }, scene.environment);
      const work = new ManualWork();
      const make = () =>
        track(guarded({ circuitBreaker: scene.guard, bulkhead }, work.run)(newCall(scene.environment)));
      return { scene, bulkhead, work, make };
    }

    it('ends the waits of its calls, when it trips', async () => {
      const { scene, bulkhead, work, make } = behind({});
      const results = [make(), make(), make()];

      work.fail(0);
      await settle();

      expect(results[1]?.outcome).toBeInstanceOf(CircuitOpenException);
      expect(results[2]?.outcome).toBeInstanceOf(CircuitOpenException);
      expect([work.begun, bulkhead.waiting]).toEqual([1, 0]);
      expect(scene.stats).toMatchObject({ fires: 3, failures: 1, successes: 0, rejects: 2 });
      expect(scene.environment.of('refused')).toMatchObject([{ code: 'CIRCUIT_OPEN' }, { code: 'CIRCUIT_OPEN' }]);
    });

    it('ends the waits of its calls, when it is opened by hand', async () => {
      const { scene, make } = behind({});
      const results = [make(), make()];

      scene.breaker.forceOpen('maintenance');
      await settle();

      expect(results.map(({ status: one }) => one)).toEqual(['pending', 'rejected']);
      expect((results[1]?.outcome as CircuitOpenException).explanation).toContain('maintenance');
      expect(scene.stats.rejects).toBe(1);
    });

    it('lets no probe wait: it is refused, and its permit is handed back', async () => {
      const { scene, bulkhead, work, make } = behind({});
      const blocker = new ManualWork();
      make();
      work.fail(0);
      await settle();
      track(execute(bulkhead, newCall(scene.environment), blocker.run));
      await scene.clock.advance(30_000);

      const probe = make();
      await settle();
      expect(probe.outcome).toBeInstanceOf(BulkheadFullException);
      expect(scene.state).toBe('halfOpen');
      blocker.succeed(0);
      await settle();
      make();
      await settle();
      work.succeed(1);
      await settle();

      expect(scene.state).toBe('closed');
    });

    it('in mode metricsOnly lets its calls wait as if it were not there', async () => {
      const { scene, bulkhead, work, make } = behind({ mode: 'metricsOnly' });
      make();
      const waiting = make();
      work.fail(0);
      await settle();
      expect(waiting.status).toBe('pending');
      await scene.clock.advance(30_000);
      work.succeed(1);
      await settle();
      const blocker = new ManualWork();
      track(execute(bulkhead, newCall(scene.environment), blocker.run));

      const shadowProbe = make();
      await settle();

      expect(shadowProbe.status).toBe('pending');
    });
  });

  describe('notes on an attempt', () => {
    const opened = async (options: CircuitBreakerOptions = {}) => {
      const scene = new BreakerScene({ trip: consecutiveFailures(1), ...options });
      await scene.fail();
      return scene;
    };

    it('that it is a probe, which a breaker that only watches has none of', async () => {
      const [normal, watching] = [await opened(), await opened({ mode: 'metricsOnly' })];
      const marks = [normal, watching].map(({ clock, environment, guard }) => {
        clock.block(30_000);
        const call = newCall(environment);
        expect(guard.admit(call)).toBeUndefined();
        return call.rare?.probe;
      });

      expect(marks).toEqual([true, undefined]);
    });

    it('that it is only watched, where it would have been refused and goes on', async () => {
      const scene = await opened({ mode: 'metricsOnly' });
      const [watched, closed] = [newCall(scene.environment), newCall(scene.environment)];
      scene.guard.admit(watched);
      scene.breaker.close();
      scene.guard.admit(closed);

      expect([watched.rare?.watched, closed.rare?.watched]).toEqual([true, undefined]);
    });

    it('nothing where it refuses, and of one that is underway already that it is only watched', async () => {
      const scene = await opened();
      const [refused, underway] = [newCall(scene.environment), newCall(scene.environment)];
      underway.rarely().underway = true;

      expect(scene.guard.admit(refused)).toMatchObject({ waits: false, error: { code: 'CIRCUIT_OPEN' } });
      expect(scene.guard.admit(underway)).toBeUndefined();
      expect([refused.rare?.watched, underway.rare?.watched]).toEqual([undefined, true]);
      expect(scene.breaker.core.inFlight).toBe(1);
      scene.guard.settled(underway, 'value', undefined);
      expect([scene.breaker.core.inFlight, scene.state]).toEqual([0, 'open']);
    });

    it('that a breaker will judge it, once', () => {
      const scene = new BreakerScene();
      const call = newCall(scene.environment);
      scene.guard.admit(call);
      expect(scene.breaker.core.inFlight).toBe(1);
      scene.guard.settled(call, 'value', undefined);
      scene.guard.settled(call, 'value', undefined);
      scene.guard.released(call);

      expect([scene.breaker.core.inFlight, scene.stats.successes]).toEqual([0, 1]);
    });

    it('nothing that keeps it busy, where its work has ended without an outcome', () => {
      const scene = new BreakerScene();
      const call = newCall(scene.environment);
      scene.guard.admit(call);

      scene.guard.released(call);
      scene.guard.released(call);

      expect([scene.breaker.core.inFlight, scene.stats.fires, scene.stats.successes]).toEqual([0, 1, 0]);
      expect(scene.guard.holds).toBe(false);
    });
  });
});
