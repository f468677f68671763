import { isThenable, promiseOf, signalOf } from '../errors/foreign.js';
import type { FallbackPolicy } from '../policies/fallback/fallback.policy.js';
import type { Next } from '../kernel/call.js';
import type { RecoverPolicy } from '../policies/recover/recover.policy.js';
import type { Returns, SetKey } from '../policies/policy-set.js';
import type { Clock } from '../kernel/clock.js';
import type { Lifecycle } from '../kernel/policy.js';
import { rejection } from '../kernel/rejection.js';
import { GuardedIterable } from './async-iterable.js';
import { hasAborted, reasonOf } from './caller-signal.js';
import { PipelineCall, type CallOrigin, type CallTarget } from './call.js';
import { outerCall } from './current-call.js';
import type { MethodKind } from '../guarded/guarded-method.js';
import { EarlyResult, kindTaughtBy, type Lesson } from './learning.js';
import type { Body } from './stages.js';

/** One policy of a plan, as `plan()` shows it. */
export interface PlannedPolicy {
  readonly policy: SetKey;
  /** The instance: the name given to it, or `Class.method`. */
  readonly name: string;
  /** The options in force. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where each of them came from. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Learns what a method gives, where neither its code nor its type nor its set says so. */
export interface Learner extends Lesson {
  /** @returns the plan for what it gives; undefined where that cannot be guarded so. */
  learn(kind: Returns): Plan | undefined;
  /** It gave what is not guarded. */
  passed(value: unknown): void;
}

/** How one method is guarded. */
export interface PlanInit {
  readonly className: string;
  readonly methodName: string;
  readonly kind: MethodKind;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly callContext: boolean;
  readonly policies: readonly PlannedPolicy[];
  /** The argument at which the caller may pass a signal, and the method wants the attempt's; -1: nowhere. */
  readonly signalIndex: number;
  readonly run: Next;
  readonly body: Body;
  /** Set while nobody knows what the method gives. */
  readonly learner?: Learner | undefined;
  /** With a learner: the policies that count what a call gave, without those that could repeat or replace it. */
  readonly count?: Next | undefined;
  readonly recover: RecoverPolicy | undefined;
  readonly fallback: FallbackPolicy | undefined;
  /** Makes an Observable of a call; it lives outside, with rxjs. */
  readonly observe: (run: Next, begin: (origin: Pick<CallOrigin, 'sink'>) => PipelineCall) => unknown;
}

/** A method's policies in their order, ready to be called. */
export class Plan implements CallTarget {
  readonly className: string;
  readonly methodName: string;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly callContext: boolean;
  readonly policies: readonly PlannedPolicy[];
  readonly #init: PlanInit;
  readonly #run: Next;
  readonly #signalIndex: number;
  /** Whether a call gives one promise, as nearly all do. */
  readonly #givesPromise: boolean;
  /** Whether nothing but Fallback and Recover guards it: then a synchronous method stays synchronous. */
  readonly #answersOnly: boolean;

  constructor(init: PlanInit) {
    this.#init = init;
    this.className = init.className;
    this.methodName = init.methodName;
    this.clock = init.clock;
    this.lifecycle = init.lifecycle;
    this.callContext = init.callContext;
    this.policies = init.policies;
    this.#run = init.run;
    this.#signalIndex = init.signalIndex;
    this.#givesPromise = init.kind === 'promise';
    this.#answersOnly = init.policies.every(({ policy }) => policy === 'recover' || policy === 'fallback');
  }

  /** What its calls give; undefined or `'sync'` while nobody knows. */
  get kind(): MethodKind {
    return this.#init.kind;
  }

  /** Whether nobody knows yet what the method gives, and its policies depend on it. */
  get learns(): boolean {
    const { learner } = this.#init;
    return learner !== undefined && (learner.byClassAlone || !this.#answersOnly);
  }

  /** Calls the method as its kind demands. */
  invoke(instance: unknown, args: readonly unknown[]): unknown {
    const origin = this.#originOf(instance, args);
    return this.#givesPromise ? this.call(origin) : this.#begin(origin);
  }

  /** Guards what the method has given already, called by somebody who knew of no policies. */
  guard(instance: unknown, args: readonly unknown[], value: unknown): unknown {
    const origin = this.#originOf(instance, args);
    const { learner } = this.#init;
    return learner === undefined ? value : this.#learn(origin, new PipelineCall(this, origin), value, learner);
  }

  #originOf(instance: unknown, args: readonly unknown[]): CallOrigin {
    const given = this.#signalIndex < 0 ? undefined : args[this.#signalIndex];
    return { instance, args, signal: signalOf(given), outer: outerCall() };
  }

