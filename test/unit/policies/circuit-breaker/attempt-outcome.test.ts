import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import { FasterAttemptError } from '../../../../lib/kernel/call-info.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { settle } from '../../../support/settle.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const signal = () => new AbortController().signal;

describe('why an attempt counts nowhere', () => {
  /** The reason that is told of an attempt, which `end` ends. */
  async function reasonOf(end: (scene: BreakerScene) => Promise<void>, options = {}): Promise<string | undefined> {
    const scene = new BreakerScene(options);
    await end(scene);
    await settle();
    expect(scene.stats).toMatchObject({ fires: 1, successes: 0, failures: 0 });
    return scene.environment.of('ignored')[0]?.reason;
  }
  const aborted = (reason: unknown) => async (scene: BreakerScene) => {
    const { call } = scene.begin({ signal: signal() });
    await settle();
    call.abort(reason);
  };

  it('is told in words', async () => {
    expect(await reasonOf((scene) => scene.fail(1, new RateLimitExceededException(init)))).toBe(
      'refused by a policy inside',
    );
    expect(await reasonOf(aborted(new FasterAttemptError()))).toBe('a faster attempt answered');
    expect(await reasonOf(aborted(new Error('gone')))).toBe('the caller gave up');
    expect(await reasonOf(aborted(new ShutdownException({ ...init, running: true })))).toBe('the app was shut down');
    expect(await reasonOf((scene) => scene.fail(1, 'x'), { errorFilter: () => true })).toBe('errorFilter');
    expect(
      await reasonOf(async (scene) => {
        scene.begin({ signal: AbortSignal.abort(new TimeoutException(init)) });
        await settle();
      }),
    ).toBe('ended before the method began');
  });
});

describe('a full bulkhead inside', () => {
  const full = new BulkheadFullException(init);

  it('is told to who listens with how long that took, and counted apart', async () => {
    const scene = new BreakerScene();
    const told: unknown[][] = [];
    scene.breaker.on('semaphoreLocked', (...args: unknown[]) => told.push(args));
    const running = scene.begin();
    scene.clock.block(30);

    await running.fail(full);

    expect(told).toEqual([[full, 30]]);
    expect(scene.stats).toMatchObject({ semaphoreRejections: 1, failures: 0 });
  });

  it('is counted nowhere while the breaker is disabled', async () => {
    const scene = new BreakerScene();
    scene.breaker.disable();

    await scene.fail(1, full);

    expect(scene.stats.semaphoreRejections).toBe(0);
  });

  it('alone is counted so: no other refusal inside', async () => {
    const scene = new BreakerScene();

    await scene.fail(1, new RateLimitExceededException(init));

    expect(scene.stats.semaphoreRejections).toBe(0);
  });
});

describe('a probe that meets its own breaker deeper in', () => {
  const refusalOf = (name: string) => new CircuitOpenException({ ...init, instanceName: name });

  it('makes room for the inner call of the next', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1) });
    await scene.fail();
    await scene.clock.advance(30_000);
    await scene.fail(1, refusalOf('payments'));

    const [outer, inner, third] = [scene.begin(), scene.begin(), scene.begin()];
    await settle();

    expect([outer.begun, inner.begun, third.begun]).toEqual([true, true, false]);
  });

  it('makes none, if it was another breaker that refused', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1) });
    await scene.fail();
    await scene.clock.advance(30_000);
    await scene.fail(1, refusalOf('stock'));

    const [outer, inner] = [scene.begin(), scene.begin()];
    await settle();

    expect([outer.begun, inner.begun]).toEqual([true, false]);
  });

  it('is given a hundred levels at most', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1) });
    await scene.fail();
    await scene.clock.advance(30_000);
    for (let level = 0; level < 120; level++) await scene.fail(1, refusalOf('payments'));

    const probes = Array.from({ length: 110 }, () => scene.begin());
    await settle();

    expect(probes.filter(({ begun }) => begun)).toHaveLength(101);
  });
});

describe('a failure', () => {
  it('is a timeout where an error says so, though nobody cut it', async () => {
    const scene = new BreakerScene();
    await scene.fail(1, new TimeoutException(init));
    await scene.fail(1, new Error('boom'));

    expect(scene.stats).toMatchObject({ failures: 2, timeouts: 1 });
  });

  it('of a result is told with an error that says so', async () => {
    const scene = new BreakerScene({ isFailure: () => true });
    const told: unknown[][] = [];
    scene.breaker.on('failure', (...args: unknown[]) => told.push(args));

    await scene.begin({ args: [7] }).succeed('bad');

    const error = new Error('the result was judged a failure');
    expect(told).toEqual([[error, 0, [7]]]);
    expect(scene.environment.of('failure')).toMatchObject([{ error, latencyMs: 0 }]);
    expect(scene.stats.timeouts).toBe(0);
  });

  it('that is cut after as long as successes take is told with the limit as its error', async () => {
    const scene = new BreakerScene();
    await scene.succeed(1, 100);
    const { call } = scene.begin({ signal: signal() });
    await settle();
    scene.clock.block(100);
    const reason = new TimeoutException(init);

    call.abort(reason);
    await settle();

    expect(scene.environment.of('failure')).toMatchObject([{ error: reason, latencyMs: 100 }]);
  });

  it('of its own stays one, although its time was over as well', async () => {
    const scene = new BreakerScene();
    await scene.succeed(1, 100);
    const running = scene.begin({ signal: signal() });
    await settle();
    scene.clock.block(10);
    running.call.abort(new TimeoutException(init));
    await running.fail(new Error('connection lost'));

    expect(scene.stats).toMatchObject({ successes: 1 });
    expect(scene.environment.of('failure').length + scene.environment.of('ignored').length).toBe(1);
  });
});

describe('an outcome that cannot be judged', () => {
  it('is reported, counts nowhere, and hands the permit of a probe back', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(1) });
    await scene.fail();
    await scene.clock.advance(30_000);
    const fault = new Error('a fault');
    const probe = scene.begin();
    await settle();
    scene.breaker.core.succeeded = () => {
      throw fault;
    };

    await probe.succeed('value');
    Reflect.deleteProperty(scene.breaker.core, 'succeeded');

    expect(probe.result.outcome).toBe('value');
    expect(scene.environment.reports).toEqual([{ place: 'payments, judging an outcome', error: fault }]);
    expect([scene.state, scene.breaker.core.inFlight]).toEqual(['halfOpen', 0]);
    expect(await scene.lets()).toBe(true);
    expect(scene.state).toBe('closed');
  });
});
