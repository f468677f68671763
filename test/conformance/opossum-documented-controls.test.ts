import { CircuitBreaker, CircuitOpenException, type CircuitBreakerOptions } from 'nestjs-bulwark';
import type OpossumBreaker from 'opossum';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deferred, fail, guard, hang, pass, settle, watch } from '../composition/scene.js';
import { plainOpossum, quietly, type Work } from './support/plain-opossum.js';

// What opossum's README says of options, switches and `fire`: of plain opossum and of `handle.breaker`, side by side.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const OPTIONS = { timeout: false, volumeThreshold: 2, resetTimeout: 1_000, resetJitter: 0 } as const;
const succeed: Work = () => Promise.resolve('done');

/** A breaker of each kind with the same options; ours runs what it is given by `fire(action)`. */
async function pair(options: CircuitBreakerOptions = {}) {
  const { resetJitter: _ours, ...theirs } = { ...OPTIONS, ...options };
  const opossum = plainOpossum(theirs as OpossumBreaker.Options<[Work]>);
  const scene = await guard([CircuitBreaker({ ...OPTIONS, ...options })], succeed);
  const { breaker } = scene.breaker();
  const fireBoth = async (work: Work, times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await quietly(opossum.fire(work));
      await quietly(breaker.fire(work));
    }
  };
  return { opossum, breaker, fireBoth, call: scene.call };
}

type Face = Pick<OpossumBreaker, 'closed' | 'opened' | 'halfOpen' | 'pendingClose' | 'enabled'>;

const faces = (breaker: Face) => ({
  closed: breaker.closed,
  opened: breaker.opened,
  halfOpen: breaker.halfOpen,
  pendingClose: breaker.pendingClose,
  enabled: breaker.enabled,
});

it('gives what the action gives and takes its arguments, when fired', async () => {
  const { breaker } = await pair();
  const add = async (x: number, y: number): Promise<number> => x + y;
  const scale = async function (this: { factor: number }, x: number): Promise<number> {
    return this.factor * x;
  };

  const results = [await breaker.fire(add, 1, 2), await breaker.call({ factor: 3 }, scale, 4)];

  expect(results).toEqual([3, 12]);
  expect(breaker.stats).toMatchObject({ fires: 2, successes: 2 });
});

it('rejects with the error of the action, then with a refusal, when fired until it is open', async () => {
  const { breaker, fireBoth, call } = await pair();

  await expect(breaker.fire(fail('no'))).rejects.toThrow('no');
  await fireBoth(fail());

  await expect(breaker.fire(succeed)).rejects.toBeInstanceOf(CircuitOpenException);
  await expect(call()).rejects.toBeInstanceOf(CircuitOpenException);
});

it('has the documented getters, when closed, open, half-open and closed again', async () => {
  const { opossum, breaker, fireBoth } = await pair();
  const seen = [[faces(opossum), faces(breaker)]];
  const look = (): void => void seen.push([faces(opossum), faces(breaker)]);

  await fireBoth(fail(), 2);
  look();
  await pass(999);
  look();
  await pass(1);
  look();
  await fireBoth(succeed);
  look();

  for (const [theirs, ours] of seen) expect(ours).toEqual(theirs);
});

it('opens and closes by hand, when told to, and probes after the reset time', async () => {
  const { opossum, breaker, fireBoth } = await pair();
  const seen: [Face, Face][] = [];
  const look = (): void => void seen.push([faces(opossum), faces(breaker)]);

  for (const one of [opossum, breaker]) one.open();
  look();
  await pass(1_000);
  look();
  for (const one of [opossum, breaker]) one.close();
  look();
  await fireBoth(succeed);

  for (const [theirs, ours] of seen) expect(ours).toEqual(theirs);
  expect(breaker.stats.successes).toBe(1);
});

