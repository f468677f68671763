import type { PlannedPolicy } from '../../pipeline/plan-init.js';
import type { SetKey } from '../../policies/kinds.js';
import type { HandlerFacts } from './handler-facts.js';
import type { Limit } from './limits.js';

/** A plan as the rules look at it: data, and what is known of whoever calls it. */
export interface LintSubject {
  /** `Class.method`, or `policies.name` for a set that no method uses. */
  readonly place: string;
  /** Outermost first. */
  readonly policies: readonly PlannedPolicy[];
  /** Whether it gives many items, or may do so: then limits are those of an item, and not of a call. */
  readonly streams: boolean;
  /** What calls it from outside; undefined: nothing does. */
  readonly handler: HandlerFacts | undefined;
  /** Whether these are the policies of an interceptor before the handler. */
  readonly byInterceptor: boolean;
  /** Whether `@Idempotent()` stands on it. */
  readonly idempotent: boolean;
  /** The policies of the interceptors before these, outermost first. */
  readonly around: readonly (readonly PlannedPolicy[])[];
  /** The most time that a caller can give, if the app says so. */
  readonly caller: Limit | undefined;
  /** The policies of another method of the same class; one list for each instance with state of its own. */
  siblings(methodName: string): readonly (readonly PlannedPolicy[])[];
  /** The names of the method's own parameters, `''` for a pattern; undefined: nobody knows. */
  parameters(): readonly string[] | undefined;
  /** Those of another method of the same class. */
  parametersOf(methodName: string): readonly string[] | undefined;
}

/** What a rule has found. */
export interface Finding {
  readonly policy: SetKey;
  /** What is wrong with it, as half a sentence. */
  readonly problem: string;
  readonly expected: string;
  /** What stands there. */
  readonly value: string;
}

/** Looks for one thing that is legal but wrong. It fires where there is practically no doubt. */
export interface LintRule<C extends string = string> {
  readonly code: C;
  /** What silences it at one place, beside the option of the module. */
  readonly silence?: string;
  readonly look: (subject: LintSubject) => Finding | undefined;
}
