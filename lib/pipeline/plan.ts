import type { FallbackPolicy } from '../policies/fallback/fallback.policy.js';
import type { Next } from '../policies/call.js';
import type { RecoverPolicy } from '../policies/recover/recover.policy.js';
import type { SetKey } from '../policies/policy-set.js';
import type { Clock } from '../policies/clock.js';
import { GuardedIterable } from './async-iterable.js';
import { Channel } from './channel.js';
import { PipelineCall, type CallOrigin, type CallTarget } from './call.js';
import { outerCall } from './current-call.js';
import type { MethodKind } from './guarded-method.js';
import { isThenable } from '../policies/thenable.js';
import { undeclaredStream, type Body } from './stages.js';

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

/** How one method is guarded. */
export interface PlanInit {
  readonly className: string;
  readonly methodName: string;
  readonly kind: MethodKind;
  readonly clock: Clock;
  readonly callContext: boolean;
  readonly policies: readonly PlannedPolicy[];
  /** The argument at which the caller may pass a signal, and the method wants the attempt's; -1: nowhere. */
  readonly signalIndex: number;
  readonly run: Next;
  readonly body: Body;
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
  readonly callContext: boolean;
  readonly policies: readonly PlannedPolicy[];
  readonly #init: PlanInit;
  readonly #run: Next;
  readonly #signalIndex: number;
  /** Whether a call gives one promise, as nearly all do. */
  readonly #givesPromise: boolean;

  constructor(init: PlanInit) {
    this.#init = init;
    this.className = init.className;
    this.methodName = init.methodName;
    this.clock = init.clock;
    this.callContext = init.callContext;
    this.policies = init.policies;
    this.#run = init.run;
    this.#signalIndex = init.signalIndex;
    this.#givesPromise = init.kind === 'promise' || (isUndeclared(init) && !mayStaySync(init));
  }

  /** Calls the method as its kind demands. */
  invoke(instance: unknown, args: readonly unknown[]): unknown {
    const given = this.#signalIndex < 0 ? undefined : args[this.#signalIndex];
    const origin = { instance, args, signal: given instanceof AbortSignal ? given : undefined, outer: outerCall() };
    if (this.#givesPromise) return this.call(origin);
    const { kind } = this.#init;
    if (kind === 'observable') return this.observe(origin);
    if (kind === 'asyncIterable')
      return new GuardedIterable(this.#run, new PipelineCall(this, { ...origin, channel: new Channel() }));
    return this.#callAsItComes(origin);
  }

  /** One call that gives a promise. */
  call(origin: CallOrigin): Promise<unknown> {
    const call = new PipelineCall(this, origin);
    const detach = call.attach();
    const result = this.#run(call);
    return detach === undefined ? result : result.finally(detach);
  }

  /** An Observable each of whose subscriptions is one call. */
  observe(origin: CallOrigin): unknown {
    return this.#init.observe(this.#run, (sink) => new PipelineCall(this, { ...origin, ...sink }));
  }

  /** A synchronous method under nothing but Fallback and Recover stays synchronous. */
  #callAsItComes(origin: CallOrigin): unknown {
    const call = new PipelineCall(this, origin);
    call.begin();
    let result: unknown;
    try {
      result = call.run(this.#init.body);
      // Of a method that is declared as synchronous, a stream is the value.
      const declared = this.#init.kind === 'sync' || isThenable(result);
      const mistake = declared ? undefined : undeclaredStream(call, result);
      if (mistake !== undefined) throw mistake;
    } catch (error) {
      return this.#answer(error, call);
    }
    return isThenable(result) ? Promise.resolve(result).catch((error: unknown) => this.#answer(error, call)) : result;
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
      return isThenable(answer) ? Promise.resolve(answer).catch(lastly) : answer;
    } catch (failure) {
      return lastly(failure);
    }
  }
}

function isUndeclared({ kind }: PlanInit): boolean {
  return kind === undefined || kind === 'sync';
}

function mayStaySync({ policies }: PlanInit): boolean {
  return policies.every(({ policy }) => policy === 'recover' || policy === 'fallback');
}
