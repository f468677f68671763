import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { callOf } from '../../../../lib/kernel/call.js';
import { isJudgedBad, judgeBad } from '../../../../lib/kernel/judged-bad.js';
import type { Guard } from '../../../../lib/kernel/guard.js';
import type { Inner, Work } from '../../../../lib/kernel/junction.js';
import type { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { COALESCE_DEFAULTS, type CoalesceOptions } from '../../../../lib/policies/coalesce/coalesce.options.js';
import { Coalescing } from '../../../../lib/policies/coalesce/coalescing.js';
import { TotalTimeoutDecision } from '../../../../lib/policies/timeout/total-timeout.decision.js';
import { guarded, ManualWork, method, newCall, type Given } from '../../../support/calls.js';
import { Told } from '../../../support/guards.js';
import { settle, thrownBy, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const boom = new Error('boom');

interface Asked extends Given {
  /** The total limit of this caller, ms. */
  total?: number;
  /** A guard of the run. */
  inside?: Guard;
}

/** A single flight around the end of attempts; the key is the first argument. */
function setUp(options: Partial<CoalesceOptions> = {}) {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const key = (first: unknown) => first as string;
  const coalesce = new Coalescing('Client.load', { ...COALESCE_DEFAULTS, key, ...options }, environment);
  const work = new ManualWork();
  const ask = ({ total, inside, ...given }: Asked = {}, body: Work = work.run) => {
    const call = newCall(environment, { args: ['a'], ...given });
    const limit = total === undefined ? undefined : new TotalTimeoutDecision('Client.load', total, environment);
    const result = track(
      guarded({ 'timeout.total': limit, coalesce, bulkhead: inside }, body, { endsEarly: true })(call),
    );
    return { call, result };
  };
  return { environment, clock, work, ask };
}

const outcomesOf = (asked: { result: { outcome: unknown } }[]) => asked.map(({ result }) => result.outcome);

describe('Coalescing', () => {
  it('runs equal calls once, and gives all the same value', async () => {
    const { work, ask } = setUp();
    const asked = [ask(), ask(), ask()];
    expect(work.begun).toBe(1);
    const value = { shared: true };
    work.succeed(0, value);
    await settle();

    for (const outcome of outcomesOf(asked)) expect(outcome).toBe(value);
  });

  it('gives all the same error', async () => {
    const { work, ask } = setUp();
    const asked = [ask(), ask()];
    work.fail(0, boom);
    await settle();

    expect(asked.map(({ result }) => result.status)).toEqual(['rejected', 'rejected']);
    for (const outcome of outcomesOf(asked)) expect(outcome).toBe(boom);
  });

  it.each([
    ['a value', (work: ManualWork) => work.succeed(0)],
    ['a failure', (work: ManualWork) => work.fail(0, boom)],
  ])('runs anew after %s: nothing is kept', async (_what, end) => {
    const { work, ask } = setUp();
    ask();
    end(work);
    await settle();
    const { result } = ask();
    expect(work.begun).toBe(2);
    work.succeed(1, 'second');
    await settle();

    expect(result.outcome).toBe('second');
  });

  it('runs calls with other keys on their own', () => {
    const { work, ask } = setUp();
    ask({ args: ['a'] });
    ask({ args: ['b'] });
    ask({ args: [1] });

    expect(work.begun).toBe(3);
  });

  it.each([
    ['undefined', () => undefined, 0],
    [
      'an error',
      () => {
        throw boom;
      },
      2,
    ],
    ['an object', () => ({}) as never, 2],
    ['a promise', () => Promise.resolve('a') as never, 2],
  ])('runs a call alone, when its key gives %s', async (_what, key, reports) => {
    const { environment, work, ask } = setUp({ key });
    const asked = [ask(), ask()];
    work.succeed(0, 1);
    work.succeed(1, 2);
    await settle();

    expect(outcomesOf(asked)).toEqual([1, 2]);
    expect(environment.reports.map(({ place }) => place)).toEqual(Array(reports).fill('Client.load, key'));
  });

  it('shares nothing between objects, unless the scope is the class', () => {
    const [one, other] = [{}, {}];
    const own = setUp();
    for (const instance of [one, other, one]) own.ask({ instance });
    const shared = setUp({ scope: 'class' });
    for (const instance of [one, other, one]) shared.ask({ instance });

    expect([own.work.begun, shared.work.begun]).toEqual([2, 1]);
  });

  it('shares what a method throws at once', async () => {
    const { ask } = setUp();
    let runs = 0;
    const end = method(() => {
      runs++;
      throw boom;
    });
    const asked = [ask({}, end), ask({}, end)];
    await settle();

    expect(runs).toBe(1);
    expect(outcomesOf(asked)).toEqual([boom, boom]);
  });

  it('belongs to the context of its first caller', async () => {
    const { ask } = setUp();
    const storage = new AsyncLocalStorage<string>();
    let seen: unknown;
    const end = method(async () => {
      await Promise.resolve();
      seen = storage.getStore();
    });
    storage.run('first', () => ask({}, end));
    storage.run('second', () => ask({}, end));
    await settle();

    expect(seen).toBe('first');
  });

  it('tells its callers how many attempts were made for them', async () => {
    const { work, ask } = setUp();
    const asked = [ask(), ask()];
    const run = callOf(work.calls[0] as Attempt);
    for (let made = 1; made < 4; made++) run.nextAttempt();

    expect(asked.map(({ call }) => call.attempt)).toEqual([4, 4]);
  });

  describe('those who wait', () => {
    it('leave one by one, and the run goes on for the others', async () => {
      const { work, ask } = setUp();
      const [first, second, third] = [ask(), ask(), ask()];
      first.call.abort('first has gone');
      await settle();
      expect(first.result).toEqual({ status: 'rejected', outcome: 'first has gone' });
      expect(work.calls[0]?.aborted).toBe(false);
      third.call.abort('third has gone');
      await settle();
      expect(work.calls[0]?.aborted).toBe(false);
      work.succeed(0, 'value');
      await settle();

      expect(second.result.outcome).toBe('value');
      expect(third.result.outcome).toBe('third has gone');
    });

    it('abort the run, when the last of them leaves', async () => {
      const { work, ask } = setUp();
      const [first, second] = [ask(), ask()];
      const { signal } = work.calls[0] as Attempt;
      second.call.abort('second has gone');
      expect(signal.aborted).toBe(false);
      first.call.abort('first has gone');

      expect(signal.reason).toBe('first has gone');
      ask();
      expect(work.begun).toBe(2);
      work.succeed(0, 'nobody hears it');
      await settle();
      ask();
      expect(work.begun).toBe(2);
    });

    it('end the run for its guards as well, although its method goes on', async () => {
      const { work, ask } = setUp();
      const told: unknown[] = [];
      const { call } = ask({ inside: new Told(told) });
      call.abort('gone');
      await settle();
      expect(told).toEqual([['failed', 'gone']]);
      work.succeed(0, 'late');
      await settle();

      expect(told).toHaveLength(1);
    });

    it('do not begin a run, or join one, when they have gone already', async () => {
      const { work, ask } = setUp();
      const { result } = ask({ signal: AbortSignal.abort('before') });
      await settle();

      expect(result.outcome).toBe('before');
      expect(work.begun).toBe(0);
    });

    it('are let go of one by one: those who come later may leave as well', async () => {
      const { work, ask } = setUp();
      const [first, second] = [ask(), ask()];
      first.call.abort('first has gone');
      const third = ask();
      second.call.abort('second has gone');
      expect(work.calls[0]?.aborted).toBe(false);
      third.call.abort('third has gone');
      await settle();

      expect(work.calls.map(({ reason }) => reason)).toEqual(['third has gone']);
      expect(outcomesOf([first, second, third])).toEqual(['first has gone', 'second has gone', 'third has gone']);
    });

    it('have time limits of their own', async () => {
      const { clock, work, ask } = setUp();
      const short = ask({ total: 100 });
      await clock.advance(50);
      const long = ask({ total: 300 });
      await clock.advance(100);

      expect(short.result).toMatchObject({ status: 'rejected', outcome: { code: 'TIMEOUT' } });
      // The method had begun, for all of them: a limit that cuts the wait is no refusal.
      expect((short.result.outcome as TimeoutException).queued).toBe(false);
      expect(long.result.status).toBe('pending');
      expect(work.calls[0]?.aborted).toBe(false);
      await clock.advance(250);

      expect(long.result).toMatchObject({ status: 'rejected', outcome: { code: 'TIMEOUT' } });
      expect(work.calls[0]?.reason).toBe(long.result.outcome);
      expect(clock.keepingAlive).toBe(0);
    });

    it('bound the run by the longest of their limits, as they come and go', async () => {
      const { clock, work, ask } = setUp();
      const at = clock.now();
      ask({ total: 100 });
      const run = work.calls[0] as Attempt;
      expect(run.deadline).toBe(at + 100);
      const longer = ask({ total: 300 });
      ask({ total: 200 });
      expect(run.deadline).toBe(at + 300);
      longer.call.abort('gone');
      expect(run.deadline).toBe(at + 100 + 100);
      const unbounded = ask();
      expect(run.deadline).toBe(Infinity);
      unbounded.call.abort('gone');

      expect(run.deadline).toBe(at + 200);
    });

    it('bound the run by the same limit as before, when one of several with that limit leaves', () => {
      const { clock, work, ask } = setUp();
      const at = clock.now();
      const [first, second] = [ask({ total: 300 }), ask({ total: 300 })];
      ask({ total: 200 });
      ask({ total: 100 });
      first.call.abort('gone');
      expect(work.calls[0]?.deadline).toBe(at + 300);
      second.call.abort('gone');

      expect(work.calls[0]?.deadline).toBe(at + 200);
    });

    it('leave no listener behind', async () => {
      const { work, ask } = setUp();
      const { call } = ask();
      work.succeed(0);
      await settle();
      let told = 0;
      call.onAbort(() => told++);
      call.abort('late');

      expect(told).toBe(1);
      expect(work.calls[0]?.aborted).toBe(false);
    });

    it('may be hundreds, and may all leave', async () => {
      const { work, ask } = setUp();
      const asked = Array.from({ length: 300 }, () => ask());
      expect(work.begun).toBe(1);
      for (const { call } of asked.slice(1)) call.abort('gone');
      expect(work.calls[0]?.aborted).toBe(false);
      work.succeed(0, 'value');
      await settle();

      expect(asked[0]?.result.outcome).toBe('value');
      expect(asked.slice(1).every(({ result }) => result.outcome === 'gone')).toBe(true);
    });
  });

  describe('what is known of a shared answer', () => {
    it.each([
      ['good', false],
      ['no good one', true],
    ])('is known of it for all: a policy inside has judged it to be %s', async (_what, bad) => {
      const { work, ask } = setUp();
      const asked = [ask(), ask()];
      if (bad) judgeBad(work.calls[0] as Attempt);
      work.succeed(0, 'value');
      await settle();

      expect(outcomesOf(asked)).toEqual(['value', 'value']);
      expect(asked.map(({ call }) => isJudgedBad(callOf(call)))).toEqual([bad, bad]);
    });

    it('tells each request how old the answer is that stood in for it', async () => {
      const { work, ask } = setUp();
      const ages: unknown[] = [];
      const asked = ['first', 'second'].map((who) => ask({ onStale: (_, ageMs) => void ages.push([who, ageMs]) }));
      const run = work.calls[0] as Attempt;
      run.rarely().staleMs = 5_000;
      work.succeed(0, 'old');
      await settle();

      expect(asked.map(({ call }) => call.rare?.staleMs)).toEqual([5_000, 5_000]);
      expect(ages).toEqual([
        ['first', 5_000],
        ['second', 5_000],
      ]);
    });

    it('is nothing of an age, where the answer is new', async () => {
      const { work, ask } = setUp();
      const { call } = ask();
      (work.calls[0] as Attempt).rarely();
      work.succeed(0, 'new');
      await settle();

      expect(call.rare?.staleMs).toBeUndefined();
    });
  });

  describe('when the app shuts down', () => {
    it('goes on for those who wait, but nobody joins any more', async () => {
      const { environment, work, ask } = setUp();
      const asked = [ask(), ask()];
      environment.lifecycle.dispose();
      const late = ask();
      expect(work.begun).toBe(2);
      expect(work.calls[0]?.aborted).toBe(false);
      work.succeed(0, 'first run');
      await settle();

      expect(outcomesOf(asked)).toEqual(['first run', 'first run']);
      expect(late.result.status).toBe('pending');
    });

    it('is known to the app only as long as it runs', async () => {
      const { environment, work, ask } = setUp();
      const enlisted = new Set<unknown>();
      environment.lifecycle.enlist = (running) => void enlisted.add(running);
      environment.lifecycle.delist = (running) => void enlisted.delete(running);
      ask();
      ask({ args: ['b'] });
      expect(enlisted.size).toBe(2);
      work.succeed(0);
      await settle();
      expect(enlisted.size).toBe(1);
      ask({ args: ['c'] }).call.abort('gone');

      expect(enlisted.size).toBe(1);
    });
  });

  it('is shared by calls without an object', () => {
    const { work, ask } = setUp();
    for (const instance of [undefined, null, undefined]) ask({ instance });

    expect(work.begun).toBe(1);
  });

  it('begins anew after a run that could not begin', () => {
    const environment = new TestEnvironment();
    const coalesce = new Coalescing('Client.load', { ...COALESCE_DEFAULTS, key: () => 'a' }, environment);
    let runs = 0;
    const inner: Inner = {
      part: () => expect.fail('nobody runs alone'),
      separate: () => newCall(environment),
      start: () => {
        runs++;
        throw boom;
      },
    };
    const run = () => thrownBy(() => coalesce.run(newCall(environment), inner));

    expect([run(), run()]).toEqual([boom, boom]);
    expect(runs).toBe(2);
  });

  it('cuts a run that nobody shares with its caller', async () => {
    const { work, ask } = setUp({ key: () => undefined });
    const { call, result } = ask();
    ask();
    call.abort('gone');
    await settle();

    expect(work.calls.map(({ reason }) => reason)).toEqual(['gone', undefined]);
    expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
  });

  it('tells the caller of a run that nobody shares how many attempts it takes, and that it has begun', () => {
    const { work, ask } = setUp({ key: () => undefined });
    const { call } = ask();
    callOf(work.calls[0] as Attempt).nextAttempt();

    expect(call.attempt).toBe(2);
    expect(callOf(call).begun).toBe(true);
  });

  describe('a run that needs itself', () => {
    it('runs the inner call alone, where the outer call is known', async () => {
      const { ask } = setUp();
      let depth = 0;
      const end = method(async (call) => {
        if (++depth > 2) return 'deepest';
        const inner = ask({ outer: call }, end);
        await settle();
        return inner.result.outcome;
      });

      const { result } = ask({}, end);
      await settle();
      await settle();
      await settle();

      expect(depth).toBe(3);
      expect(result.outcome).toBe('deepest');
    });

    it('runs alone, when two runs would wait for each other', async () => {
      const { ask } = setUp();
      const alone: string[] = [];
      /** Each needs the other, once both run. */
      const needing = (other: string, turn: Promise<void>) =>
        method(async (call) => {
          await turn;
          const inner = ask(
            { args: [other], outer: call },
            method(() => (alone.push(other), `${other} alone`)),
          );
          await settle();
          return inner.result.status === 'pending' ? settle().then(() => inner.result.outcome) : inner.result.outcome;
        });
      let go = (): void => undefined;
      const turn = new Promise<void>((resolve) => (go = resolve));
      const a = ask({ args: ['a'] }, needing('b', turn));
      const b = ask({ args: ['b'] }, needing('a', turn));
      go();
      for (let round = 0; round < 5; round++) await settle();

      expect(alone).toEqual(['a']);
      expect([a.result.status, b.result.status]).toEqual(['fulfilled', 'fulfilled']);
      expect(b.result.outcome).toBe('a alone');
    });

    it('runs alone, when three runs would wait for each other in a circle', async () => {
      const { ask } = setUp();
      const alone: string[] = [];
      let go = (): void => undefined;
      const turn = new Promise<void>((resolve) => (go = resolve));
      const needing = (other: string) =>
        method(async (call) => {
          await turn;
          const answer = method(() => (alone.push(other), `${other} alone`));
          const { result } = ask({ args: [other], outer: call }, answer);
          for (let round = 0; round < 5 && result.status === 'pending'; round++) await settle();
          return result.outcome;
        });
      const asked = [
        ask({ args: ['a'] }, needing('b')),
        ask({ args: ['b'] }, needing('c')),
        ask({ args: ['c'] }, needing('a')),
      ];
      go();
      for (let round = 0; round < 20; round++) await settle();

      expect(alone).toEqual(['a']);
      expect(outcomesOf(asked)).toEqual(['a alone', 'a alone', 'a alone']);
    });

    it('looks at each run once, however many ways lead to it', async () => {
      const { ask } = setUp();
      const DEPTH = 60;
      let innermost = 0;
      let end = (): void => undefined;
      const over = new Promise<void>((resolve) => (end = resolve));
      /** Two calls at each level need the run of the next one: 2 ** 60 ways in all. */
      const level = (depth: number): Work =>
        method(async (call) => {
          await settle();
          if (depth === DEPTH) return ++innermost;
          const inner = [1, 2].map(() => ask({ args: [depth + 1], outer: call }, level(depth + 1)));
          await over;
          return inner.length;
        });
      ask({ args: [0] }, level(0));
      ask({ args: [0] }, level(0));
      for (let round = 0; round < DEPTH + 5; round++) await settle();

      expect(innermost).toBe(1);
      end();
    });

    it('lets calls of other keys inside it share as ever', async () => {
      const { work, ask } = setUp();
      const end = method((call) => {
        ask({ args: ['b'], outer: call });
        ask({ args: ['b'], outer: call });
        return 'value';
      });
      ask({}, end);
      await settle();

      expect(work.begun).toBe(1);
    });
  });
});
