import Opossum from 'opossum';
import { describe, expect, it, vi } from 'vitest';
import type { CallListener } from '../../../../lib/events/call-listener.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import { Breaker } from '../../../../lib/policies/circuit-breaker/breaker.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const once = consecutiveFailures(1);
const boom = new Error('boom');
const fails = (): Promise<never> => Promise.reject(boom);
const notFound = Object.assign(new Error('not found'), { status: 404 });

describe('the fallback of a breaker', () => {
  it('answers for a failure, with the arguments and the error', async () => {
    const { breaker } = new BreakerScene();
    const answer = vi.fn(() => 'substitute');
    const told: unknown[][] = [];
    breaker.on('fallback', (...args: unknown[]) => told.push(args));

    expect(breaker.fallback(answer)).toBe(breaker);
    expect(await breaker.fire((_id: number, _name: string) => fails(), 5, 'five')).toBe('substitute');

    expect(answer).toHaveBeenCalledExactlyOnceWith(5, 'five', boom);
    expect(breaker.stats).toMatchObject({ failures: 1, fallbacks: 1 });
    expect(told).toEqual([['substitute', boom]]);
  });

  it('answers for a refusal, and for a cut by time', async () => {
    const open = new BreakerScene({ trip: once });
    open.breaker.fallback((error: unknown) => (error as CircuitOpenException).code);
    await open.fail();
    const slow = new BreakerScene({ timeout: 100 });
    slow.breaker.fallback((error: unknown) => (error as CircuitOpenException).code);
    const cut = track(slow.breaker.fire(() => new Promise(() => {})));
    await slow.clock.advance(100);

    expect(await open.breaker.fire(() => 'run')).toBe('CIRCUIT_OPEN');
    expect(cut.outcome).toBe('TIMEOUT');
  });

  it('leaves alone what the dependency said no to, and what errorFilter takes out', async () => {
    const { breaker } = new BreakerScene({ errorFilter: (error) => error === 'filtered' });
    const answer = vi.fn(() => 'substitute');
    breaker.fallback(answer);

    expect(await errorOf(breaker.fire(() => Promise.reject(notFound)))).toBe(notFound);
    expect(await errorOf(breaker.fire(() => Promise.reject('filtered')))).toBe('filtered');

    expect(answer).not.toHaveBeenCalled();
    expect(breaker.stats.fallbacks).toBe(0);
  });

  it('answers with what another breaker runs that opossum has made', async () => {
    const { breaker } = new BreakerScene();
    const other = new Opossum((id: number, error: Error) => Promise.resolve(`${id}: ${error.message}`));

    breaker.fallback(other);

    expect(await breaker.fire((_id: number) => fails(), 5)).toBe('5: boom');
    other.shutdown();
  });

  it('may answer later, and may fail itself', async () => {
    const { breaker } = new BreakerScene();

    breaker.fallback(() => Promise.resolve('later'));
    expect(await breaker.fire(fails)).toBe('later');
    const worse = new Error('worse');
    breaker.fallback(() => Promise.reject(worse));

    expect(await errorOf(breaker.fire(fails))).toBe(worse);
  });

  it.each([5, undefined, null, {}, 'answer', new Breaker('other')])('cannot be %s', (answer) => {
    const { breaker } = new BreakerScene();

    expect(() => breaker.fallback(answer as never)).toThrow(TypeError);
    expect(() => breaker.fallback(answer as never)).toThrow(
      /^payments, fallback: expected a function, or a breaker that opossum has made with an action; got /,
    );
  });

  it('is not told of a breaker that is disabled meanwhile, or was shut down', async () => {
    for (const end of ['disable', 'shutdown'] as const) {
      const { breaker } = new BreakerScene();
      const running = track(
        breaker
          .fallback(() => 'substitute')
          .fire(async () => {
            await settle();
            throw boom;
          }),
      );
      breaker[end]();
      await settle();
      await settle();

      expect([end, running.outcome, breaker.stats.fallbacks]).toEqual([end, 'substitute', 0]);
    }
  });
});

