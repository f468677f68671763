import { Attempt } from '../../lib/kernel/attempt.js';
import type { Origin } from '../../lib/kernel/origin.js';
import type { Target } from '../../lib/kernel/target.js';
import { callOf } from '../../lib/kernel/call.js';
import type { Clock } from '../../lib/kernel/clock.js';
import type { Decision } from '../../lib/kernel/decision.js';
import { Guard } from '../../lib/kernel/guard.js';
import { Pipeline } from '../../lib/kernel/pipeline.js';
import type { Junction, Work } from '../../lib/kernel/junction.js';
import { Lifecycle } from '../../lib/kernel/policy.js';
import type { Role } from '../../lib/kernel/role.js';
import { layered, type Stages } from '../../lib/pipeline/layers.js';
import type { Stage } from '../../lib/pipeline/order.js';
import { promiseWork, type Body } from '../../lib/pipeline/promise-work.js';

/** What a call is made with; nothing by default. */
export interface Given extends Origin {
  readonly instance?: unknown;
  readonly args?: readonly unknown[];
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined;
  /** The guarded call that it runs in. */
  readonly outer?: Attempt | undefined;
}

/** Where a call is made. */
export interface App {
  readonly clock: Clock;
  readonly lifecycle?: Lifecycle;
  /** Whether code below knows the running call. */
  readonly callContext?: boolean;
}

/** The first attempt of a call of `Client.load`; `callOf` gives the call. */
export function newCall(
  { clock, lifecycle = new Lifecycle(), callContext = false }: App,
  { instance, args = [], signal, outer, ...origin }: Given = {},
): Attempt {
  const target = {
    className: 'Client',
    methodName: 'load',
    callName: 'Client.load',
    retries: false,
    clock,
    lifecycle,
    callContext,
  };
  const attempt = new Attempt(new Pipeline({ target, work: () => Promise.resolve() }), instance, args, origin);
  if (signal === undefined && outer === undefined) return attempt;
  attempt.rarely().around = outer;
  callOf(attempt).follow(signal, outer);
  return attempt;
}

/** Bounds a call up to a moment of the monotonic clock, as those who wait for a shared run do. */
export function limit(attempt: Attempt, until: number): void {
  callOf(attempt).patience = until;
}

/** A policy in one of its roles. */
export type Policy = Guard | Decision | Junction;

type Policies = Partial<Record<Stage, Policy | undefined>>;

export interface Ends {
  /** Whether a cut ends an attempt for its caller while its work goes on, as in every pipeline of an app. */
  readonly endsEarly?: boolean;
}

/** Runs an attempt under one policy. */
export function execute(policy: Policy, attempt: Attempt, work: Work, ends?: Ends): Promise<unknown> {
  return guarded({ bulkhead: policy }, work, ends)(attempt);
}

/** What runs attempts under several policies, each at its place of the table. */
export function guarded(policies: Policies, work: Work, ends?: Ends): Work {
  return (attempt) => {
    const pipeline = pipelineOf(policies, attempt.course.target, work, ends);
    attempt.course = pipeline;
    return pipeline.start(attempt);
  };
}

/** What a decision makes of the error of a method that gives its answer at once. */
function answerAtOnce(decision: Decision, attempt: Attempt, error: unknown): unknown {
  return pipelineOf(
    { recover: decision },
    attempt.course.target,
    method(() => undefined),
  ).answer(attempt, error);
}

/** A call that only `decision` answers for. */
export function underDecision(decision: Decision, app: App, given: Given) {
  const first = newCall(app, given);
  const run = (work: Work, attempt = first): Promise<unknown> => execute(decision, attempt, work);
  return {
    call: callOf(first),
    run,
    /** Fails the call, or another one like it once that is over. */
    executeWith: (error: unknown): Promise<unknown> =>
      run(
        method(() => Promise.reject(error)),
        first.settled ? newCall(app, given) : first,
      ),
    /** What it makes of the error, if the method gives its answer at once. */
    answer: (error: unknown): unknown => answerAtOnce(decision, first, error),
  };
}

/** Policies around a work, each at its place of the table. */
export function pipelineOf(policies: Policies, target: Target, work: Work, ends?: Ends): Pipeline {
  const roles = Object.entries(policies).flatMap(([stage, policy]) =>
    policy === undefined ? [] : [[stage, roleOf(policy)]],
  );
  return layered(Object.fromEntries(roles) as Stages, target, work, ends);
}

function roleOf(policy: Policy): Role {
  if (policy instanceof Guard) return { guard: policy };
  return 'run' in policy ? { junction: policy } : { decision: policy };
}

/** The guarded method, as the work of a pipeline. */
export function method(body: Body): Work {
  return promiseWork(body);
}

/** A guarded method whose calls end when the test says so. */
export class ManualWork {
  /** The attempts that have begun, in order. */
  readonly calls: Attempt[] = [];
  readonly #ends: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = [];

  readonly run: Work = method(
    (attempt) =>
      new Promise((resolve, reject) => {
        this.calls.push(attempt);
        this.#ends.push({ resolve, reject });
      }),
  );

  /** How many attempts have begun. */
  get begun(): number {
    return this.calls.length;
  }

  /** Ends attempt number `index`, from 0. */
  succeed(index: number, value: unknown = 'done'): void {
    this.#ends[index]?.resolve(value);
  }

  fail(index: number, error: unknown = new Error('no')): void {
    this.#ends[index]?.reject(error);
  }
}

/** A guarded method that gives the next of `outcomes` at each call: an Error is thrown, anything else returned. */
export function scripted(outcomes: readonly unknown[]): { run: Work; calls: Attempt[] } {
  const calls: Attempt[] = [];
  const run = method((attempt) => {
    const outcome = outcomes[Math.min(calls.length, outcomes.length - 1)];
    calls.push(attempt);
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  });
  return { run, calls };
}
