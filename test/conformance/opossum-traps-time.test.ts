import { Bulkhead, CircuitBreaker, CircuitOpenException, Timeout, type CircuitBreakerHandle } from 'nestjs-bulwark';
import OpossumBreaker from 'opossum';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Deferred, fail, guard, hang, pass, settle, watch } from '../composition/scene.js';
import { plainOpossum, quietly, type Work } from './support/plain-opossum.js';
import { guardQuietly } from './support/quiet-app.js';

type Snapshot = ReturnType<CircuitBreakerHandle['snapshot']>;

const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('trap 9: no second call runs, when the only slot is held by work that has outlived its timeout', async () => {
  let running = 0;
  const work: Work = () => {
    running++;
    return hang();
  };
  const theirs = plainOpossum({ timeout: 100, capacity: 1, errorThresholdPercentage: 100 });
  const ours = await guard([CircuitBreaker({ volumeThreshold: 100 }), Timeout(100), Bulkhead(1)], hang);

  for (let time = 0; time < 5; time++) {
    void quietly(theirs.fire(work));
    void quietly(ours.call());
    await pass(100);
  }

  expect(running).toBe(5);
  expect(ours.runs()).toBe(1);
});

it('trap 10: a breaker goes on probing, when a probe hangs and no timeout ends it', async () => {
  const options = { timeout: false, resetTimeout: 1_000, volumeThreshold: 1 } as const;
  const script: Work[] = [fail(), hang, () => 'up again'];
  const theirs = plainOpossum(options);
  const ours = await guard([CircuitBreaker({ ...options, resetJitter: 0, halfOpenMaxWait: 5_000 })], (run) =>
    script[run - 1]?.(),
  );
  await quietly(theirs.fire(fail()));
  await quietly(ours.call());
  await pass(1_000);
  void quietly(theirs.fire(hang));
  void quietly(ours.call());

  await pass(4_999);
  const hanging = ours.breaker().state;
  await pass(1);
  const givenUp = ours.breaker().state;
  await pass(1_000);
  const secondProbe = await ours.call();
  await pass(HOUR);

  expect([hanging, givenUp, secondProbe, ours.breaker().state]).toEqual(['halfOpen', 'open', 'up again', 'closed']);
  await expect(theirs.fire(() => 'up again')).rejects.toMatchObject({ code: 'EOPENBREAKER' });
});

it.each([
  { listener: 'nobody', end: 'a value', finish: (probe: Deferred) => probe.resolve('late') },
  { listener: 'nobody', end: 'an error', finish: (probe: Deferred) => probe.reject(new Error('late')) },
  { listener: 'somebody', end: 'a value', finish: (probe: Deferred) => probe.resolve('late') },
  { listener: 'somebody', end: 'an error', finish: (probe: Deferred) => probe.reject(new Error('late')) },
])(
  'trap 10: a probe that was given up changes nothing, when it ends with $end after all and $listener listens',
  async ({ listener, finish }) => {
    const probe = new Deferred();
    const script: Work[] = [fail(), () => probe.promise];
    const options = { timeout: false, volumeThreshold: 1, resetTimeout: 10_000, resetJitter: 0 } as const;
    const ours = await guardQuietly({ ...options, halfOpenMaxWait: 5_000 }, (call) => script[call - 1]?.());
    const { breaker } = ours;
    if (listener === 'somebody') ours.service.events$.subscribe();
    await quietly(ours.call());
    await pass(10_000);
    void quietly(ours.call());
    await pass(6_000);
    const { state, stats } = breaker;

    finish(probe);
    await settle();

    expect(state).toBe('open');
    expect(breaker.state).toBe('open');
    expect(breaker.stats).toEqual(stats);
    await expect(ours.call()).rejects.toMatchObject({ retryAfterMs: 9_000 });
  },
);

it('trap 11: lastTimerAt is the moment at which the breaker opened, when it was made long before', async () => {
  const theirs = plainOpossum({ timeout: false });
  const ours = await guard([CircuitBreaker({ timeout: false, volumeThreshold: 1 })], fail());
  const madeAt = Date.now();
  await pass(60_000);
  const openedAt = Date.now();

  await quietly(theirs.fire(fail()));
  await quietly(ours.call());
  await pass(5_000);

  expect(lastTimerAt(theirs)).toBe(madeAt);
  expect(lastTimerAt(ours.breaker().breaker)).toBe(openedAt);
});