  #begin(origin: CallOrigin): unknown {
    switch (this.#init.kind) {
      case 'promise':
        return this.call(origin);
      case 'observable':
        return this.observe(origin);
      case 'asyncIterable':
        return this.#iterate(origin);
      default:
        return this.#callToLearn(origin);
    }
  }

  /** One call that gives a promise. */
  call(origin: CallOrigin): Promise<unknown> {
    const call = new PipelineCall(this, origin);
    const detach = call.attach();
    const result = this.#run(call);
    if (detach === undefined) return result;
    return result.then(
      (value) => (detach(), value),
      (error: unknown) => (detach(), rejection(error)),
    );
  }

  /** An Observable each of whose subscriptions is one call, inside the guarded call that subscribes. */
  observe(origin: CallOrigin): unknown {
    return this.#init.observe(this.#run, (sink) => new PipelineCall(this, { ...origin, outer: outerCall(), ...sink }));
  }

  /** An iterable whose first item begins one call, inside the guarded call that asks for it. */
  #iterate(origin: CallOrigin): unknown {
    return new GuardedIterable(
      this.#run,
      (channel) => new PipelineCall(this, { ...origin, outer: outerCall(), channel }),
    );
  }

  /** Calls a method of which nobody knows yet what it gives; that decides how this call and the next are guarded. */
  #callToLearn(origin: CallOrigin): unknown {
    const { body, learner } = this.#init;
    const early = new PipelineCall(this, origin);
    if (hasAborted(origin.signal)) early.abort(reasonOf(origin.signal));
    let value: unknown;
    try {
      value = early.run(body);
    } catch (error) {
      if (learner?.byClassAlone === true) throw error;
      if (learner !== undefined) this.#count(origin, early, Promise.reject(error));
      return this.#answer(error, early);
    }
    return learner === undefined ? value : this.#learn(origin, early, value, learner);
  }

  #learn(origin: CallOrigin, early: PipelineCall, value: unknown, learner: Learner): unknown {
    const kind = kindTaughtBy(value, learner);
    const asked = !learner.byClassAlone;
    if (asked && this.#answersOnly && kind === undefined) return value;
    if (asked && this.#answersOnly && kind === 'promise')
      return promiseOf(value).then(undefined, (error: unknown) => this.#answer(error, early));
    const plan = kind === undefined ? undefined : learner.learn(kind);
    if (plan === undefined) {
      learner.passed(value);
      if (asked) this.#count(origin, early, Promise.resolve());
      return value;
    }
    if (kind !== 'promise') return plan.#begin({ ...origin, early: new EarlyResult(early, value, false) });
    // A lazy thenable begins here, and only once. A call that has been cut already does not listen to it.
    const work = promiseOf(value);
    work.catch(() => undefined);
    return plan.call({ ...origin, early: new EarlyResult(early, work, true) });
  }

  /** Lets those that count do so for a call that is over. */
  #count(origin: CallOrigin, early: PipelineCall, end: Promise<unknown>): void {
    const call = new PipelineCall(this, { ...origin, signal: undefined, early: new EarlyResult(early, end, true) });
    end.catch(() => undefined);
    this.#init.count?.(call).catch(() => undefined);
  }

  /** What Fallback, then Recover make of an error. */
  #answer(error: unknown, call: PipelineCall): unknown {
    const { fallback, recover } = this.#init;
    const lastly = (last: unknown): unknown => {
      if (recover === undefined) throw last;
      return recover.answer(last, call);
    };
    if (fallback === undefined) return lastly(error);
    try {
      const answer = fallback.answer(error, call);
      return isThenable(answer) ? promiseOf(answer).then(undefined, lastly) : answer;
    } catch (failure) {
      return lastly(failure);
    }
  }
}
