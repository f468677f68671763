import { retry, handleAll, handleType, TimeoutStrategy, timeout, wrap } from 'cockatiel';
import {
  anyOf,
  CircuitBreaker,
  CircuitOpenException,
  consecutiveFailures,
  countWindow,
  Fallback,
  fixed,
  RateLimit,
  Retry,
  slowCallRate,
  Timeout,
  TimeoutException,
  type RetryOptions,
} from 'nestjs-bulwark';
import { resilientFetch, UpstreamHttpError } from 'nestjs-bulwark/http';
import OldBreaker from 'opossum';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { fail, guard, hang, pass, watch, type MethodGuard } from '../../composition/scene.js';

// What the ways over say of what changes although the code looks the same.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const quietly = async (call: PromiseLike<unknown>): Promise<void> => {
  await Promise.allSettled([call]);
};

const notFound = (): Promise<never> => Promise.reject(Object.assign(new Error('no such rate'), { status: 404 }));

class NetworkError extends Error {}
class CardDeclinedError extends Error {}

/** Ends by an error of its own when it is told to. */
const cooperative = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new NetworkError('gave up')), { once: true });
  });

it('repeats a 404 and answers it only where it is told to, as handleAll does', async () => {
  const work = vi.fn(notFound);
  const theirs = quietly(retry(handleAll, { maxAttempts: 2 }).execute(work));
  const plain = await guard([Fallback({ value: 1 }), Retry({ maxAttempts: 3, backoff: fixed(0) })], notFound);
  const all = await guard(
    [Fallback({ value: 1, on: () => true }), Retry({ maxAttempts: 3, backoff: fixed(0), retryOn: () => true })],
    notFound,
  );

  await expect(plain.call()).rejects.toMatchObject({ status: 404 });
  const answered = all.call();
  await pass(10);
  await theirs;

  expect([work.mock.calls.length, plain.runs(), all.runs(), await answered]).toEqual([3, 1, 3, 1]);
});

it('waits for an open breaker where everything is repeated, unless abortOn names that refusal', async () => {
  const guards = (retry: RetryOptions): MethodGuard[] => [
    Retry({ maxAttempts: 3, backoff: fixed(0), retryOn: () => true, ...retry }),
    CircuitBreaker({ trip: consecutiveFailures(1), resetTimeout: 5_000, resetJitter: 0 }),
  ];
  const waiting = await guard(guards({}), fail());
  const abstaining = await guard(guards({ abortOn: CircuitOpenException }), fail());

  const calls = [waiting, abstaining].map((scene) => watch(scene.call()));
  const start = performance.now();
  await pass(20_000);

  expect(calls.map(({ at }) => at - start)).toEqual([5_000, 0]);
});

it('ends a hang by TimeoutException, where a cooperative limit leaves the error to the work', async () => {
  const work = vi.fn(({ signal }: { signal: AbortSignal }) => cooperative(signal));
  const theirs = wrap(
    retry(handleType(NetworkError), { maxAttempts: 2 }),
    timeout(400, TimeoutStrategy.Cooperative),
  ).execute(work);
  const gave = watch(theirs);
  const moved = await guard(
    [Timeout(400), Retry({ maxAttempts: 3, backoff: fixed(0), retryOn: [NetworkError] })],
    (_run, signal) => cooperative(signal),
  );
  const mended = await guard(
    [Timeout(400), Retry({ maxAttempts: 3, backoff: fixed(0), retryOn: [NetworkError, TimeoutException] })],
    (_run, signal) => cooperative(signal),
  );

  const calls = [watch(moved.call()), watch(mended.call())];
  await pass(2_000);

  expect(gave.error).toBeInstanceOf(NetworkError);
  expect(calls.map(({ error }) => error)).toEqual([expect.any(TimeoutException), expect.any(TimeoutException)]);
  expect([work.mock.calls.length, moved.runs(), mended.runs()]).toEqual([3, 1, 3]);
});

it('counts the time of a limit inside the method as a failure, without the wait for a slot', async () => {
  const scene = await guard([CircuitBreaker({ trip: consecutiveFailures(1) })], (_run, signal) => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(400)]);
    return new Promise((_resolve, reject) =>
      limited.addEventListener('abort', () => reject(limited.reason as Error), { once: true }),
    );
  });
  vi.useRealTimers();

  await expect(scene.call()).rejects.toMatchObject({ name: 'TimeoutError' });

  expect(scene.breaker().state).toBe('open');
});