it('lets every call through and counts no outcome, when disabled, until it is enabled', async () => {
  const { opossum, breaker, fireBoth } = await pair();
  for (const one of [opossum, breaker]) one.disable();

  await fireBoth(fail(), 5);
  const disabled = [faces(opossum), faces(breaker)];
  const counts = [opossum.stats, breaker.stats].map(({ successes, failures }) => ({ successes, failures }));
  for (const one of [opossum, breaker]) one.enable();
  // opossum counts the calls meanwhile as fired, which dilutes its rate.
  await fireBoth(fail(), 6);

  expect(disabled[1]).toEqual(disabled[0]);
  expect(counts[1]).toEqual(counts[0]);
  expect([opossum.opened, breaker.opened]).toEqual([true, true]);
});

it.each(['open', 'close'] as const)('stays disabled, when %s() is called meanwhile', async (operation) => {
  const { opossum, breaker } = await pair();

  for (const one of [opossum, breaker]) {
    one.disable();
    one[operation]();
  }

  expect([opossum.enabled, breaker.enabled]).toEqual([false, false]);
  await expect(opossum.fire(succeed)).resolves.toBe('done');
  await expect(breaker.fire(succeed)).resolves.toBe('done');
});

it('is disabled from the start, when enabled is false', async () => {
  const { opossum, breaker, fireBoth } = await pair({ enabled: false });

  await fireBoth(fail(), 5);

  expect([opossum.enabled, breaker.enabled]).toEqual([false, false]);
  expect([opossum.opened, breaker.opened]).toEqual([false, false]);
});

it('does not open in its first window, when allowWarmUp is set, and opens after it', async () => {
  const { opossum, breaker, fireBoth } = await pair({ allowWarmUp: true });

  await fireBoth(fail(), 5);
  const warm = [opossum, breaker].map(({ warmUp, opened }) => ({ warmUp, opened }));
  await pass(10_000);
  await fireBoth(fail(), 5);

  expect(warm).toEqual([
    { warmUp: true, opened: false },
    { warmUp: true, opened: false },
  ]);
  expect([opossum, breaker].map(({ warmUp, opened }) => ({ warmUp, opened }))).toEqual([
    { warmUp: false, opened: true },
    { warmUp: false, opened: true },
  ]);
});

it('waits for volumeThreshold, when every call fails', async () => {
  const { opossum, breaker, fireBoth } = await pair({ volumeThreshold: 4 });

  await fireBoth(fail(), 3);
  const before = [opossum.opened, breaker.opened];
  await fireBoth(fail());

  expect([opossum.volumeThreshold, breaker.volumeThreshold]).toEqual([4, 4]);
  expect(before).toEqual([false, false]);
  expect([opossum.opened, breaker.opened]).toEqual([true, true]);
});

// Calls and failures of each second; README, "Calculating errorThresholdPercentage": the newest second comes first.
const SECONDS = [
  [0, 0],
  [4, 0],
  [0, 0],
  [2, 0],
  [3, 3],
] as const;

it.each([
  { window: 'ten seconds', rollingCountTimeout: 10_000, rollingCountBuckets: 10, opened: false },
  { window: 'three seconds', rollingCountTimeout: 3_000, rollingCountBuckets: 3, opened: true },
])("judges as in the README's example, when the window is $window", async ({ window: _window, opened, ...options }) => {
  const { opossum, breaker, fireBoth } = await pair({ ...options, volumeThreshold: 0 });

  for (const [calls, failures] of SECONDS) {
    await fireBoth(succeed, calls - failures);
    await fireBoth(fail(), failures);
    if (failures === 0) await pass(1_000);
  }

  expect([opossum.opened, breaker.opened]).toEqual([opened, opened]);
});

it.each([
  { by: 'the guarded method', args: [undefined] },
  { by: 'fire()', args: ['an argument'] },
])('asks errorFilter about an error and the arguments and does not count it, when $by fails', async ({ by, args }) => {
  const errorFilter = vi.fn((error: Error) => error.message === 'expected');
  const scene = await guard([CircuitBreaker({ ...OPTIONS, errorFilter })], fail('expected'));
  const { breaker } = scene.breaker();
  const failWith = (_argument: string): Promise<never> => fail('expected')();

  for (let time = 0; time < 5; time++)
    await quietly(by === 'fire()' ? breaker.fire(failWith, 'an argument') : scene.call());

  expect(breaker.opened).toBe(false);
  expect(breaker.stats.failures).toBe(0);
  expect(errorFilter).toHaveBeenCalledTimes(5);
  expect(errorFilter).toHaveBeenCalledWith(new Error('expected'), ...args);
});