it('trap 11: a restored breaker waits for what is left of its reset time, when it had been open for a while', async () => {
  const theirs = plainOpossum({ timeout: false, resetTimeout: 30_000 });
  const options = { timeout: false, resetTimeout: 30_000, resetJitter: 0, volumeThreshold: 1 } as const;
  const ours = await guard([CircuitBreaker(options)], fail());
  const another = await guard([CircuitBreaker(options)], () => 'up again');
  await quietly(theirs.fire(fail()));
  await quietly(ours.call());
  await pass(20_000);

  const theirState = theirs.toJSON().state;
  const ourState = JSON.parse(JSON.stringify(ours.breaker().snapshot())) as Snapshot;
  await pass(4_000);
  const theirsRestored = plainOpossum({ timeout: false, resetTimeout: 30_000, state: theirState } as object);
  another.breaker().restore(ourState);
  const refusal = watch(another.call());
  await pass(5_999);
  const before = another.breaker().state;
  await pass(1);

  expect(refusal.error).toBeInstanceOf(CircuitOpenException);
  expect(refusal.error).toMatchObject({ retryAfterMs: 6_000 });
  expect([before, another.breaker().state]).toEqual(['open', 'halfOpen']);
  await expect(another.call()).resolves.toBe('up again');
  expect(theirsRestored.opened).toBe(true);
  await pass(23_999);
  expect(theirsRestored.opened).toBe(true);
});

it('trap 11: a snapshot has the time to the next probe, when the last one hung and nobody has called since', async () => {
  const script: Work[] = [fail(), hang];
  const options = { timeout: false, volumeThreshold: 1, resetTimeout: 10_000, resetJitter: 0 } as const;
  const ours = await guardQuietly({ ...options, halfOpenMaxWait: 5_000 }, (call) => script[call - 1]?.());
  await quietly(ours.call());
  await pass(10_000);
  void quietly(ours.call());
  await pass(6_000);

  const snapshot = ours.breaker.snapshot();

  expect(snapshot).toMatchObject({ state: 'open', probeAt: Date.now() + 9_000 });
  expect(lastTimerAt(ours.breaker.breaker)).toBe(Date.now() - 1_000);
});

it('trap 11: a restored breaker waits for resetTimeout at most, when the clock of the snapshot was ahead', async () => {
  const options = { timeout: false, resetTimeout: 30_000, resetJitter: 0, volumeThreshold: 1 } as const;
  const ours = await guard([CircuitBreaker(options)], fail());
  await quietly(ours.call());
  const snapshot = ours.breaker().snapshot();
  ours.breaker().reset();
  vi.setSystemTime(Date.now() - 24 * HOUR);

  ours.breaker().restore(snapshot);
  await pass(30_000);

  expect(ours.breaker().state).toBe('halfOpen');
});

it('trap 14: the options are left as they were, when a breaker is made of them', async () => {
  const theirOptions: OpossumBreaker.Options = { timeout: false };
  const theirs = new OpossumBreaker(async () => {}, theirOptions);
  onTestFinished(() => theirs.shutdown());
  const ourOptions = Object.freeze({ timeout: false as const, volumeThreshold: 1 });
  const sets = Object.freeze({ upstream: Object.freeze({ circuitBreaker: ourOptions }) });

  const inline = await guard([CircuitBreaker(ourOptions)], fail());
  const named = await guard([CircuitBreaker('upstream')], fail(), { policies: sets });
  await quietly(inline.call());
  await quietly(named.call());

  expect(Object.keys(theirOptions).length).toBeGreaterThan(10);
  expect([inline.breaker().state, named.breaker('upstream').state]).toEqual(['open', 'open']);
  expect(ourOptions).toEqual({ timeout: false, volumeThreshold: 1 });
  expect(() => new OpossumBreaker(async () => {}, Object.freeze({ timeout: false as const }))).toThrow(TypeError);
});

it('trap 16: only the call that is too late is aborted, when others run and more follow', async () => {
  const abortController = new AbortController();
  const theirs = plainOpossum({ timeout: 100, abortController });
  const signals: AbortSignal[] = [];
  const ours = await guard([CircuitBreaker({ timeout: 100 })], (_run, signal) => {
    signals.push(signal);
    return hang();
  });
  const startBoth = (): void => {
    void quietly(theirs.fire(hang));
    void quietly(ours.call());
  };

  startBoth();
  await pass(50);
  startBoth();
  await pass(50);
  startBoth();

  expect(abortController.signal.aborted).toBe(true);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
});

function lastTimerAt(breaker: { toJSON(): { state: object } }): unknown {
  return (breaker.toJSON().state as { lastTimerAt?: number }).lastTimerAt;
}
