import { describe, expect, it } from 'vitest';
import { RateLimitExceededException } from '../../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../../lib/errors/shutdown.exception.js';
import { resolveRateLimit, type RateLimitOptions } from '../../../../../lib/policies/rate-limit/rate-limit.options.js';
import { callOf } from '../../../../../lib/kernel/call.js';
import { settle } from '../../../../support/settle.js';
import { TestEnvironment } from '../../../../support/test-environment.js';
import { RateLimitScene } from '../rate-limit.scene.js';
import { CountingStore, FakeStore } from './fake-store.js';

/** 1,000/s: a unit takes 1 ms, and a process is granted 25 at most. */
function setUp(options: RateLimitOptions = {}) {
  const environment = new TestEnvironment();
  const store = new FakeStore();
  environment.rateStore = store;
  const scene = new RateLimitScene({ limit: 1_000, per: 1_000, scope: 'cluster', ...options }, environment);
  const retryAfter = (index: number): number | undefined =>
    (scene.results[index]?.outcome as RateLimitExceededException).retryAfterMs;
  return { scene, store, environment, clock: scene.clock, retryAfter };
}

const statuses = ({ results }: RateLimitScene): string[] => results.map(({ status }) => status);

describe('a rate limit of a cluster', () => {
  it('asks the store for a call, which waits for the answer', async () => {
    const { scene, store } = setUp();

    scene.call();
    await settle();
    expect(scene.begun).toHaveLength(0);

    await store.grant();
    expect(scene.begun).toHaveLength(1);
    expect(store.requests).toEqual([{ name: 'search', least: 1, want: 1, intervalMs: 1, burst: 100 }]);
  });

  it('has one question under way, whose answer serves those that wait in order', async () => {
    const { scene, store } = setUp();
    scene.call(['a']);
    for (const name of ['b', 'c', 'd']) scene.call([name]);
    await settle();
    expect(store.requests).toHaveLength(1);

    await store.grant();
    expect(store.last).toMatchObject({ least: 1, want: 3 });
    await store.grant();

    expect(scene.begun.map(({ args }) => args[0])).toEqual(['a', 'b', 'c', 'd']);
    expect(store.requests).toHaveLength(2);
  });

  it('lets calls begin by what it was granted, and asks nobody', async () => {
    const { scene, store } = setUp();
    scene.call();
    await store.grant(5);

    expect(await scene.admitted(4)).toBe(4);

    expect(store.requests).toHaveLength(1);
  });

  it('refuses those for whom there is nothing, with the time that the store said', async () => {
    const { scene, store, retryAfter } = setUp();
    scene.call();
    await settle();
    scene.burst(4);
    await store.grant();

    await store.grant(2, 0.25);

    expect(statuses(scene)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(scene.results[3]?.outcome).toBeInstanceOf(RateLimitExceededException);
    expect(retryAfter(3)).toBe(4);
  });

  it('asks nobody before there can be something', async () => {
    const { scene, store, clock, retryAfter } = setUp({ limit: 10 });
    scene.call();
    await store.grant(0, 40);
    expect(retryAfter(0)).toBe(60);

    await clock.advance(59);
    await scene.admitted(3);
    expect(store.requests).toHaveLength(1);
    expect(retryAfter(3)).toBe(1);
    await clock.advance(1);
    scene.call();

    expect(store.requests).toHaveLength(2);
  });

  it('lets what it was granted lapse after 50 ms', async () => {
    const { scene, store, clock } = setUp();
    scene.call();
    await store.grant(5);
    await clock.advance(49);
    expect(await scene.admitted(1)).toBe(1);

    await clock.advance(1);
    scene.call();
    await settle();

    expect(scene.begun).toHaveLength(2);
    expect(store.open).toBe(1);
  });

  it('asks for what it admitted within 25 ms, 2.5 % of the limit at most', async () => {
    const { scene, store, clock } = setUp();
    for (let i = 0; i < 8; i++) {
      scene.call();
      if (store.open > 0) await store.grant();
      await clock.advance(5);
    }
    const slow = store.last?.want;
    scene.burst(200);
    await store.grant();
    await store.grant();

    expect(slow).toBeGreaterThanOrEqual(4);
    expect(slow).toBeLessThanOrEqual(6);
    expect(store.last?.want).toBe(25);
  });

  it('remembers over a pause what it needs', async () => {
    const { scene, store, clock } = setUp();
    scene.call();
    await settle();
    scene.burst(20);
    await store.grant();
    await store.grant();
    await clock.advance(60);

    scene.call();

    expect(store.last?.want).toBe(21);
  });

  it('charges what calls cost', async () => {
    const { scene, store } = setUp({ cost: (units: number) => units });
    scene.call([30]);
    expect(store.last).toMatchObject({ least: 30, want: 30 });
    await store.grant();
    const tooMuch = await scene.attempt([101]);

    expect(scene.begun).toHaveLength(1);
    expect(tooMuch).toBeInstanceOf(RateLimitExceededException);
    expect((tooMuch as RateLimitExceededException).retryAfterMs).toBeUndefined();
    expect(store.requests).toHaveLength(1);
  });

  it('has a limit for each key, and keys with limits of their own', async () => {
    const { scene, store } = setUp({ key: (key: string) => key, overrides: { vip: { limit: 2_000 }, banned: 0 } });

    scene.call(['a']);
    scene.call(['b']);
    scene.call(['vip']);

    expect(store.requests.map(({ name, intervalMs, burst }) => ({ name, intervalMs, burst }))).toEqual([
      { name: 'search[a]', intervalMs: 1, burst: 100 },
      { name: 'search[b]', intervalMs: 1, burst: 100 },
      { name: 'search[vip]', intervalMs: 0.5, burst: 200 },
    ]);
    expect(await scene.attempt(['banned'])).toBeInstanceOf(RateLimitExceededException);
    expect(store.requests).toHaveLength(3);
  });

  it('lets a small limit begin at once after a rest, and a tenth where that is more than 10', () => {
    const burst = (limit: number, more: RateLimitOptions = {}) =>
      resolveRateLimit('test', { limit, per: 1_000, onLimit: 'reject', scope: 'cluster', ...more }).burst;

    expect([burst(3), burst(100), burst(1_000), burst(10_000)]).toEqual([3, 10, 100, 1_000]);
    expect([burst(3, { onLimit: 'queue' }), burst(1_000, { onLimit: 'queue' })]).toEqual([1, 100]);
    expect(burst(1_000, { burst: 7 })).toBe(7);
  });

  it('takes on another limit for those that wait as well', async () => {
    const { scene, store } = setUp({ limit: 1, onLimit: 'queue' });
    scene.call();
    await store.grant(0, 0);
    scene.limiter.reconfigure(resolveRateLimit('test', { limit: 100, per: 1_000, onLimit: 'queue', scope: 'cluster' }));

    await scene.clock.advance(1);
    await store.grant();

    expect(store.last).toMatchObject({ intervalMs: 10, burst: 10 });
    expect(scene.begun).toHaveLength(1);
  });

  it('lets go of a call that is cut while it waits', async () => {
    const { scene, store, clock } = setUp();
    const reason = new Error('gone');
    let cut: (() => void) | undefined;
    const result = scene.call([], (call) => (cut = () => callOf(call).abort(reason)));
    await settle();

    cut?.();
    await settle();
    expect(result).toEqual({ status: 'rejected', outcome: reason });
    expect(clock.pending).toBe(0);
    expect(scene.limiter.waiting).toBe(0);
    await store.grant();

    expect(await scene.admitted(1)).toBe(1);
  });

  it('ends waiting calls at shutdown, and leaves no timer', async () => {
    const { scene, store, environment, clock } = setUp();
    scene.call();
    await settle();

    environment.lifecycle.dispose();
    await settle();
    scene.call();
    await settle();

    expect(scene.results.map(({ outcome }) => outcome)).toEqual([
      expect.any(ShutdownException),
      expect.any(ShutdownException),
    ]);
    await store.grant();
    expect(clock.pending).toBe(0);
  });

  it('lets a probe of a half-open breaker wait for the answer', async () => {
    const { scene, store } = setUp();
    scene.call([], (call) => (call.rarely().probe = true));

    await store.grant();

    expect(scene.begun).toHaveLength(1);
  });
});

describe("a rate limit of a cluster with onLimit: 'queue'", () => {
  it('lets calls wait for their turn, and asks when it comes', async () => {
    const { scene, store, clock } = setUp({ limit: 10, onLimit: 'queue' });
    scene.burst(2);
    await store.grant();
    await store.grant(0, 0);
    expect(statuses(scene)).toEqual(['fulfilled', 'pending']);

    await clock.advance(100);
    expect(store.open).toBe(1);
    await store.grant();

    expect(statuses(scene)).toEqual(['fulfilled', 'fulfilled']);
    expect(clock.pending).toBe(0);
  });

  it('refuses at once whose turn would come after maxWait', async () => {
    const { scene, store, clock, retryAfter } = setUp({ limit: 10, onLimit: 'queue', maxWait: 150 });
    scene.burst(3);
    await store.grant(0, 0);
    expect(statuses(scene)).toEqual(['pending', 'rejected', 'rejected']);

    const late = await scene.attempt();
    await clock.advance(100);
    await store.grant();

    expect(late).toBeInstanceOf(RateLimitExceededException);
    expect(retryAfter(1)).toBe(50);
    expect(scene.times).toEqual([100]);
  });

  it('refuses who waited in vain, since others were faster', async () => {
    const { scene, store, clock } = setUp({ limit: 10, onLimit: 'queue', maxWait: 150 });
    scene.call();
    await store.grant(0, 0);
    await clock.advance(100);

    await store.grant(0, 0);

    expect(statuses(scene)).toEqual(['rejected']);
    expect(clock.pending).toBe(0);
  });

  it('does not let a probe wait for its turn', async () => {
    const { scene, store } = setUp({ limit: 10, onLimit: 'queue' });
    scene.call([], (call) => (call.rarely().probe = true));

    await store.grant(0, 0);

    expect(statuses(scene)).toEqual(['rejected']);
  });
});

describe('a rate limit of a cluster whose store does not answer', () => {
  it('lets no call wait longer than commandTimeout, then each process has its part', async () => {
    const { scene, clock } = setUp();
    scene.burst(27);
    await clock.advance(49);
    expect(scene.begun).toHaveLength(0);

    await clock.advance(1);

    // A burst of 100 between four.
    expect(scene.begun).toHaveLength(25);
    expect(scene.results.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('lets an answer win that came while the event loop was blocked', async () => {
    const { scene, store, clock } = setUp();
    scene.burst(20);
    await settle();
    clock.block(200);
    clock.fireDueTimers();
    clock.turn();
    void store.grant();
    await settle();
    await clock.poll();
    await store.grant();

    expect(scene.begun).toHaveLength(20);
  });

  it('gives each process its part of the limit as long as the store is away', async () => {
    const { scene, store, clock } = setUp();
    store.up = false;

    expect(await scene.admitted(100)).toBe(25);
    for (let i = 0; i < 100; i++) {
      await clock.advance(10);
      scene.burst(10);
    }
    await settle();

    expect(scene.begun.length).toBeGreaterThanOrEqual(273);
    expect(scene.begun.length).toBeLessThanOrEqual(276);
    expect(store.requests).toHaveLength(0);
  });

  it('divides by the processes that are there', async () => {
    const { scene, store } = setUp({ limit: 100, burst: 100 });
    store.up = false;
    expect(await scene.admitted(100)).toBe(25);

    store.processes = 1;
    await scene.clock.advance(1_000);

    expect(await scene.admitted(200)).toBe(100);
  });

  it.each([
    ['open', ['fulfilled', 'fulfilled', 'fulfilled']],
    ['closed', ['rejected', 'rejected', 'rejected']],
    ['local', ['fulfilled', 'rejected', 'rejected']],
  ] as const)("with onStoreError: '%s', of the limit or of the store, it is %j", async (onStoreError, expected) => {
    const own = setUp({ limit: 1, burst: 4, onStoreError });
    const ofStore = setUp({ limit: 1, burst: 4 });
    ofStore.store.onStoreError = onStoreError;
    for (const { scene, store } of [own, ofStore]) {
      scene.burst(2);
      await settle();
      await store.fail();
      store.up = false;
      scene.call();
      await settle();

      expect(statuses(scene)).toEqual(expected);
      expect(scene.clock.pending).toBe(0);
    }
  });

  it('goes on with a queue at the pace of its part, and asks again when the store is back', async () => {
    const { scene, store, clock } = setUp({ limit: 10, onLimit: 'queue' });
    store.up = false;
    scene.burst(4);
    await clock.advance(850);
    expect(scene.times).toEqual([0, 400, 800]);

    store.up = true;
    await clock.advance(350);
    await store.grant();

    expect(scene.begun).toHaveLength(4);
    expect(clock.pending).toBe(0);
  });
});

describe("a rate limit of a cluster with mode: 'metricsOnly'", () => {
  it('lets nothing wait, and tells what it would have refused', async () => {
    const { scene, store, environment, clock } = setUp({ mode: 'metricsOnly' });
    expect(await scene.admitted(3)).toBe(3);

    await store.grant();
    await store.grant(1, 0);
    expect(environment.of('refused')).toMatchObject([{ metricsOnly: true, name: 'search' }]);
    expect(await scene.admitted(1)).toBe(1);

    expect(environment.of('refused')).toHaveLength(2);
    expect(store.requests).toHaveLength(2);
    expect(clock.keepingAlive).toBe(0);
  });

  it('lets those go that wait when a rule turns it on', async () => {
    const { scene, store } = setUp({ limit: 10, onLimit: 'queue' });
    scene.burst(3);
    await store.grant(0, 0);

    scene.limiter.reconfigure(
      resolveRateLimit('test', { limit: 10, per: 1_000, onLimit: 'queue', scope: 'cluster', mode: 'metricsOnly' }),
    );
    await settle();

    expect(scene.begun).toHaveLength(3);
  });
});

describe('a rate limit of a cluster and its store', () => {
  it('lets the limit through in the long run, and asks seldom', async () => {
    const environment = new TestEnvironment();
    const store = new CountingStore(environment.clock, 1);
    environment.rateStore = store;
    const scene = new RateLimitScene({ limit: 1_000, per: 1_000, scope: 'cluster' }, environment);

    for (let ms = 0; ms < 1_000; ms++) {
      scene.burst(2);
      await scene.clock.advance(1);
    }

    expect(scene.begun.length).toBeGreaterThanOrEqual(975);
    expect(scene.begun.length).toBeLessThanOrEqual(1_105);
    expect(store.asks).toBeLessThanOrEqual(85);
  });
});