it('judges a result by isFailure, when an action is fired', async () => {
  const { breaker } = await pair({ isFailure: (result) => result === 'bad' });

  for (let time = 0; time < 2; time++) await breaker.fire(() => 'bad');

  expect(breaker.opened).toBe(true);
});

it('ends with a timeout and counts it, when a fired action takes longer than timeout', async () => {
  const { opossum, breaker } = await pair({ timeout: 100 });

  const calls = [watch(opossum.fire(hang)), watch(breaker.fire(hang))];
  await pass(100);

  expect(calls.map(({ settled }) => settled)).toEqual([true, true]);
  expect([opossum.stats, breaker.stats].map(({ timeouts }) => timeouts)).toEqual([1, 1]);
});

it('answers with the fallback or says that it has none, when fallback() is given a function', async () => {
  const { opossum, breaker, fireBoth } = await pair();
  const out = (): string => 'Sorry, out of service right now';
  opossum.fallback(out);

  const answer = (async () => {
    // The types leave it out; those who do not check types still have it.
    (breaker as unknown as OpossumBreaker).fallback(out);
    await fireBoth(fail(), 2);
    return breaker.fire(succeed);
  })();

  await expect(answer.catch((error: Error) => error.message)).resolves.toMatch(/out of service right now|fallback/i);
  await expect(opossum.fire(succeed)).resolves.toBe('Sorry, out of service right now');
});

it('has the name and the group of its options, when they are given, else the name for both', async () => {
  const grouped = await guard([CircuitBreaker('payments', { group: 'money' })], succeed);
  const plain = await guard([CircuitBreaker('payments', {})], succeed);

  const breakers = [grouped.breaker('payments').breaker, plain.breaker('payments').breaker];

  expect(breakers.map(({ name, group }) => ({ name, group }))).toEqual([
    { name: 'payments', group: 'money' },
    { name: 'payments', group: 'payments' },
  ]);
});

it('tells of its shutdown, lets go of listeners and lets nothing through, when shut down', async () => {
  const { opossum, breaker } = await pair();
  const told = vi.fn();
  for (const one of [opossum, breaker]) one.on('shutdown', told).on('fire', told);

  for (const one of [opossum, breaker]) one.shutdown();
  const calls = [watch(opossum.fire(succeed)), watch(breaker.fire(succeed))];
  await settle();

  expect(told).toHaveBeenCalledTimes(2);
  expect([opossum, breaker].map((one) => [one.isShutdown, one.toJSON().state.shutdown])).toEqual([
    [true, true],
    [true, true],
  ]);
  expect(calls.map(({ error }) => error instanceof Error)).toEqual([true, true]);
});

it('opens and says so, when a health check fails', async () => {
  const { opossum, breaker } = await pair();
  const told = vi.fn();

  for (const one of [opossum, breaker] as const) {
    one.on('healthCheckFailed', told);
    (one as OpossumBreaker).healthCheck(fail('unhealthy'), 500);
  }
  await settle();

  expect(told.mock.calls).toEqual([[new Error('unhealthy')], [new Error('unhealthy')]]);
  expect([opossum.opened, breaker.opened]).toEqual([true, true]);
});

it('counts no call twice or in the wrong state, when an action is fired through a trip in metricsOnly', async () => {
  const { breaker } = await pair({ mode: 'metricsOnly' });
  const slow = new Deferred();
  const begun = breaker.fire(() => slow.promise);

  await quietly(breaker.fire(fail()));
  await quietly(breaker.fire(fail()));
  await expect(breaker.fire(succeed)).resolves.toBe('done');
  slow.resolve('late');
  await begun;

  expect(breaker.state).toBe('open');
  expect(breaker.stats).toMatchObject({ fires: 4, failures: 2, successes: 1, rejects: 1 });
});
