import { createHook } from 'node:async_hooks';
import Opossum from 'opossum';
import { describe, expect, it } from 'vitest';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { Breaker } from '../../../../lib/policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../../../lib/policies/circuit-breaker/breaker-core.js';
import type { BreakerSnapshot } from '../../../../lib/policies/circuit-breaker/breaker-snapshot.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const once = consecutiveFailures(1);
const boom = new Error('boom');

/** What the breaker of `scene` emits, in order. */
function emitted(scene: BreakerScene): unknown[][] {
  const events: unknown[][] = [];
  for (const name of scene.breaker.eventNames()) {
    scene.breaker.on(name, (...args: unknown[]) => events.push([name, ...args]));
  }
  return events;
}

describe('Breaker, as an opossum CircuitBreaker', () => {
  it('is one', () => {
    const { breaker } = new BreakerScene();

    expect(breaker).toBeInstanceOf(Opossum);
    expect([breaker.name, breaker.group]).toEqual(['payments', 'payments']);
    expect(new BreakerScene({ group: 'shop' }).breaker.group).toBe('shop');
  });

  it("has the states by opossum's names", async () => {
    const scene = new BreakerScene({ trip: once });
    const { breaker } = scene;
    const read = () => ({
      closed: breaker.closed,
      opened: breaker.opened,
      halfOpen: breaker.halfOpen,
      pendingClose: breaker.pendingClose,
      enabled: breaker.enabled,
    });
    const closed = { closed: true, opened: false, halfOpen: false, pendingClose: false, enabled: true };

    expect(read()).toEqual(closed);
    await scene.fail();
    expect(read()).toEqual({ ...closed, closed: false, opened: true });
    await scene.clock.advance(30_000);
    expect(read()).toEqual({ ...closed, closed: false, halfOpen: true, pendingClose: true });
    breaker.close();
    expect(read()).toEqual(closed);
    breaker.forceOpen();
    expect(read()).toEqual({ ...closed, closed: false, opened: true });
    breaker.disable();

    expect(read()).toEqual({ ...closed, enabled: false });
  });

  it("emits opossum's events with opossum's arguments", async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(2) });
    const events = emitted(scene);

    await scene.succeed(1, 40, { args: [1, 2] });
    await scene.fail(1, boom, { args: [3] });
    scene.begin({ args: [4] }, 100);
    await scene.clock.advance(100);
    scene.begin();
    await settle();
    await scene.clock.advance(30_000);
    await scene.succeed();

    const refusal = expect.any(CircuitOpenException) as unknown;
    const timeout = expect.objectContaining({ code: 'TIMEOUT' }) as unknown;
    expect(events).toEqual([
      ['fire', [1, 2]],
      ['success', 'value', 40],
      ['fire', [3]],
      ['failure', boom, 0, [3]],
      ['fire', [4]],
      ['timeout', timeout, 100, [4]],
      ['failure', timeout, 100, [4]],
      ['open'],
      ['fire', []],
      ['reject', refusal],
      ['halfOpen', 30_000],
      ['fire', []],
      ['success', 'value', 0],
      ['close'],
    ]);
  });

  it('emits semaphoreLocked, when a bulkhead inside refused', async () => {
    const { BulkheadFullException } = await import('../../../../lib/errors/bulkhead-full.exception.js');
    const scene = new BreakerScene();
    const events = emitted(scene);
    const full = new BulkheadFullException({ policy: 'bulkhead', instanceName: 'b', message: 'm' });

    await scene.fail(1, full);

    expect(events.map(([name]) => name)).toEqual(['fire', 'semaphoreLocked']);
    expect(scene.stats.semaphoreRejections).toBe(1);
  });

  it('names its events before anybody listens, as the tools of opossum ask for them', () => {
    const { breaker } = new BreakerScene();
    breaker.on('mine', () => {});

    const names = breaker.eventNames();

    expect(names).toEqual(
      expect.arrayContaining(['fire', 'success', 'failure', 'timeout', 'reject', 'open', 'close', 'halfOpen', 'mine']),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it("has statistics by opossum's names", async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(2) });
    await scene.succeed(2, 10);
    await scene.fail(2);
    await scene.lets();

    const { stats } = scene;

    expect(stats).toMatchObject({ fires: 5, successes: 2, failures: 2, rejects: 1, timeouts: 0 });
    expect(Object.keys(stats)).toEqual(
      expect.arrayContaining(Object.keys(new Opossum(() => Promise.resolve()).stats).filter((key) => key in stats)),
    );
    for (const key of Object.keys(Opossum.newStatus({ rollingCountBuckets: 1, rollingCountTimeout: 1 }).stats)) {
      expect(stats).toHaveProperty([key]);
    }
    expect(Object.keys(stats.percentiles).map(Number).sort()).toEqual([0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1]);
    expect(scene.breaker.status.stats).toEqual(stats);
  });

  it('gives toJSON() in the shape of opossum', async () => {
    const scene = new BreakerScene({ trip: once });
    const asJson = () => JSON.parse(JSON.stringify(scene.breaker)) as { state: object; status: object };
    expect(asJson().state).toEqual({
      name: 'payments',
      enabled: true,
      closed: true,
      open: false,
      halfOpen: false,
      warmUp: false,
      shutdown: false,
    });
    await scene.clock.advance(5_000);
    const openedAt = scene.clock.wallNow();
    await scene.fail();
    await scene.clock.advance(1_000);

    expect(asJson().state).toMatchObject({ closed: false, open: true, lastTimerAt: openedAt });
    expect(asJson().status).toMatchObject({ fires: 1, failures: 1 });
  });

  it('lets go of everything by shutdown()', async () => {
    const scene = new BreakerScene({ trip: once });
    await scene.fail();
    const events = emitted(scene);

    scene.breaker.shutdown();

    expect(events.map(([name]) => name)).toContain('shutdown');
    expect(scene.breaker.isShutdown).toBe(true);
    expect(scene.breaker.listenerCount('shutdown')).toBe(0);
    expect(scene.clock.pending).toBe(0);
  });

  describe('with listeners that throw', () => {
    const shout = (): never => {
      throw new Error('listener');
    };

    it("gives the method's value all the same, and closes", async () => {
      for (const name of ['fire', 'halfOpen', 'success', 'close']) {
        const scene = new BreakerScene({ trip: once }, new TestEnvironment(false));
        await scene.fail();
        scene.clock.block(30_000);
        scene.breaker.on(name, shout);
        const probe = scene.begin();

        await probe.succeed('value');

        expect([name, probe.result.outcome, scene.state]).toEqual([name, 'value', 'closed']);
      }
    });

    it("gives the method's error or the refusal all the same, and opens", async () => {
      for (const name of ['timeout', 'failure', 'open', 'reject']) {
        const scene = new BreakerScene({ trip: once }, new TestEnvironment(false));
        scene.breaker.on(name, shout);
        const running = scene.begin({}, 100);

        await scene.clock.advance(100);
        const refused = scene.begin();
        await settle();

        expect([name, running.result.outcome, refused.result.outcome, scene.state]).toMatchObject([
          name,
          { code: 'TIMEOUT' },
          { code: 'CIRCUIT_OPEN' },
          'open',
        ]);
      }
    });
  });

  describe('fire', () => {
    it('runs any function with its arguments, and counts it', async () => {
      const scene = new BreakerScene();

      expect(await scene.breaker.fire((a: number, b: number) => Promise.resolve(a + b), 1, 2)).toBe(3);
      expect(await scene.breaker.fire(() => undefined)).toBeUndefined();

      expect(scene.stats).toMatchObject({ fires: 2, successes: 2 });
    });

    it('rejects with what the action throws, and counts a failure', async () => {
      const scene = new BreakerScene();
      const rejecting = track(scene.breaker.fire(() => Promise.reject(boom)));
      const throwing = track(
        scene.breaker.fire(() => {
          throw boom;
        }),
      );
      await settle();

      expect([rejecting.outcome, throwing.outcome]).toEqual([boom, boom]);
      expect(scene.stats).toMatchObject({ fires: 2, failures: 2 });
    });

    it('refuses while it is open, without running the action', async () => {
      const scene = new BreakerScene({ trip: once });
      await errorOf(scene.breaker.fire(() => Promise.reject(boom)));
      let ran = false;

      const error = await errorOf(scene.breaker.fire(() => (ran = true)));

      expect(error).toBeInstanceOf(CircuitOpenException);
      expect([ran, scene.stats.rejects]).toEqual([false, 1]);
    });

    it('is a probe in half-open like any other call', async () => {
      const scene = new BreakerScene({ trip: once });
      await scene.fail();
      await scene.clock.advance(30_000);
      let end = (): void => {};
      const probe = track(scene.breaker.fire(() => new Promise<void>((resolve) => (end = resolve))));
      expect(await scene.lets()).toBe(false);

      end();
      await settle();

      expect([probe.status, scene.state]).toEqual(['fulfilled', 'closed']);
    });

    it('hands back its permit, when what it runs was refused', async () => {
      const scene = new BreakerScene({ trip: once });
      await scene.fail();
      await scene.clock.advance(30_000);
      const refusal = new CircuitOpenException({ policy: 'circuitBreaker', instanceName: 'other', message: 'm' });

      await errorOf(scene.breaker.fire(() => Promise.reject(refusal)));

      expect(await scene.lets()).toBe(true);
    });

    it('goes by errorFilter and isFailure as every call does', async () => {
      const scene = new BreakerScene({
        errorFilter: (error, ...args: unknown[]) => error === 'filtered' && args[0] === 1,
        isFailure: (result) => result === 'bad',
      });

      await errorOf(scene.breaker.fire((_one: number) => Promise.reject('filtered'), 1));
      expect(scene.stats).toMatchObject({ failures: 0, successes: 0 });
      await scene.breaker.fire(() => 'bad');

      expect(scene.stats).toMatchObject({ failures: 1, successes: 0 });
    });

    describe("under the breaker's own timeout", () => {
      const never = () => new Promise(() => {});

      it('ends with a TimeoutException, which counts as a failure and a timeout', async () => {
        const scene = new BreakerScene({ timeout: 500 });
        const result = track(scene.breaker.fire(never));

        await scene.clock.advance(499);
        expect(result.status).toBe('pending');
        await scene.clock.advance(1);

        expect(result.outcome).toMatchObject({ code: 'TIMEOUT' });
        expect(scene.stats).toMatchObject({ failures: 1, timeouts: 1 });
      });

      it('has none with timeout: false', async () => {
        const scene = new BreakerScene({ timeout: false });
        const result = track(scene.breaker.fire(never));

        await scene.clock.advance(1_000_000);

        expect([result.status, scene.clock.timersMade]).toEqual(['pending', 0]);
      });

      it('counts nowhere, when it is cut sooner than successes take in the mean', async () => {
        const scene = new BreakerScene({ timeout: 500 });
        await scene.succeed(1, 800);

        track(scene.breaker.fire(never));
        await scene.clock.advance(500);

        expect(scene.stats).toMatchObject({ successes: 1, failures: 0, timeouts: 0 });
      });

      it('lets an answer win that was waiting behind a blocked event loop', async () => {
        const scene = new BreakerScene({ timeout: 500 });
        let answer = (_value: string): void => {};
        const result = track(scene.breaker.fire(() => new Promise<string>((resolve) => (answer = resolve))));
        await settle();

        scene.clock.block(800);
        scene.clock.fireDueTimers();
        answer('from the socket');
        await settle();
        await scene.clock.poll();

        expect(result.outcome).toBe('from the socket');
      });
    });

    it('asks the dependency when to come back, as every call does', async () => {
      const scene = new BreakerScene({ trip: once, resetTimeout: 1_000 });
      const busy = Object.assign(new Error('busy'), { status: 503, headers: { 'retry-after': '20' } });

      await errorOf(scene.breaker.fire(() => Promise.reject(busy)));
      await scene.clock.advance(19_999);

      expect(scene.state).toBe('open');
    });

    it('emits fire, and runs in mode metricsOnly whatever the state is', async () => {
      const scene = new BreakerScene({ trip: once, mode: 'metricsOnly' });
      await scene.fail();
      const events = emitted(scene);

      expect(await scene.breaker.fire((one: number) => one, 7)).toBe(7);

      expect(events[0]).toEqual(['fire', [7]]);
    });

    it('works through call() too, with `this`', async () => {
      const scene = new BreakerScene();
      const client = {
        name: 'client',
        load(id: number): string {
          return `${this.name} ${id}`;
        },
      };

      expect(await scene.breaker.call(client, client.load, 5)).toBe('client 5');
      expect(scene.stats.successes).toBe(1);
    });
  });

  it('starts no timer, whatever it is made of', async () => {
    const environment = new TestEnvironment();
    const timers: string[] = [];
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'Timeout' || type === 'Immediate') timers.push(type);
      },
    });

    hook.enable();
    for (let index = 0; index < 100; index++) {
      new Breaker(
        new BreakerCore({
          name: `b${index}`,
          options: { ...CIRCUIT_BREAKER_DEFAULTS, allowWarmUp: true },
          environment,
        }),
      );
    }
    hook.disable();
    await settle();

    expect(timers).toEqual([]);
    expect(environment.clock.timersMade).toBe(0);
  });

  it('leaves its options as they are', async () => {
    const options = Object.freeze({ ...CIRCUIT_BREAKER_DEFAULTS, trip: once });
    const before = { ...options };
    const scene = new BreakerScene(options);

    const breaker = new Breaker(new BreakerCore({ name: 'b', options, environment: scene.environment }));
    await scene.fail();
    breaker.shutdown();

    expect(options).toEqual(before);
  });

  describe('snapshot and restore', () => {
    it('goes on with the time that was left, not with the whole reset time', async () => {
      const scene = new BreakerScene({ trip: once });
      await scene.fail();
      await scene.clock.advance(20_000);
      const snapshot = JSON.parse(JSON.stringify(scene.breaker.snapshot())) as ReturnType<Breaker['snapshot']>;
      const other = new BreakerScene({ trip: once }, new TestEnvironment(false));
      await other.clock.advance(20_000 + 4_000);

      other.breaker.restore(snapshot);

      expect(other.state).toBe('open');
      await other.clock.advance(5_999);
      expect(other.state).toBe('open');
      await other.clock.advance(1);
      expect(other.state).toBe('halfOpen');
    });

    it('reads half-open at once, when the time was over meanwhile', async () => {
      const scene = new BreakerScene({ trip: once });
      await scene.fail();
      const snapshot = scene.breaker.snapshot();
      const other = new BreakerScene({ trip: once }, new TestEnvironment(false));
      await other.clock.advance(40_000);

      other.breaker.restore(snapshot);

      expect(other.state).toBe('halfOpen');
      expect(await other.lets()).toBe(true);
      expect(other.state).toBe('closed');
    });

    const detailsOf = async (scene: BreakerScene) => {
      const refused = scene.begin();
      await settle();
      const { details, explanation } = refused.result.outcome as CircuitOpenException;
      return { details, explanation };
    };
    const kept = (scene: BreakerScene): BreakerSnapshot =>
      JSON.parse(JSON.stringify(scene.breaker.snapshot())) as BreakerSnapshot;

    it.each<[string, (scene: BreakerScene) => Promise<unknown>]>([
      ['open', (scene) => scene.fail()],
      ['forced open', async (scene) => (await scene.succeed(4), scene.breaker.forceOpen('maintenance'))],
    ])('refuses in the words of the opening that was restored: %s', async (_state, open) => {
      const scene = new BreakerScene({ trip: once });
      await open(scene);
      const other = new BreakerScene({ trip: once });
      await other.clock.advance(5_000);
      await other.fail(1, new Error('of its own'));
      await detailsOf(other);
      await scene.clock.advance(6_000);
      other.clock.block(1_000);

      other.breaker.restore(kept(scene));

      expect(await detailsOf(other)).toEqual(await detailsOf(scene));
    });

    it('tells nothing of its own former opening, when the snapshot does not say more', async () => {
      const other = new BreakerScene({ trip: once });
      await other.fail(1, new Error('of its own'));
      const { name, state, reason, openings } = new BreakerScene().breaker.snapshot();

      other.breaker.restore({
        name,
        openings,
        state: 'open',
        reason: 'elsewhere',
        probeAt: other.clock.wallNow() + 1_000,
      });

      expect(state + reason).toBe('closed');
      const { details, explanation } = await detailsOf(other);
      expect(details).toEqual({ state: 'open', since: other.clock.wallNow(), reason: 'elsewhere' });
      expect(explanation).not.toContain('of its own');
    });

    it.each([NaN, 'yesterday', Infinity, 4e15])(
      'takes a moment that is none, or to come, for now: %s',
      async (since) => {
        const other = new BreakerScene({ trip: once });
        const probeAt = other.clock.wallNow() + 1_000;

        other.breaker.restore({ name: 'x', openings: 1, state: 'open', reason: 'r', probeAt, since: since as number });

        expect((await detailsOf(other)).details).toMatchObject({ since: other.clock.wallNow() });
        await other.clock.advance(999);
        expect(other.state).toBe('open');
        await other.clock.advance(1);
        expect(other.state).toBe('halfOpen');
      },
    );

    it.each([null, {}, { state: 'ajar', openings: 0 }, { state: 'open' }])('refuses what is none: %j', (snapshot) => {
      const { breaker } = new BreakerScene();

      expect(() => breaker.restore(snapshot as never)).toThrow(/^circuit breaker payments, restore: expected/);
    });
  });
});
