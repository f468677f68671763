import { describe, expect, it } from 'vitest';
import type { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { guarded, ManualWork, newCall } from '../../../support/calls.js';
import { Gate } from '../../../support/guards.js';
import { settle, track } from '../../../support/settle.js';

const once = consecutiveFailures(1);
const RESET = 30_000;
/** The clock of the tests stands at midnight. */
const SECOND = 1_000;

async function opened(options: CircuitBreakerOptions = {}): Promise<BreakerScene> {
  const scene = new BreakerScene({ trip: once, ...options });
  await scene.clock.advance(5 * SECOND);
  await scene.fail();
  return scene;
}

const refusalOf = ({ breaker, clock }: BreakerScene) => breaker.core.refusal(clock.now());

describe('the words of a refusal', () => {
  it('are, of an open breaker, since when and why, when it probes, and its last error', async () => {
    const scene = await opened();
    await scene.clock.advance(2 * SECOND);

    expect(refusalOf(scene).explanation).toBe(
      'circuit breaker payments is open since 00:00:05 UTC: 1 failure in a row, limit 1; next probe in 28 s; last error: Error: boom',
    );
    expect(refusalOf(scene).details).toEqual({
      state: 'open',
      since: scene.clock.wallNow() - 2 * SECOND,
      reason: '1 failure in a row, limit 1',
      failures: 1,
      calls: 1,
      lastError: 'Error: boom',
    });
  });

  it('are, of a half-open one whose probe runs, without a time', async () => {
    const scene = await opened();
    await scene.clock.advance(RESET);
    scene.begin();

    expect(refusalOf(scene).explanation).toBe(
      'circuit breaker payments is half-open since 00:00:35 UTC: the reset time is over; last error: Error: boom',
    );
    expect(refusalOf(scene).retryAfterMs).toBeUndefined();
  });

  it('are, of one that recovers, why it has closed', async () => {
    const scene = await opened({ recovery: { over: 10 * SECOND, from: 0.1 } });
    await scene.clock.advance(RESET);
    await scene.succeed();

    expect(refusalOf(scene).explanation).toBe(
      'circuit breaker payments is recovering since 00:00:35 UTC: 1 of 1 probes succeeded; last error: Error: boom',
    );
  });

  it('are, of one that was opened by hand, without an error', async () => {
    const scene = new BreakerScene();
    await scene.succeed(3);
    scene.breaker.open();

    expect(refusalOf(scene).explanation).toBe(
      'circuit breaker payments is open since 00:00:00 UTC: opened by hand; next probe in 30 s',
    );
    expect(refusalOf(scene).details).not.toHaveProperty('lastError');
    expect(refusalOf(scene).details).toMatchObject({ failures: 0, calls: 3 });
  });

  it('are, of one that is forced open, those of the order, and no error of an opening before', async () => {
    const scene = await opened();
    scene.breaker.forceOpen('maintenance');

    expect(refusalOf(scene).explanation).toBe(
      'circuit breaker payments is forced open since 00:00:05 UTC: maintenance',
    );
    expect(refusalOf(scene).details).toMatchObject({ state: 'forcedOpen', failures: 1, calls: 1 });
    scene.breaker.core.say('operator', undefined);
    expect(refusalOf(scene).details).toMatchObject({ state: 'open', lastError: 'Error: boom' });
  });

  it('are those of now: the time to the probe grows shorter', async () => {
    const scene = await opened();
    const first = refusalOf(scene).retryAfterMs;
    scene.clock.block(1_234);

    expect([first, refusalOf(scene).retryAfterMs]).toEqual([RESET, RESET - 1_234]);
    expect(refusalOf(scene).explanation).toContain('next probe in 28.8 s');
  });

  it('have details that nobody can change for those after', async () => {
    const scene = await opened();
    const { details } = refusalOf(scene);

    expect(Object.isFrozen(details)).toBe(true);
    expect(refusalOf(scene).details).toBe(details);
  });

  it('are others after the next opening', async () => {
    const scene = await opened();
    refusalOf(scene);
    await scene.clock.advance(RESET);
    await scene.fail(1, new TypeError('still broken'));

    expect(refusalOf(scene).explanation).toBe(
      'circuit breaker payments is open since 00:00:35 UTC: a probe failed; next probe in 30 s; last error: TypeError: still broken',
    );
  });

  it('are, after a shutdown, that it was shut down', async () => {
    const scene = await opened();
    scene.breaker.shutdown();
    const refusal = refusalOf(scene);

    expect(refusal).toBeInstanceOf(ShutdownException);
    expect(refusal.explanation).toBe('circuit breaker payments was shut down');
  });

  it('are told to whoever listens, by opossum and by the app', async () => {
    const scene = await opened();
    const heard: unknown[] = [];
    scene.breaker.on('reject', (error: unknown) => heard.push(error));

    const refusal = refusalOf(scene);

    expect(heard).toEqual([refusal]);
    expect(scene.environment.of('refused')).toMatchObject([{ code: 'CIRCUIT_OPEN', details: refusal.details }]);
  });
});

describe('calls that wait under a breaker', () => {
  function waiting(options: CircuitBreakerOptions = {}, count = 2) {
    const scene = new BreakerScene({ trip: once, ...options });
    const gate = new Gate();
    const work = new ManualWork();
    const join = () =>
      track(guarded({ circuitBreaker: scene.guard, bulkhead: gate }, work.run)(newCall(scene.environment)));
    return { scene, gate, work, join, results: Array.from({ length: count }, join) };
  }

  it('end with its refusal as soon as it opens, each with an error of its own', async () => {
    const { scene, gate, results } = waiting();
    await scene.fail();
    await settle();
    const [one, other] = results.map(({ outcome }) => outcome as CircuitOpenException);

    expect(one?.code).toBe('CIRCUIT_OPEN');
    expect(other?.code).toBe('CIRCUIT_OPEN');
    expect(one).not.toBe(other);
    expect([gate.waiting, scene.stats.rejects]).toEqual([0, 2]);
  });

  it.each<[string, (scene: BreakerScene) => void, string]>([
    ['opened by hand', ({ breaker }) => breaker.open(), 'CIRCUIT_OPEN'],
    ['forced open', ({ named }) => named.say('rule', { state: 'forcedOpen', reason: 'a rule' }), 'CIRCUIT_OPEN'],
    ['shut down', ({ breaker }) => breaker.shutdown(), 'SHUTDOWN'],
  ])('end, when it is %s', async (_what, end, code) => {
    const { scene, results } = waiting();
    end(scene);
    await settle();

    expect(results.map(({ outcome }) => (outcome as CircuitOpenException).code)).toEqual([code, code]);
  });

  it('end by another order of the same state as well, which now goes before metricsOnly', async () => {
    const { scene, results } = waiting({ mode: 'metricsOnly' });
    scene.named.say('rule', { state: 'forcedOpen', reason: 'a rule' });
    await settle();
    expect(results.map(({ status }) => status)).toEqual(['pending', 'pending']);

    scene.breaker.forceOpen('maintenance');
    await settle();

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('go on while it is disabled or closed', async () => {
    const { scene, gate, work, results } = waiting();
    scene.breaker.disable();
    scene.breaker.reset();
    await settle();
    gate.open();
    await settle();

    expect([results.map(({ status }) => status), work.begun]).toEqual([['pending', 'pending'], 2]);
  });

  it('are not ended once they wait no more', async () => {
    const { scene, gate, work, results } = waiting();
    gate.open();
    await settle();
    await scene.fail();
    work.succeed(0);
    work.succeed(1);
    await settle();

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(scene.stats.rejects).toBe(0);
  });

  it('end at once, if it has opened since it let them in', async () => {
    const scene = new BreakerScene({ trip: once });
    const call = newCall(scene.environment);
    scene.guard.admit(call);
    await scene.fail();

    scene.breaker.core.enter(call);

    expect(call.reason).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(scene.stats.rejects).toBe(1);
  });

  it.each<[string, (scene: BreakerScene) => void]>([
    ['forced open', ({ breaker }) => breaker.forceOpen()],
    ['shut down', ({ breaker }) => breaker.shutdown()],
  ])('end at once, if it was %s since', (_what, end) => {
    const scene = new BreakerScene({ trip: once });
    const call = newCall(scene.environment);
    end(scene);

    scene.breaker.core.enter(call);

    expect(call.aborted).toBe(true);
  });

  it('wait on, if it is closed or disabled', () => {
    const scene = new BreakerScene();
    const calls = [newCall(scene.environment), newCall(scene.environment)] as const;
    scene.breaker.core.enter(calls[0]);
    scene.breaker.disable();
    scene.breaker.core.enter(calls[1]);

    expect(calls.map(({ aborted }) => aborted)).toEqual([false, false]);
  });
});