describe('what is fired under a breaker', () => {
  it('runs past one that is disabled: told, not counted, without a limit of time', async () => {
    const { breaker, clock } = new BreakerScene({ timeout: 100 });
    const fired: unknown[] = [];
    breaker.on('fire', (args: unknown) => fired.push(args));
    breaker.fallback(() => 'substitute');
    breaker.disable();

    expect(await breaker.fire((one: number) => one + 1, 1)).toBe(2);
    expect(await errorOf(breaker.fire(fails))).toBe(boom);
    expect(
      await errorOf(
        breaker.fire(() => {
          throw boom;
        }),
      ),
    ).toBe(boom);
    const slow = track(breaker.fire(() => new Promise(() => {})));
    await clock.advance(1_000);

    expect(fired).toEqual([[1], [], [], []]);
    expect([slow.status, breaker.stats.fires, clock.timersMade]).toEqual(['pending', 0, 0]);
  });

  it('is refused after a shutdown, with an error that says so', async () => {
    const { breaker, environment } = new BreakerScene();
    breaker.fallback(() => 'substitute').shutdown();
    const action = vi.fn();

    const error = await errorOf(breaker.fire(action));

    expect(error).toBeInstanceOf(ShutdownException);
    expect(error).toMatchObject({ code: 'SHUTDOWN', instanceName: 'payments', policy: 'circuitBreaker' });
    expect((error as ShutdownException).explanation).toBe('circuit breaker payments was shut down');
    expect(action).not.toHaveBeenCalled();
    expect(breaker.stats.fires).toBe(0);
    expect(environment.of('refused')).toMatchObject([{ code: 'SHUTDOWN' }]);
  });

  it('is judged without a limit of time as well', async () => {
    const { breaker } = new BreakerScene({ timeout: false, trip: once });

    expect(await errorOf(breaker.fire(fails))).toBe(boom);

    expect(breaker.state).toBe('open');
    expect(await errorOf(breaker.fire(fails))).toBeInstanceOf(CircuitOpenException);
  });

  it('goes by a changed timeout, and what runs already keeps its own', async () => {
    const { breaker, named, clock } = new BreakerScene({ timeout: 100 });
    const before = track(breaker.fire(() => new Promise(() => {})));

    named.reconfigure({ ...named.options, timeout: 1_000 });
    const after = track(breaker.fire(() => new Promise(() => {})));
    await clock.advance(999);

    expect([before.status, after.status]).toEqual(['rejected', 'pending']);
    expect(before.outcome).toMatchObject({
      code: 'TIMEOUT',
      policy: 'timeout',
      instanceName: 'payments',
      details: { limitMs: 100 },
      explanation: 'payments gave no answer within 100 ms',
    });
    await clock.advance(1);
    expect(after.outcome).toMatchObject({ details: { limitMs: 1_000 } });
  });

  it('leaves no timer behind at a shutdown, while what runs keeps its limit', async () => {
    const idle = new BreakerScene({ timeout: 100 }, new TestEnvironment(false));
    await idle.breaker.fire(() => 'run');
    idle.breaker.shutdown();
    expect(idle.clock.pending).toBe(0);
    const busy = new BreakerScene({ timeout: 100 }, new TestEnvironment(false));
    const running = track(busy.breaker.fire(() => new Promise(() => {})));
    busy.breaker.shutdown();

    await busy.clock.advance(100);

    expect(running.outcome).toMatchObject({ code: 'TIMEOUT' });
  });

  it('is a call of the name of the breaker to whoever watches calls, and what its fallback gave too', async () => {
    const { breaker, environment } = new BreakerScene({}, new TestEnvironment(false));
    const seen: unknown[] = [];
    const listener: CallListener = {
      begun: ({ name, kind }) => (seen.push([name, kind]), { ended: ({ outcome }) => seen.push(outcome) }),
    };
    await breaker.fire(() => 'unseen');
    environment.events.watchCalls(listener);

    await breaker.fire(() => 'run');
    await breaker.fallback(() => 'substitute').fire(fails);

    expect(seen).toEqual([['payments', 'promise'], 'success', ['payments', 'promise'], 'fallback']);
    expect(breaker.stats).toMatchObject({ fires: 3, successes: 2, failures: 1, fallbacks: 1 });
  });
});
