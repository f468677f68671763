import type { DeadlineQueues } from '../kernel/deadline-queues.js';
import type { MethodKind } from '../kernel/method-kind.js';
import type { ResolvedRetryBudget } from '../kernel/retry-budget/retry-budget.options.js';
import type { RetryBudget } from '../kernel/retry-budget/retry-budget.js';
import type { AnyClass, GuardedMethod } from '../guarded/guarded-method.js';
import type { Idempotency } from '../guarded/idempotency.js';
import type { Learner } from '../pipeline/plan.js';
import type { Body } from '../pipeline/promise-work.js';
import type { ResponseSlot } from '../pipeline/response-slot.js';

/** Where those without a name find their budget: `'own'`, each its own; or one that the app's sets share. */
export type NamelessBudgets = 'own' | { of(options: ResolvedRetryBudget): RetryBudget };

/** What is to be planned. */
export interface PlannedTarget {
  /** `Class.method`: the name of the instances that were not given one. */
  readonly instanceName: string;
  readonly kind: MethodKind;
  /** Its stream is the one answer to a request. @default false */
  readonly answersOnce?: boolean;
  /** The name of state that each instance has for itself, for the instance that this is planned for. @default the name itself */
  nameOfState?(name: string): string;
  /** Other targets have the same name, so that no budget can be kept under it: where it is then. */
  readonly budgets?: NamelessBudgets | undefined;
}

/** What is to be guarded. */
export interface Target extends PlannedTarget {
  readonly className: string;
  readonly methodName: string;
  /** The class that it is planned for; undefined: it belongs to none. */
  readonly concrete?: AnyClass | undefined;
  /** The method with decorators of ours; undefined: it is none. */
  readonly guarded?: GuardedMethod | undefined;
  /** The interceptor whose plan it is; undefined: it is none's. */
  readonly interceptor?: object | undefined;
  /** Queues of deadlines that it shares with others of its kind. @default it has its own */
  readonly deadlines?: DeadlineQueues | undefined;
  /** Learns what it gives, where nobody says so. */
  readonly learner?: Learner | undefined;
  readonly parameterCount: number;
  readonly signalIndex: number;
  /** Where Nest hands it the response; undefined: nowhere. */
  readonly response?: ResponseSlot | undefined;
  /** What it says of being repeated; undefined: nothing. */
  readonly idempotency?: Idempotency | undefined;
  /** Whether another pipeline of ours stands around it for the same request. @default false */
  readonly inner?: boolean;
  /** The names of the policies of what it stands around. @default none */
  readonly namesInside?: readonly string[];
  /** Whether an HTTP client waits for its answer. */
  readonly http: boolean;
  readonly body: Body;
  /** Whether each call can say what answers its refusals. @default false */
  readonly answersRefusals?: boolean;
  /** Whether a scheduler calls it, who has no use for its refusals. @default false */
  readonly scheduled?: boolean;
  /** Whether it is to be left alone: nobody hears of its calls. @default false */
  readonly exempt?: boolean;
}
