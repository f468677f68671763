import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { callOf } from '../../../../lib/kernel/call.js';
import type { CallInfo } from '../../../../lib/kernel/call-info.js';
import { isJudgedBad } from '../../../../lib/kernel/judged-bad.js';
import type { Work } from '../../../../lib/kernel/junction.js';
import { exponential } from '../../../../lib/kernel/backoff/exponential.js';
import { fixed } from '../../../../lib/kernel/backoff/fixed.js';
import { RETRY_DEFAULTS, type RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { RetryDecision } from '../../../../lib/policies/retry/retry.decision.js';
import { execute, limit, ManualWork, method, newCall, scripted, type Given } from '../../../support/calls.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const boom = new Error('boom');
const withStatus = (status: number, headers: object = {}) =>
  Object.assign(new Error(`status ${status}`), { status, response: { headers } });

function setUp(options: RetryOptions = {}, given: Given = {}) {
  const environment = new TestEnvironment();
  const policy = new RetryDecision('Client.load', { ...RETRY_DEFAULTS, backoff: fixed(100), ...options }, environment);
  const first = newCall(environment, given);
  const run = (work: Work, attempt = first) => execute(policy, attempt, work);
  /** Runs the call and lets an hour pass. */
  const outcomeOf = async (work: Work) => {
    const result = track(run(work));
    await environment.clock.advance(3_600_000);
    return result;
  };
  return { environment, clock: environment.clock, call: callOf(first), run, outcomeOf };
}

/** How many calls `error` leads to. */
async function callsAfter(error: unknown, options: RetryOptions = {}): Promise<number> {
  const { outcomeOf } = setUp(options);
  let calls = 0;
  await outcomeOf(
    method(() => {
      calls++;
      throw error;
    }),
  );
  return calls;
}

describe('what a retry tells of a call that it gives up', () => {
  const notFound = withStatus(404);

  it.each<[string, RetryOptions, unknown[], object[]]>([
    ['all attempts failed', {}, [boom, boom, boom], [{ attempts: 3, reason: 'maxAttempts', error: boom }]],
    [
      'the last error is none to be repeated',
      {},
      [boom, notFound],
      [{ attempts: 2, reason: 'notRetried', error: notFound }],
    ],
    ['the first error is none to be repeated', {}, [notFound], []],
    ['only one attempt was allowed', { maxAttempts: 1 }, [boom], []],
    ['the time does not reach', { maxDuration: 50 }, [boom], [{ attempts: 1, reason: 'maxDuration', error: boom }]],
    [
      'the last result asks for another',
      { maxAttempts: 2, retryOnResult: () => true },
      ['a', 'b'],
      [{ attempts: 2, reason: 'maxAttempts', error: undefined }],
    ],
  ])('says how many attempts there were, and why no more: %s', async (_, options, ends, told) => {
    const { environment, outcomeOf } = setUp(options);
    let calls = 0;

    const { outcome } = await outcomeOf(
      method(() => {
        const end = ends[calls++];
        if (end instanceof Error) throw end;
        return end;
      }),
    );

    expect(outcome).toBe(ends.at(-1));
    expect(environment.of('retrySuppressed')).toMatchObject(told);
    expect(environment.of('retrySuppressed')).toHaveLength(told.length);
  });

  it('says it also of a call that is cut in the pause', async () => {
    const { environment, run, call } = setUp();
    const result = track(run(method(() => Promise.reject(boom))));
    await environment.clock.advance(50);

    call.abort(new Error('gone'));
    await environment.clock.advance(0);

    expect(result.outcome).toMatchObject({ message: 'gone' });
    expect(environment.of('retrySuppressed')).toMatchObject([{ attempts: 1, reason: 'aborted' }]);
  });
});

describe('where a retry stops of itself', () => {
  it('makes an attempt up to the moment of the deadline, and none at it', async () => {
    const attempts = async (left: number): Promise<number> => {
      const { clock, call, outcomeOf } = setUp({ maxAttempts: 2 });
      limit(call.current, clock.now() + left);
      const { run: work, calls } = scripted([boom]);
      await outcomeOf(work);
      return calls.length;
    };

    expect(await attempts(100)).toBe(1);
    expect(await attempts(101)).toBe(2);
  });

  it('begins an attempt at the last moment of maxDuration, and none after it', async () => {
    expect(await callsAfter(boom, { maxAttempts: 2, maxDuration: 100 })).toBe(2);
    expect(await callsAfter(boom, { maxAttempts: 2, maxDuration: 99 })).toBe(1);
  });

  it('makes none where whoever sent the request makes it again, however deep the call is', async () => {
    const { environment, run, clock } = setUp();
    const request = newCall(environment);
    request.rarely().callerRetries = true;
    const between = newCall(environment, { outer: request });
    const { run: work, calls } = scripted([boom, boom]);

    const result = track(run(work, newCall(environment, { outer: between })));
    await clock.advance(1_000);

    expect(result.outcome).toBe(boom);
    expect(calls).toHaveLength(1);
  });

  it('makes them inside of another guarded call as ever, where nobody says that the request comes again', async () => {
    const { environment, run, clock } = setUp();
    const [plain, noted] = [newCall(environment), newCall(environment)];
    noted.rarely().hasWaited = true;
    for (const outer of [plain, noted]) {
      const { run: work, calls } = scripted([boom, 'value']);
      const result = track(run(work, newCall(environment, { outer })));
      await clock.advance(1_000);

      expect([result.outcome, calls.length]).toEqual(['value', 2]);
    }
  });

  it('says that it was cut, of a call that had been made again', async () => {
    const { environment, run, call, clock } = setUp({ retryOn: () => true });
    const work = new ManualWork();
    const result = track(run(work.run));
    work.fail(0, boom);
    await clock.advance(100);
    call.abort('gone');
    work.fail(1, boom);
    await settle();

    expect(result).toEqual({ status: 'rejected', outcome: boom });
    expect(environment.of('retrySuppressed')).toMatchObject([{ attempts: 2, reason: 'aborted' }]);
  });

  it('asks nothing about the result of a call that was cut', async () => {
    let asked = 0;
    const { environment, run, call } = setUp({ retryOnResult: () => ++asked > 0 });
    const work = new ManualWork();
    const result = track(run(work.run));
    call.abort('gone');
    work.succeed(0, 'value');
    await settle();

    expect(result).toEqual({ status: 'fulfilled', outcome: 'value' });
    expect(asked).toBe(0);
    expect(isJudgedBad(call)).toBe(false);
    expect(environment.told).toEqual([]);
  });

  it('makes none while the app is closing, not even without a pause, and announces none', async () => {
    const { environment, run } = setUp({ backoff: fixed(0) });
    environment.lifecycle.refuseWaits();
    const { run: work, calls } = scripted([boom, 'value']);

    expect(await errorOf(run(work))).toBeInstanceOf(ShutdownException);
    expect(calls).toHaveLength(1);
    expect(environment.told).toMatchObject([{ type: 'retrySuppressed', reason: 'shutdown', error: boom }]);
  });

  it('makes no pause while the app is closing, and rejects with what says so', async () => {
    const { environment, run } = setUp();
    environment.lifecycle.refuseWaits();
    const { run: work, calls } = scripted([boom, 'value']);

    const error = await errorOf(run(work));

    expect(error).toBeInstanceOf(ShutdownException);
    expect(error).toMatchObject({ cause: boom });
    expect(calls).toHaveLength(1);
    expect(environment.of('retrySuppressed')).toMatchObject([{ reason: 'shutdown' }]);
  });

  it('says nothing of a result that no other attempt was allowed for', async () => {
    const { environment, outcomeOf } = setUp({ maxAttempts: 1, retryOnResult: () => true });

    const { outcome } = await outcomeOf(scripted(['not yet']).run);

    expect(outcome).toBe('not yet');
    expect(environment.told).toEqual([]);
  });

  it('looks at results only where a predicate is there to judge them', () => {
    const { environment } = setUp();
    const judges = (options: RetryOptions) =>
      new RetryDecision('Client.load', { ...RETRY_DEFAULTS, ...options }, environment).judgesResults;

    expect([judges({}), judges({ retryOnResult: () => false })]).toEqual([false, true]);
  });

  it('says why a pause was cut: the end of the app, or the time of the call', async () => {
    const reasons = [new ShutdownException(init), new TimeoutException(init), new Error('gone')];
    const told = await Promise.all(
      reasons.map(async (reason) => {
        const { environment, run, call } = setUp();
        track(run(scripted([boom]).run));
        await environment.clock.advance(50);
        call.abort(reason);
        await environment.clock.advance(0);
        return environment.of('retrySuppressed').map((event) => event.reason);
      }),
    );

    expect(told).toEqual([['shutdown'], ['deadline'], ['aborted']]);
  });
});

describe('RetryDecision', () => {
  it('calls once, when the first call succeeds', async () => {
    const { environment, outcomeOf } = setUp();
    const { run: work, calls } = scripted(['value']);

    const result = await outcomeOf(work);

    expect(result).toEqual({ status: 'fulfilled', outcome: 'value' });
    expect(calls).toHaveLength(1);
    expect(environment.told).toEqual([]);
    expect(environment.clock.timersMade).toBe(0);
  });

  it('gives the first success', async () => {
    const { outcomeOf } = setUp();
    const { run: work, calls } = scripted([boom, 'value']);

    const result = await outcomeOf(work);

    expect(result.outcome).toBe('value');
    expect(calls).toHaveLength(2);
  });

  it.each([1, 2, 3, 7])('makes %i calls in all, the first included', async (maxAttempts) => {
    expect(await callsAfter(boom, { maxAttempts })).toBe(maxAttempts);
  });

  it('makes 3 calls in all, when nothing is said', async () => {
    expect(await callsAfter(boom)).toBe(3);
  });

  it('rethrows the last error as it is, when the attempts run out', async () => {
    const { outcomeOf } = setUp();
    const errors = [new Error('1'), new Error('2'), new Error('3')];

    const result = await outcomeOf(scripted(errors).run);

    expect(result.status).toBe('rejected');
    expect(result.outcome).toBe(errors[2]);
  });

  it('numbers the attempts from 1, each a call of its own with a signal of its own', async () => {
    const { call, outcomeOf } = setUp();
    const { run: work, calls } = scripted([boom]);

    await outcomeOf(work);

    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set([call, ...calls].map(({ signal }) => signal)).size).toBe(4);
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
  });

  describe('what it repeats', () => {
    it.each([
      ['an error', boom],
      ['a string', 'boom'],
      ['undefined', undefined],
      ['408', withStatus(408)],
      ['425', withStatus(425)],
      ['429', withStatus(429)],
      ['500', withStatus(500)],
      ['503', withStatus(503)],
      ['a timeout', new TimeoutException(init)],
      ['gRPC 14', Object.assign(new Error('UNAVAILABLE'), { code: 14, details: '', metadata: {} })],
    ])('repeats %s', async (_what, error) => {
      expect(await callsAfter(error)).toBe(3);
    });

    it.each([
      ['404', withStatus(404)],
      ['409', withStatus(409)],
      ['501', withStatus(501)],
      ['505', withStatus(505)],
      ['gRPC 2', Object.assign(new Error('UNKNOWN'), { code: 2, details: '', metadata: {} })],
      ['gRPC 5', Object.assign(new Error('NOT_FOUND'), { code: 5, details: '', metadata: {} })],
      ['SQLSTATE 23505', Object.assign(new Error('unique'), { code: '23505' })],
      ['an open breaker', new CircuitOpenException(init)],
      ['a full bulkhead', new BulkheadFullException(init)],
      ['a rate limit', new RateLimitExceededException(init)],
      ['a timeout in the queue', new TimeoutException({ ...init, queued: true })],
      ['shutdown', new ShutdownException(init)],
    ])('does not repeat %s', async (_what, error) => {
      expect(await callsAfter(error)).toBe(1);
    });

    it.each([withStatus(404), withStatus(501), new CircuitOpenException(init), new BulkheadFullException(init)])(
      'repeats what retryOn names: %s',
      async (error) => {
        expect(await callsAfter(error, { retryOn: Error })).toBe(3);
        expect(await callsAfter(error, { retryOn: [TypeError, (one) => one === error] })).toBe(3);
      },
    );

    it('repeats nothing else, when there is a retryOn', async () => {
      expect(await callsAfter(boom, { retryOn: TypeError })).toBe(1);
      expect(await callsAfter(withStatus(503), { retryOn: () => false })).toBe(1);
    });

    it('never repeats what abortOn names, also where retryOn does', async () => {
      expect(await callsAfter(boom, { abortOn: Error })).toBe(1);
      expect(await callsAfter(boom, { abortOn: [(error) => error === boom], retryOn: Error })).toBe(1);
      expect(await callsAfter(boom, { abortOn: TypeError })).toBe(3);
    });

    it('hands the error and the attempt to the predicates', async () => {
      const seen: unknown[] = [];
      const see =
        (name: string, answer: boolean) =>
        (error: unknown, { attempt, methodName }: CallInfo) => {
          seen.push([name, error, attempt, methodName]);
          return answer;
        };

      await callsAfter(boom, { maxAttempts: 2, abortOn: see('abortOn', false), retryOn: see('retryOn', true) });

      expect(seen).toEqual([
        ['abortOn', boom, 1, 'load'],
        ['retryOn', boom, 1, 'load'],
      ]);
    });

    it('reports a retryOn that throws, and goes by the default', async () => {
      const error = new Error('mine');
      const options = {
        retryOn: () => {
          throw error;
        },
      };
      const { environment, outcomeOf } = setUp(options);

      await outcomeOf(scripted([boom]).run);

      expect(environment.reports[0]).toEqual({ place: 'Client.load, retryOn', error });
      expect(await callsAfter(boom, options)).toBe(3);
      expect(await callsAfter(withStatus(404), options)).toBe(1);
    });

    it('reports an abortOn that throws, and goes on', async () => {
      const error = new Error('mine');
      const { environment, outcomeOf } = setUp({
        abortOn: () => {
          throw error;
        },
      });
      const { run: work, calls } = scripted([boom]);

      await outcomeOf(work);

      expect(calls).toHaveLength(3);
      expect(environment.reports[0]).toEqual({ place: 'Client.load, abortOn', error });
    });
  });

  describe('answerOn', () => {
    class Declined extends Error {}

    it.each([
      ['a class', Declined],
      ['a list', [TypeError, Declined]],
      ['a predicate', (error: unknown) => error instanceof Declined],
    ])('keeps the errors that it names from being repeated, by %s', async (_form, answerOn) => {
      expect(await callsAfter(new Declined(), { answerOn })).toBe(1);
      expect(await callsAfter(boom, { answerOn })).toBe(3);
    });

    it('wins over retryOn', async () => {
      expect(await callsAfter(new Declined(), { answerOn: Declined, retryOn: Error })).toBe(1);
    });

    it('is reported, when it throws, and the error is repeated as without it', async () => {
      const error = new Error('mine');
      const { environment, outcomeOf } = setUp({
        maxAttempts: 2,
        answerOn: () => {
          throw error;
        },
      });
      const { run: work, calls } = scripted([boom]);

      await outcomeOf(work);

      expect(calls).toHaveLength(2);
      expect(environment.reports).toEqual([{ place: 'Client.load, answerOn', error }]);
    });
  });

  describe('retryOnResult', () => {
    const retryOnResult = (result: unknown) => result === 'not yet';

    it('repeats a call that gave such a result', async () => {
      const { outcomeOf } = setUp({ retryOnResult });
      const { run: work, calls } = scripted(['not yet', 'ready']);

      const result = await outcomeOf(work);

      expect(result.outcome).toBe('ready');
      expect(calls).toHaveLength(2);
    });

    it('gives the last result, when the attempts run out', async () => {
      const { outcomeOf } = setUp({ retryOnResult });
      const { run: work, calls } = scripted(['not yet']);

      const result = await outcomeOf(work);

      expect(result).toEqual({ status: 'fulfilled', outcome: 'not yet' });
      expect(calls).toHaveLength(3);
    });

    it('gives the last result at once, when its pause would pass the deadline', async () => {
      const { clock, run, call } = setUp({ retryOnResult });
      limit(call.current, clock.now() + 50);

      const result = track(run(scripted(['not yet']).run));
      await settle();

      expect(result).toEqual({ status: 'fulfilled', outcome: 'not yet' });
    });

    it('counts results and errors together', async () => {
      const { outcomeOf } = setUp({ retryOnResult });
      const { run: work, calls } = scripted([boom, 'not yet', boom]);

      const result = await outcomeOf(work);

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      expect(calls).toHaveLength(3);
    });

    it('hands the result and the attempt over', async () => {
      const seen: unknown[] = [];
      const { outcomeOf } = setUp({
        retryOnResult: (result: unknown, { attempt, className }) => {
          seen.push([result, attempt, className]);
          return true;
        },
      });

      await outcomeOf(scripted(['a', 'b', 'c']).run);

      expect(seen).toEqual([
        ['a', 1, 'Client'],
        ['b', 2, 'Client'],
        ['c', 3, 'Client'],
      ]);
    });

    it('is reported, when it throws, and the result is given', async () => {
      const error = new Error('mine');
      const { environment, outcomeOf } = setUp({
        retryOnResult: () => {
          throw error;
        },
      });

      const result = await outcomeOf(scripted(['value']).run);

      expect(result).toEqual({ status: 'fulfilled', outcome: 'value' });
      expect(environment.reports).toEqual([{ place: 'Client.load, retryOnResult', error }]);
    });

    it('tells no retry, and makes none, when the caller has gone meanwhile', async () => {
      const { environment, clock, run, call } = setUp({ retryOnResult });
      const work = new ManualWork();
      const result = track(run(work.run));

      call.abort('gone');
      work.succeed(0, 'not yet');
      await clock.advance(1_000);

      expect(work.begun).toBe(1);
      expect(environment.told).toEqual([]);
      expect(result.status).not.toBe('pending');
    });
  });

  describe('the pause', () => {
    /** The moments at which the calls began, from the first. */
    async function moments(options: RetryOptions, errors: readonly Error[] = [boom]): Promise<number[]> {
      const { clock, outcomeOf } = setUp({ maxAttempts: 4, ...options });
      const began: number[] = [];
      const start = clock.now();
      await outcomeOf(
        method(() => {
          began.push(clock.now() - start);
          throw errors[Math.min(began.length, errors.length) - 1];
        }),
      );
      return began;
    }

    it('follows the backoff', async () => {
      expect(await moments({ backoff: fixed(100) })).toEqual([0, 100, 200, 300]);
      expect(await moments({ backoff: exponential({ initial: 100, jitter: 'none' }) })).toEqual([0, 100, 300, 700]);
    });

    it('is none, when the backoff says 0', async () => {
      expect(await moments({ backoff: fixed(0) })).toEqual([0, 0, 0, 0]);
    });

    it('follows a function, which learns the attempt from 1, the error and the call', async () => {
      const seen: unknown[] = [];
      const errors = ['1', '2', '3'].map((text) => new Error(text));

      const began = await moments(
        {
          backoff: (attempt, error, { methodName }) => {
            seen.push([attempt, error, methodName]);
            return attempt * 10;
          },
        },
        errors,
      );

      expect(began).toEqual([0, 10, 30, 60]);
      expect(seen).toEqual([
        [1, errors[0], 'load'],
        [2, errors[1], 'load'],
        [3, errors[2], 'load'],
      ]);
    });

    it.each([-1, NaN, '5', null, {}])(
      'is that of the default backoff, and the function is reported, when it gives %s',
      async (given) => {
        const { environment, outcomeOf } = setUp({ maxAttempts: 2, backoff: () => given as number });

        await outcomeOf(scripted([boom]).run);

        // exponential(), with chance at 0.5
        expect(environment.of('retry')).toMatchObject([{ delayMs: 50 }]);
        expect(environment.reports).toMatchObject([{ place: 'Client.load, backoff' }]);
      },
    );

    it('is that of the default backoff, and the function is reported, when it throws', async () => {
      const error = new Error('mine');
      const { environment, outcomeOf } = setUp({
        maxAttempts: 2,
        backoff: () => {
          throw error;
        },
      });
      const { run: work, calls } = scripted([boom]);

      await outcomeOf(work);

      expect(calls).toHaveLength(2);
      expect(environment.of('retry')).toMatchObject([{ delayMs: 50 }]);
      expect(environment.reports).toEqual([{ place: 'Client.load, backoff', error }]);
    });

    it('is not cut to 1 ms, when a function gives more than a timer can hold', async () => {
      const { clock, run } = setUp({ backoff: () => 2 ** 31 });
      const { run: work, calls } = scripted([boom]);

      track(run(work));
      await clock.advance(60_000);

      expect(calls).toHaveLength(1);
    });

    it('starts its series anew for each call', async () => {
      const options = { backoff: exponential({ initial: 100, jitter: 'none' }), maxAttempts: 2 } as const;
      const { environment, run, clock } = setUp(options);

      track(run(scripted([boom]).run, newCall(environment)));
      await clock.advance(1_000);
      track(run(scripted([boom]).run, newCall(environment)));
      await clock.advance(1_000);

      expect(environment.of('retry').map(({ delayMs }) => delayMs)).toEqual([100, 100]);
    });

    it('keeps the process alive, and nothing does after it', async () => {
      const { clock, run } = setUp();

      track(run(scripted([boom, 'value']).run));
      await settle();
      expect(clock.keepingAlive).toBe(1);
      await clock.advance(100);

      expect(clock.pending).toBe(0);
    });
  });

  describe('Retry-After', () => {
    it.each([
      ['seconds', '5', 5_000],
      ['a date', 'Tue, 01 Jan 2030 00:00:07 GMT', 7_000],
    ])('is a lower bound for the pause: %s', async (_form, value, expected) => {
      const { environment, outcomeOf } = setUp({ maxAttempts: 2 });

      await outcomeOf(scripted([withStatus(503, { 'retry-after': value })]).run);

      expect(environment.of('retry')).toMatchObject([{ delayMs: expected }]);
    });

    it('does not shorten the pause', async () => {
      const { environment, outcomeOf } = setUp({ maxAttempts: 2, backoff: fixed(5_000) });

      await outcomeOf(scripted([withStatus(503, { 'retry-after': '1' })]).run);

      expect(environment.of('retry')).toMatchObject([{ delayMs: 5_000 }]);
    });

    it('ends the retries with the last error, above a minute', async () => {
      const { environment, run } = setUp();
      const error = withStatus(503, { 'retry-after': '61' });
      const { run: work, calls } = scripted([error]);

      const result = run(work);

      expect(await errorOf(result)).toBe(error);
      expect(calls).toHaveLength(1);
      expect(environment.told).toMatchObject([{ type: 'retrySuppressed', reason: 'retryAfter', attempt: 1, error }]);
    });

    it('is waited for up to a minute, and up to maxRetryAfter', async () => {
      expect(await callsAfter(withStatus(503, { 'retry-after': '60' }))).toBe(3);
      expect(await callsAfter(withStatus(503, { 'retry-after': '3' }), { maxRetryAfter: 2_999 })).toBe(1);
      expect(await callsAfter(withStatus(503, { 'retry-after': '3' }), { maxRetryAfter: 3_000 })).toBe(3);
    });

    describe('of a result that retryOnResult names', () => {
      const retryOnResult = ({ status }: { status: number }) => status === 429 || status === 503;
      const response = (status: number, retryAfter?: string) =>
        new Response('', { status, ...(retryAfter === undefined ? {} : { headers: { 'Retry-After': retryAfter } }) });

      it.each([
        ['fetch', response(429, '5')],
        ['plain headers', { status: 503, headers: { 'retry-after': '5' } }],
        ['a date', response(503, 'Tue, 01 Jan 2030 00:00:05 GMT')],
      ])('is a lower bound for the pause: %s', async (_form, busy) => {
        const { environment, outcomeOf } = setUp({ retryOnResult });
        const { run: work, calls } = scripted([busy, { status: 200 }]);

        const result = await outcomeOf(work);

        expect(result.outcome).toEqual({ status: 200 });
        expect(calls).toHaveLength(2);
        expect(environment.of('retry')).toMatchObject([{ delayMs: 5_000 }]);
      });

      it('ends with that result, above maxRetryAfter', async () => {
        const { environment, outcomeOf } = setUp({ retryOnResult });
        const busy = response(429, '61');
        const { run: work, calls } = scripted([busy]);

        const result = await outcomeOf(work);

        expect(result).toEqual({ status: 'fulfilled', outcome: busy });
        expect(calls).toHaveLength(1);
        expect(environment.told).toMatchObject([{ type: 'retrySuppressed', reason: 'retryAfter' }]);
      });

      it('does not shorten the pause', async () => {
        const { environment, outcomeOf } = setUp({ retryOnResult, maxAttempts: 2, backoff: fixed(9_000) });

        await outcomeOf(scripted([response(503, '1')]).run);

        expect(environment.of('retry')).toMatchObject([{ delayMs: 9_000 }]);
      });

      it("goes to the backoff in the error's place", async () => {
        const seen: unknown[] = [];
        const [first, second] = [response(429), response(503)];
        const { outcomeOf } = setUp({ retryOnResult, backoff: (attempt, end) => seen.push([attempt, end]) });

        await outcomeOf(scripted([first, second, { status: 200 }]).run);

        expect(seen).toEqual([
          [1, first],
          [2, second],
        ]);
      });

      it('tells of no error, since there is none', async () => {
        const { environment, outcomeOf } = setUp({ retryOnResult });

        await outcomeOf(scripted([response(503), { status: 200 }]).run);

        expect(environment.of('retry')).toMatchObject([{ error: undefined }]);
      });
    });

    it('of a refusal is its retryAfterMs, where retryOn names it', async () => {
      const { environment, outcomeOf } = setUp({ maxAttempts: 2, retryOn: CircuitOpenException });

      await outcomeOf(scripted([new CircuitOpenException({ ...init, retryAfterMs: 2_500 })]).run);

      expect(environment.of('retry')).toMatchObject([{ delayMs: 2_500 }]);
    });
  });

  describe('the deadline', () => {
    it('ends the retries at once with the last error, when the pause would pass it', async () => {
      const { environment, clock, run, call } = setUp({ backoff: fixed(100) });
      const { run: work, calls } = scripted([boom]);
      limit(call.current, clock.now() + 150);
      const result = track(run(work));

      await clock.advance(100);

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      expect(calls).toHaveLength(2);
      expect(environment.of('retrySuppressed')).toMatchObject([
        { name: 'Client.load', policy: 'retry', reason: 'deadline', attempt: 2, error: boom },
      ]);
    });

    it('counts Retry-After too', async () => {
      const { clock, run, call } = setUp();
      limit(call.current, clock.now() + 4_000);
      const error = withStatus(429, { 'retry-after': '5' });

      expect(await errorOf(run(scripted([error]).run))).toBe(error);
    });
  });

  describe('maxDuration', () => {
    it('begins no attempt later than that after the first', async () => {
      const { environment, outcomeOf } = setUp({ maxAttempts: 10, maxDuration: 250 });
      const { run: work, calls } = scripted([boom]);

      const result = await outcomeOf(work);

      expect(result.outcome).toBe(boom);
      expect(calls).toHaveLength(3);
      expect(environment.of('retrySuppressed')).toMatchObject([{ reason: 'maxDuration', attempt: 3 }]);
    });

    it('counts the time of the attempts too', async () => {
      const { clock, run } = setUp({ maxDuration: 250 });
      const work = new ManualWork();
      const result = track(run(work.run));

      await clock.advance(200);
      work.fail(0, boom);
      await clock.advance(1_000);

      expect(work.begun).toBe(1);
      expect(result.outcome).toBe(boom);
    });
  });

  describe('cancellation', () => {
    it('ends the pause at once with the reason', async () => {
      const { clock, run, call } = setUp({ backoff: fixed(10_000) });
      const { run: work, calls } = scripted([boom]);
      const result = track(run(work));
      await clock.advance(500);

      call.abort('gone');
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
      expect(calls).toHaveLength(1);
      expect(clock.pending).toBe(0);
    });

    it('does not repeat, when the caller aborted, whatever the method rejects with, nor where retryOn would', async () => {
      const { run, call, clock } = setUp({ retryOn: () => true });
      const work = new ManualWork();
      const result = track(run(work.run));

      call.abort('gone');
      work.fail(0, 'gone');
      await clock.advance(10_000);

      expect(work.begun).toBe(1);
      expect(result.outcome).toBe('gone');
    });

    it.each([
      ['retryOn', (gone: () => void): RetryOptions => ({ retryOn: () => (gone(), true) })],
      ['the backoff', (gone: () => void): RetryOptions => ({ backoff: () => (gone(), 0) })],
    ])('does not begin another attempt, when %s has cut the call, and there is no pause', async (_, options) => {
      let gone = (): void => undefined;
      const { call, outcomeOf } = setUp({ backoff: fixed(0), ...options(() => gone()) });
      gone = () => call.abort('gone');
      const { run: work, calls } = scripted([boom]);

      const result = await outcomeOf(work);

      expect(calls).toHaveLength(1);
      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    });

    it('repeats an attempt that was cut alone, by its own limit', async () => {
      const { call, outcomeOf } = setUp();
      let calls = 0;
      const cut = (attempt: Attempt) => {
        calls++;
        const error = new TimeoutException(init);
        attempt.abort(error);
        throw error;
      };

      await outcomeOf(method(cut));

      expect(calls).toBe(3);
      expect(call.aborted).toBe(false);
    });
  });

  describe('shutdown', () => {
    it('ends the pause with a ShutdownException, whose cause is the last error', async () => {
      const { environment, clock, run } = setUp({ backoff: fixed(10_000) });
      const result = track(run(scripted([boom]).run));
      await settle();

      environment.lifecycle.close();
      await settle();

      expect(result.outcome).toBeInstanceOf(ShutdownException);
      expect(result.outcome).toMatchObject({
        code: 'SHUTDOWN',
        policy: 'retry',
        instanceName: 'Client.load',
        cause: boom,
      });
      expect(clock.pending).toBe(0);
    });

    it('lets no pause begin', async () => {
      const { environment, clock, run } = setUp();
      const work = new ManualWork();
      const result = track(run(work.run));
      environment.lifecycle.close();

      work.fail(0, boom);
      await settle();

      expect(result.status).toBe('rejected');
      expect(work.begun).toBe(1);
      expect(clock.pending).toBe(0);
      expect(environment.of('retrySuppressed')).toMatchObject([{ reason: 'shutdown' }]);
    });

    it('lets a call that runs come to its end', async () => {
      const { environment, run } = setUp();
      const work = new ManualWork();
      const result = run(work.run);

      environment.lifecycle.close();
      work.succeed(0, 'value');

      await expect(result).resolves.toBe('value');
    });
  });

  describe('streams and responses', () => {
    it('repeats nothing, once an item has come', async () => {
      const { environment, outcomeOf } = setUp();
      const seen: Attempt[] = [];

      const result = await outcomeOf(
        method((attempt) => {
          seen.push(attempt);
          attempt.course.item(attempt);
          throw boom;
        }),
      );

      expect(seen).toHaveLength(1);
      expect(result.outcome).toBe(boom);
      expect(environment.of('retry')).toEqual([]);
    });

    it('does not repeat a result either, once an item has come', async () => {
      const { outcomeOf } = setUp({ retryOnResult: () => true });
      let calls = 0;

      await outcomeOf(
        method((attempt) => {
          calls++;
          attempt.course.item(attempt);
        }),
      );

      expect(calls).toBe(1);
    });

    it('repeats nothing that the caller says cannot be repeated', async () => {
      const { environment, outcomeOf } = setUp({}, { repeatable: () => false });
      const { run: work, calls } = scripted([boom]);

      const result = await outcomeOf(work);

      expect(calls).toHaveLength(1);
      expect(result.outcome).toBe(boom);
      expect(environment.told).toMatchObject([{ type: 'retrySuppressed', reason: 'notRepeatable' }]);
    });
  });

  describe('events', () => {
    it('tells each retry before its pause, with its numbers', async () => {
      const { environment, clock, run } = setUp({ backoff: exponential({ initial: 100, jitter: 'none' }) });

      track(run(scripted([boom]).run));
      await settle();
      expect(environment.told).toEqual([
        {
          type: 'retry',
          name: 'Client.load',
          policy: 'retry',
          attempt: 1,
          maxAttempts: 3,
          delayMs: 100,
          error: boom,
          at: clock.wallNow(),
        },
      ]);
      await clock.advance(100);

      expect(environment.told[1]).toMatchObject({ type: 'retry', attempt: 2, delayMs: 200 });
    });

    it('tells nothing, when the attempts run out, or the error is not to be repeated', async () => {
      const once = setUp({ maxAttempts: 1 });
      const other = setUp();

      await once.outcomeOf(scripted([boom]).run);
      await other.outcomeOf(scripted([withStatus(404)]).run);

      expect([...once.environment.told, ...other.environment.told]).toEqual([]);
    });

    it('works all the same, when nobody listens', async () => {
      const environment = new TestEnvironment(false);
      const policy = new RetryDecision('Client.load', { ...RETRY_DEFAULTS, backoff: fixed(0) }, environment);
      const { run: work, calls } = scripted([boom, boom, 'value']);

      await expect(execute(policy, newCall(environment), work)).resolves.toBe('value');
      expect(calls).toHaveLength(3);
    });
  });
});
