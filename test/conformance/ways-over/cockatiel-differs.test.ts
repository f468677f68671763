import {
  bulkhead,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  CountBreaker,
  handleAll,
  handleType,
  handleWhen,
  isTaskCancelledError,
  retry,
  SamplingBreaker,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  consecutiveFailures,
  countWindow,
  fixed,
  ResilienceException,
  Retry,
  Timeout,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fail, guard, hang, pass, settle, watch } from '../../composition/scene.js';
import { quietly } from '../support/plain-opossum.js';

// What docs/ways-over/from-cockatiel.md says of cockatiel alone, and of this package beside it.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class OddError extends Error {}

/** A breaker of cockatiel that has opened and whose time is over. */
async function halfOpened(policy = handleAll): Promise<CircuitBreakerPolicy> {
  const breaker = circuitBreaker(policy, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(1) });
  await quietly(breaker.execute(fail()));
  await pass(1_000);
  return breaker;
}

/** One of ours that is half-open: its first run has failed, later ones do `work`. */
async function halfOpen(work: (run: number) => unknown, options: object = {}) {
  const scene = await guard(
    [CircuitBreaker({ trip: consecutiveFailures(1), resetTimeout: 1_000, resetJitter: 0, timeout: false, ...options })],
    (run) => (run === 1 ? fail()() : work(run)),
  );
  await quietly(scene.call());
  await pass(1_000);
  return scene;
}

it('counts attempts with the first', async () => {
  const work = vi.fn(fail());
  const ours = await guard([Retry({ maxAttempts: 3, backoff: fixed(0) })], fail());

  const theirs = quietly(retry(handleAll, { maxAttempts: 3 }).execute(work));
  const both = Promise.all([theirs, quietly(ours.call())]);
  await pass(10);
  await both;

  expect([work.mock.calls.length, ours.runs()]).toEqual([4, 3]);
});

it('does not wait all pauses for an open breaker', async () => {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) });
  const policy = wrap(retry(handleAll, { maxAttempts: 3, backoff: new ConstantBackoff(100) }), breaker);
  const ours = await guard(
    [Retry({ maxAttempts: 4, backoff: fixed(100) }), CircuitBreaker({ trip: consecutiveFailures(1) })],
    fail(),
  );

  const theirs = watch(policy.execute(fail()));
  const here = watch(ours.call());
  const start = performance.now();
  await pass(1_000);

  expect([theirs.at - start, here.at - start]).toEqual([300, 100]);
});

it('refuses while a probe runs, where cockatiel lets callers wait', async () => {
  const breaker = await halfOpened();
  const ours = await halfOpen(hang);

  void breaker.execute(hang);
  const waiting = watch(breaker.execute(() => 'well'));
  void ours.call();
  const refused = watch(ours.call());
  await pass(10_000);

  expect(waiting.settled).toBe(false);
  expect(refused.error).toMatchObject({ code: 'CIRCUIT_OPEN' });
});

it('stays half-open after an error that counts nowhere, where cockatiel closes', async () => {
  const breaker = await halfOpened(handleWhen((error) => !(error instanceof OddError)));
  const odd = (): Promise<never> => Promise.reject(new OddError());
  const ours = await halfOpen(odd, { errorFilter: (error: unknown) => error instanceof OddError });

  await quietly(breaker.execute(odd));
  await quietly(ours.call());

  expect([breaker.state, ours.breaker().state]).toEqual([CircuitState.Closed, 'halfOpen']);
});

it('opens at the threshold, not above it', async () => {
  const theirs = circuitBreaker(handleAll, {
    halfOpenAfter: 1_000,
    breaker: new CountBreaker({ size: 4, threshold: 0.5 }),
  });
  const half = (run: number): unknown => (run % 2 === 0 ? fail()() : 'well');
  const ours = await guard([CircuitBreaker({ trip: countWindow({ size: 4, percentage: 50 }) })], half);

  for (let run = 1; run <= 4; run++) {
    await quietly(theirs.execute(() => half(run)));
    await quietly(ours.call());
  }

  expect([theirs.state, ours.breaker().state]).toEqual([CircuitState.Closed, 'open']);
});

it('waits for ten calls, where a sampling breaker waits for a hundred unless told otherwise', async () => {
  const theirs = circuitBreaker(handleAll, {
    halfOpenAfter: 1_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  });
  const ours = await guard([CircuitBreaker()], fail());
  let [first, second] = [0, 0];

  while (theirs.state === CircuitState.Closed) {
    await quietly(theirs.execute(fail()));
    first++;
  }
  while (ours.breaker().state === 'closed') {
    await quietly(ours.call());
    second++;
  }

  expect([first, second]).toEqual([100, 10]);
});

it('ends a pause when the caller aborts, where cockatiel waits it out', async () => {
  const policy = retry(handleAll, { maxAttempts: 1, backoff: new ConstantBackoff(60_000) });
  const ours = await guard([Retry({ maxAttempts: 2, backoff: fixed(60_000) })], fail());
  const controller = new AbortController();

  const theirs = watch(policy.execute(fail(), controller.signal));
  const here = watch(ours.call(controller.signal));
  await settle();
  controller.abort();
  await pass(59_999);

  expect([theirs.settled, here.settled]).toEqual([false, true]);
});

it('takes a caller that has aborted out of the queue of a bulkhead, where cockatiel leaves it there', async () => {
  const policy = bulkhead(1, 1);
  const ours = await guard([Bulkhead({ maxConcurrent: 1, maxQueue: 1 })], hang);
  const controller = new AbortController();

  void policy.execute(hang);
  void ours.call();
  const theirs = watch(policy.execute(() => 'well', controller.signal));
  const here = watch(ours.call(controller.signal));
  controller.abort();
  await pass(1_000);

  expect([theirs.settled, policy.queueSlots]).toEqual([false, 0]);
  expect([here.settled, ours.resilience.bulkheads()[0]?.waiting]).toEqual([true, 0]);
});

it('aborts no signal because the call has ended', async () => {
  let theirs: AbortSignal | undefined;
  let here: AbortSignal | undefined;
  const ours = await guard([Timeout(400), Bulkhead(1)], (_run, signal) => {
    here = signal;
  });

  await timeout(400, TimeoutStrategy.Aggressive).execute(({ signal }) => {
    theirs = signal;
  });
  await ours.call();
  await pass(1_000);

  expect([theirs?.aborted, here?.aborted]).toEqual([true, false]);
});

it('has no error that its own test denies, as cockatiel 3 has', () => {
  expect(isTaskCancelledError(new TaskCancelledError())).toBe(false);
  expect(new CircuitOpenException({ policy: 'circuitBreaker', instanceName: 'rates', message: 'open' })).toBeInstanceOf(
    ResilienceException,
  );
});

it('retries what is handled, and nothing else, on both sides', async () => {
  const work = vi.fn(() => Promise.reject(new Error('plain')));
  const ours = await guard([Retry({ maxAttempts: 3, retryOn: OddError })], fail());

  await quietly(retry(handleType(OddError), { maxAttempts: 2 }).execute(work));
  await quietly(ours.call());

  expect([work.mock.calls.length, ours.runs()]).toEqual([1, 1]);
});