it('answers what errorFilter takes out with the fallback, unless that skips it; opossum rejects', async () => {
  const declined = (): Promise<never> => Promise.reject(new CardDeclinedError());
  const errorFilter = (error: unknown): boolean => error instanceof CardDeclinedError;
  const old = new OldBreaker(declined, { errorFilter });
  old.fallback(() => 'pending');
  onTestFinished(() => old.shutdown());
  const moved = await guard([CircuitBreaker({ errorFilter }), Fallback({ value: 'pending' })], declined);
  const byAnswer = await guard(
    [CircuitBreaker({ answerOn: CardDeclinedError }), Fallback({ value: 'pending' })],
    declined,
  );
  const mended = await guard(
    [CircuitBreaker({ errorFilter }), Fallback({ value: 'pending', skipOn: CardDeclinedError })],
    declined,
  );

  await expect(old.fire()).rejects.toBeInstanceOf(CardDeclinedError);
  expect([await moved.call(), await byAnswer.call()]).toEqual(['pending', 'pending']);
  await expect(mended.call()).rejects.toBeInstanceOf(CardDeclinedError);
});

it('empties the stats when a breaker recovers, and opossum does not', async () => {
  const old = new OldBreaker((well: boolean) => (well ? Promise.resolve(1) : fail()()), { resetTimeout: 1_000 });
  onTestFinished(() => old.shutdown());
  const ours = await guard(
    [CircuitBreaker({ trip: consecutiveFailures(1), resetTimeout: 1_000, resetJitter: 0 })],
    (run) => (run === 1 ? fail()() : 1),
  );

  await quietly(old.fire(false));
  await quietly(ours.call());
  await pass(1_000);
  await old.fire(true);
  await ours.call();

  expect([old.closed, old.stats.failures]).toEqual([true, 1]);
  expect([ours.breaker().state, ours.breaker().stats.failures]).toEqual(['closed', 0]);
});

it('begins the places of a period at once in a queue with a burst, and evenly without', async () => {
  const limit = { limit: 4, per: 1_000, onLimit: 'queue', maxWait: 5_000 } as const;
  const spaced = await guard([RateLimit(limit)], () => 1);
  const atOnce = await guard([RateLimit({ ...limit, burst: 4 })], () => 1);
  await pass(10_000);

  for (let call = 0; call < 4; call++) for (const scene of [spaced, atOnce]) void quietly(scene.call());
  await pass(10);

  expect([spaced.runs(), atOnce.runs()]).toEqual([1, 4]);
});

it('lets nearly twice the limit begin in one window, unless the burst is small', async () => {
  const begunWithin = async (burst?: number): Promise<number> => {
    const scene = await guard(
      [RateLimit({ limit: 100, per: 1_000, ...(burst === undefined ? {} : { burst }) })],
      () => 1,
    );
    await pass(10_000);
    for (let ms = 0; ms < 1_000; ms++) {
      for (let call = 0; call < (ms === 0 ? 150 : 1); call++) void scene.call().catch(() => undefined);
      await pass(1);
    }
    return scene.runs();
  };

  expect(await begunWithin()).toBeGreaterThan(190);
  expect(await begunWithin(1)).toBeLessThanOrEqual(101);
});

it('judges slow calls beside a count of calls from volumeThreshold on', async () => {
  const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
  const callsUntilOpen = async (options: { volumeThreshold?: number }): Promise<number> => {
    const trip = anyOf(
      countWindow({ size: 20, percentage: 50, minimum: 6 }),
      slowCallRate({ slowerThan: 20, percentage: 50 }),
    );
    const scene = await guard([CircuitBreaker({ trip, ...options })], slow);
    let calls = 0;
    while (scene.breaker().state === 'closed') {
      const call = scene.call();
      await pass(50);
      await call;
      calls++;
    }
    return calls;
  };

  expect([await callsUntilOpen({}), await callsUntilOpen({ volumeThreshold: 6 })]).toEqual([10, 6]);
});

it('counts a 401 only where it is an error without that status, or a result that is bad', async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('who are you?', { status: 401 })));
  const trip = consecutiveFailures(1);
  const failOn = ({ ok }: Response): boolean => !ok;
  const thrown = await guard([CircuitBreaker({ trip })], () => resilientFetch('http://rates', { failOn }));
  const wrapped = await guard([CircuitBreaker({ trip })], async () => {
    const response = await resilientFetch('http://rates');
    if (response.status === 401) throw new Error('the key was revoked');
    return response.json();
  });
  const judged = await guard(
    [CircuitBreaker({ trip, isFailure: (response) => (response as Response).status === 401 })],
    () => resilientFetch('http://rates'),
  );

  await expect(thrown.call()).rejects.toBeInstanceOf(UpstreamHttpError);
  await quietly(wrapped.call());
  await quietly(judged.call());

  expect([thrown, wrapped, judged].map((scene) => scene.breaker().state)).toEqual(['closed', 'open', 'open']);
});

it('hangs nobody who gives a signal that has aborted already', async () => {
  const scene = await guard([Retry(3), CircuitBreaker()], hang);

  await expect(scene.call(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');

  expect(scene.runs()).toBe(0);
});
