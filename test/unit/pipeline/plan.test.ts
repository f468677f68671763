import { beforeAll, describe, expect, it } from 'vitest';
import type { CallEnded } from '../../../lib/events/call-listener.js';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import type { Decision } from '../../../lib/kernel/decision.js';
import { Guard, refused } from '../../../lib/kernel/guard.js';
import type { MethodKind, Returns } from '../../../lib/kernel/method-kind.js';
import { iterableWork } from '../../../lib/pipeline/async-iterable.js';
import { enableCallContext, inCall } from '../../../lib/pipeline/current-call.js';
import { layered, type Stages } from '../../../lib/pipeline/layers.js';
import type { PlannedPolicy } from '../../../lib/pipeline/plan-init.js';
import { Plan, type Learner } from '../../../lib/pipeline/plan.js';
import { orGiven, promiseWork, type Body } from '../../../lib/pipeline/promise-work.js';
import type { ResponseSlot } from '../../../lib/pipeline/response-slot.js';
import type { Observe } from '../../../lib/pipeline/stream.js';
import type { SetKey } from '../../../lib/policies/kinds.js';
import { newCall } from '../../support/calls.js';
import { errorOf, settle, thrownBy, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const boom = new Error('boom');

/** Counts what its attempts gave. */
class Counting extends Guard {
  readonly counts = { in: 0, done: 0, failed: 0 };
  /** The error by which it turns attempts away. */
  refuses: Error | undefined = undefined;

  admit() {
    if (this.refuses !== undefined) return refused(this.refuses);
    this.counts.in++;
    return undefined;
  }

  override settled(_: Attempt, __: unknown, failure: object | undefined): void {
    this.counts[failure === undefined ? 'done' : 'failed']++;
  }
}

interface Wish {
  readonly kind?: MethodKind;
  readonly policies?: readonly SetKey[];
  readonly signalIndex?: number;
  readonly response?: ResponseSlot;
  readonly body?: Body;
  readonly learner?: Learner | undefined;
  /** What answers in place of an error. */
  readonly recover?: (error: unknown) => unknown;
}

/** A plan whose breaker only counts. */
function setUp(wish: Wish, environment = new TestEnvironment()) {
  const { kind, policies = ['circuitBreaker'], signalIndex = -1, response, learner, recover } = wish;
  const { body = () => Promise.resolve('done') } = wish;
  const calls: Attempt[] = [];
  const noted: Body = (attempt) => (calls.push(attempt), body(attempt));
  const breaker = new Counting();
  const counter = new Counting();
  const { target } = newCall({ ...environment, callContext: true }).course;
  const decision: Decision = { answers: true, failed: (_, { error }) => recover?.(error) };
  const answering = recover === undefined ? {} : { recover: { decision } };
  const stages: Stages = { circuitBreaker: { guard: breaker }, ...answering };
  const work = (kind === 'asyncIterable' ? iterableWork : promiseWork)(orGiven(noted));
  const observed: unknown[] = [];
  const observe: Observe = (begin) => (observed.push(begin), 'an Observable');
  const plan = new Plan({
    target,
    kind,
    policies: policies.map((policy): PlannedPolicy => ({ policy, name: 'n', options: {}, sources: {} })),
    signalIndex,
    response,
    pipeline: layered(stages, target, work, { endsEarly: true }),
    events: environment.events,
    observed: () =>
      layered(stages, target, work, { endsEarly: true }, { events: environment.events, kind: kind ?? 'sync' }),
    body: noted,
    learner,
    counting: layered({ circuitBreaker: { guard: counter } }, target, promiseWork(orGiven(noted))),
    answering: recover === undefined ? undefined : layered(answering, target, promiseWork(noted)),
    observe,
  });
  return { environment, plan, calls, breaker, counter, observed };
}

/** Learns as the app does: a plan for what the method has given. */
function setUpLearning(wish: Wish & { byClassAlone?: boolean; guardable?: boolean }) {
  const environment = new TestEnvironment();
  const passed: unknown[] = [];
  const learnt: Returns[] = [];
  const plans: ReturnType<typeof setUp>[] = [];
  const { byClassAlone = false, guardable = true, ...rest } = wish;
  const learner: Learner = {
    byClassAlone,
    thenableAlone: false,
    returns: undefined,
    learn: (kind) => {
      learnt.push(kind);
      if (!guardable) return undefined;
      const known = setUp({ ...rest, kind }, environment);
      plans.push(known);
      return known.plan;
    },
    passed: (value) => void passed.push(value),
  };
  return { ...setUp({ ...rest, learner }, environment), passed, learnt, plans };
}

/** The ends of the calls of which somebody hears. */
function listen({ events }: TestEnvironment): Partial<CallEnded>[] {
  const ends: Partial<CallEnded>[] = [];
  events.watchCalls({ begun: () => ({ ended: (end) => void ends.push(end) }) });
  return ends;
}

beforeAll(enableCallContext);

describe('a plan of a method that gives a promise', () => {
  it('leads its calls through its policies', async () => {
    const { plan, calls, breaker } = setUp({ kind: 'promise' });
    const instance = {};

    expect(await plan.invoke(instance, ['a', 5])).toBe('done');

    expect(calls).toMatchObject([{ instance, args: ['a', 5] }]);
    expect(breaker.counts).toEqual({ in: 1, done: 1, failed: 0 });
    expect([plan.className, plan.methodName, plan.kind, plan.learns]).toEqual(['Client', 'load', 'promise', false]);
  });

  it('tells those who listen of calls, from when they do', async () => {
    const { plan, environment } = setUp({ kind: 'promise' });
    await plan.invoke(undefined, []);
    const ends = listen(environment);

    await plan.invoke(undefined, []);
    await plan.call(undefined, [], undefined);

    expect(ends).toHaveLength(2);
  });

  it('is cut by the signal among the arguments', async () => {
    const { plan, calls } = setUp({ kind: 'promise', signalIndex: 1, body: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const result = track(plan.invoke(undefined, ['a', controller.signal]) as Promise<unknown>);

    controller.abort(boom);
    await settle();

    expect(result).toEqual({ status: 'rejected', outcome: boom });
    expect(calls[0]?.aborted).toBe(true);
  });

  it('takes no other argument for a signal, nor a signal at another place', async () => {
    const gone = AbortSignal.abort(boom);

    expect(await setUp({ kind: 'promise', signalIndex: 0 }).plan.invoke(undefined, ['a', gone])).toBe('done');
    expect(await setUp({ kind: 'promise' }).plan.invoke(undefined, [gone])).toBe('done');
    await expect(setUp({ kind: 'promise', signalIndex: 0 }).plan.invoke(undefined, [gone])).rejects.toBe(boom);
  });

  it('no longer listens to a signal when it has ended', async () => {
    const { plan, calls } = setUp({ kind: 'promise' });
    const controller = new AbortController();
    await plan.call(undefined, [], controller.signal);

    controller.abort(boom);

    expect(calls[0]?.aborted).toBe(false);
    const failing = setUp({ kind: 'promise', body: () => Promise.reject(boom) });
    const other = new AbortController();
    expect(await errorOf(failing.plan.call(undefined, [], other.signal))).toBe(boom);
    other.abort('late');
    expect(failing.calls[0]?.aborted).toBe(false);
  });

  it('runs inside the guarded call around it, which cuts it', async () => {
    const { plan, calls } = setUp({ kind: 'promise', body: () => new Promise(() => undefined) });
    const around = newCall({ ...new TestEnvironment(), callContext: true });

    const result = track(inCall(around, () => plan.invoke(undefined, [])) as Promise<unknown>);
    expect(calls[0]?.around).toBe(around);
    around.abort(boom);
    await settle();

    expect(result).toEqual({ status: 'rejected', outcome: boom });
  });

  it('takes the response of Nest out of the arguments', async () => {
    const { plan, calls } = setUp({ kind: 'promise', response: { at: 1, count: 1 } });
    const response = { getHeader: () => undefined };

    await plan.invoke(undefined, ['id', response]);
    await plan.invoke(undefined, ['id', 'no response']);

    expect(calls[0]?.args).toEqual(['id']);
    expect(calls[0]?.origin?.response).toBe(response);
    expect(calls[1]?.args).toEqual(['id', 'no response']);
  });

  it('guards nothing that was called before, since it knows its kind', () => {
    const { plan, breaker } = setUp({ kind: 'promise' });
    const value = Promise.resolve();

    expect(plan.guard(undefined, [], value)).toBe(value);
    expect(breaker.counts.in).toBe(0);
  });
});

describe('a plan of a method that gives a stream', () => {
  it('makes an Observable of rxjs, each of whose subscriptions is a call', async () => {
    const { plan, observed, breaker } = setUp({ kind: 'observable', body: () => Promise.resolve('items') });

    expect(plan.invoke(undefined, [])).toBe('an Observable');
    expect(breaker.counts.in).toBe(0);
    const [begin] = observed as [(sink: unknown) => { end: Promise<unknown> }];

    expect(await Promise.all([begin('sink').end, begin('sink').end])).toEqual(['items', 'items']);
    expect(breaker.counts.in).toBe(2);
  });

  it('makes an async iterable, whose call begins with the first item', async () => {
    async function* items() {
      yield 1;
      yield 2;
    }
    const { plan, breaker, environment } = setUp({ kind: 'asyncIterable', body: items });
    const ends = listen(environment);
    const stream = plan.invoke(undefined, []) as AsyncIterable<unknown>;
    expect(breaker.counts.in).toBe(0);

    const seen: unknown[] = [];
    for await (const item of stream) seen.push(item);

    expect(seen).toEqual([1, 2]);
    expect(breaker.counts).toEqual({ in: 1, done: 1, failed: 0 });
    expect(ends).toHaveLength(1);
  });
});

describe('a plan of a method that gives its answer at once', () => {
  const ANSWERS = { kind: 'sync', policies: ['fallback'] } as const;

  it('leaves its value as it is, and tells of the call', () => {
    const { plan, environment, calls } = setUp({ ...ANSWERS, body: () => 'value' });
    const ends = listen(environment);

    expect(plan.invoke(undefined, [])).toBe('value');
    expect([calls.length, ends.length]).toEqual([1, 1]);
  });

  it('lets its fallback answer for its errors', () => {
    const { plan } = setUp({
      ...ANSWERS,
      recover: (error) => ['instead of', error],
      body: () => {
        throw boom;
      },
    });

    expect(plan.invoke(undefined, [])).toEqual(['instead of', boom]);
  });

  it('throws its errors where nothing answers', () => {
    const { plan } = setUp({
      ...ANSWERS,
      body: () => {
        throw boom;
      },
    });

    expect(thrownBy(() => plan.invoke(undefined, []))).toBe(boom);
  });

  it('knows the signal of its caller, and the call around it', () => {
    const seen: Attempt[] = [];
    const { plan } = setUp({ ...ANSWERS, signalIndex: 0, body: (attempt) => seen.push(attempt) });
    const around = newCall({ ...new TestEnvironment(), callContext: true });

    inCall(around, () => plan.invoke(undefined, [AbortSignal.abort(boom)]));
    plan.invoke(undefined, [new AbortController().signal]);

    expect(seen.map(({ aborted, reason }) => [aborted, reason])).toEqual([
      [true, boom],
      [false, undefined],
    ]);
    expect(seen.map(({ around: outer }) => outer)).toEqual([around, undefined]);
  });
});

describe('a plan of a method of which nobody knows what it gives', () => {
  it.each([
    [{}, true],
    [{ policies: ['fallback'] as const }, false],
    [{ policies: ['fallback'] as const, byClassAlone: true }, true],
    [{ policies: ['fallback', 'retry'] as const }, true],
  ])('learns it by the first call: %j: %s', (wish, learns) => {
    expect(setUpLearning(wish).plan.learns).toBe(learns);
  });

  it('guards a promise that it has given, and calls the method once for it', async () => {
    const { plan, learnt, plans, calls } = setUpLearning({});

    expect(await plan.invoke('it', ['a'])).toBe('done');

    expect(learnt).toEqual(['promise']);
    expect(plans[0]?.breaker.counts).toEqual({ in: 1, done: 1, failed: 0 });
    expect([calls.length, plans[0]?.calls.length]).toEqual([1, 0]);
    expect(calls[0]).toMatchObject({ instance: 'it', args: ['a'] });
  });

  it('guards the error of such a promise too', async () => {
    const { plan, plans } = setUpLearning({ body: () => Promise.reject(boom) });

    expect(await errorOf(plan.invoke(undefined, []) as Promise<unknown>)).toBe(boom);
    expect(plans[0]?.breaker.counts).toEqual({ in: 1, done: 0, failed: 1 });
  });

  it('tells once of such a call', async () => {
    const { plan, environment } = setUpLearning({});
    const ends = listen(environment);

    await plan.invoke(undefined, []);

    expect(ends).toHaveLength(1);
  });

  it('guards a stream that it has given, from its first item on', async () => {
    async function* items() {
      yield 1;
    }
    const { plan, plans, calls, learnt } = setUpLearning({ body: items });
    const stream = plan.invoke(undefined, []) as AsyncIterable<unknown>;
    const [known] = plans;
    expect(known?.breaker.counts.in).toBe(0);

    const seen: unknown[] = [];
    for await (const item of stream) seen.push(item);

    expect([learnt, seen, calls.length, known?.calls.length]).toEqual([['asyncIterable'], [1], 1, 0]);
    expect(known?.breaker.counts).toEqual({ in: 1, done: 1, failed: 0 });
    // A second subscription calls the method again.
    expect(await (plan.guard(undefined, [], items()) as AsyncIterator<unknown>).next()).toMatchObject({ value: 1 });
  });

  it('leaves alone what it cannot guard, and says so; those who count do', async () => {
    const { plan, passed, counter } = setUpLearning({ body: () => 'text' });

    expect(plan.invoke(undefined, [])).toBe('text');
    await settle();

    expect(passed).toEqual(['text']);
    expect(counter.counts).toEqual({ in: 1, done: 1, failed: 0 });
  });

  it('leaves a promise alone where it may not be guarded so', async () => {
    const { plan, passed, learnt } = setUpLearning({ guardable: false });

    const value = plan.invoke(undefined, []);

    expect(await value).toBe('done');
    expect([learnt, passed]).toEqual([['promise'], [value]]);
  });

  it('counts an error that is thrown at once, and throws it', async () => {
    const { plan, counter, passed } = setUpLearning({
      body: () => {
        throw boom;
      },
    });

    expect(thrownBy(() => plan.invoke(undefined, []))).toBe(boom);
    await settle();

    expect(counter.counts).toEqual({ in: 1, done: 0, failed: 1 });
    expect(passed).toEqual([]);
  });

  it('neither counts nor answers where only the class is decorated', async () => {
    const throwing = setUpLearning({
      byClassAlone: true,
      recover: () => 'instead',
      body: () => {
        throw boom;
      },
    });
    const giving = setUpLearning({ byClassAlone: true, body: () => 'text' });

    expect(thrownBy(() => throwing.plan.invoke(undefined, []))).toBe(boom);
    expect(giving.plan.invoke(undefined, [])).toBe('text');
    await settle();

    expect([throwing.counter.counts.in, giving.counter.counts.in]).toEqual([0, 0]);
    expect(giving.passed).toEqual(['text']);
  });

  it('guards what somebody else has called, as the first call of it', async () => {
    const { plan, plans, calls } = setUpLearning({});

    expect(await plan.guard('it', ['a'], Promise.resolve('given'))).toBe('given');

    expect(calls).toHaveLength(0);
    expect(plans[0]?.breaker.counts).toEqual({ in: 1, done: 1, failed: 0 });
  });

  describe('under Fallback alone', () => {
    const ALONE = { policies: ['fallback'], recover: (error: unknown) => ['instead of', error] } as const;

    it('answers for an error at once, and for that of a promise later', async () => {
      const atOnce = setUpLearning({
        ...ALONE,
        body: () => {
          throw boom;
        },
      });
      const later = setUpLearning({ ...ALONE, body: () => Promise.reject(boom) });

      expect(atOnce.plan.invoke(undefined, [])).toEqual(['instead of', boom]);
      expect(await later.plan.invoke(undefined, [])).toEqual(['instead of', boom]);
      expect([atOnce.learnt, later.learnt]).toEqual([[], []]);
    });

    it('leaves values as they are, and needs not say so', async () => {
      const { plan, passed } = setUpLearning({ ...ALONE, body: () => 'value' });
      const later = setUpLearning({ ...ALONE });

      expect(plan.invoke(undefined, [])).toBe('value');
      expect(await later.plan.invoke(undefined, [])).toBe('done');
      expect([passed, later.passed, later.learnt]).toEqual([[], [], []]);
    });

    it('guards a stream as any other method does', async () => {
      async function* items() {
        yield 1;
      }
      const { plan, learnt } = setUpLearning({ ...ALONE, body: items });

      expect(await (plan.invoke(undefined, []) as AsyncIterator<unknown>).next()).toEqual({ done: false, value: 1 });
      expect(learnt).toEqual(['asyncIterable']);
    });
  });
});
