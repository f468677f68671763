import type { CallInfo } from './call-info.js';
import type { MethodKind } from './method-kind.js';
import type { PolicyEnvironment } from './policy.js';
import type { RetryBudget } from './retry-budget/retry-budget.js';
import type { Role } from './role.js';
import type { StateKind, Stateful } from './state-kind.js';

/** Judges the attempts of a plan, so that others ask it. */
export interface Judge {
  /** Whether it would let this call through as in the best of times. */
  isClosedFor(call: Pick<CallInfo, 'args'>): boolean;
}

/** Counts the answers of a fallback around it. */
export interface Witness {
  fellBack(call: Pick<CallInfo, 'args'>, answer: unknown, error: unknown): void;
}

/** A policy as its kind makes it, with what others may want of it. */
export type MadePolicy = Role & { readonly judge?: Judge; readonly witness?: Witness };

/** What a policy may take from others of the same plan, and from its surroundings, when it is made. */
export interface Making {
  readonly environment: PolicyEnvironment;
  /** What is guarded. */
  readonly target: {
    readonly instanceName: string;
    readonly kind: MethodKind;
    readonly parameterCount: number;
    /** Whether an HTTP client waits for its answer. */
    readonly http: boolean;
  };
  /** What bounds each attempt, wait and run together, ms; undefined: nothing. */
  readonly attemptLimit: number | undefined;
  /** Who judges the attempts; undefined: nobody. */
  readonly judge: Judge | undefined;
  /** Who counts the answers of a fallback; undefined: nobody. */
  readonly witness: Witness | undefined;
  /** What keeps the state of this step: that of its name. @throws ResilienceConfigurationError for other options */
  state<S extends Stateful>(kind: StateKind<S>): S;
  /** The budget of further attempts, and whether this step is the first that draws from it. */
  budget(): { readonly budget: RetryBudget | undefined; readonly isFirst: boolean };
}
