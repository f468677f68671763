import type { Clock } from './clock.js';
import type { Lifecycle } from './policy.js';

/** What does not change from call to call of one guarded method. */
export interface Target {
  readonly className: string;
  readonly methodName: string;
  /** The instance under which its calls are told: the name that its policies were given, or `Class.method`. */
  readonly callName: string;
  /** Whether a policy makes failed calls again. */
  readonly retries: boolean;
  /** Whether another pipeline of ours stands around it for the same request, so that its calls are no calls of their own. */
  readonly inner?: boolean;
  /** Gives the key by which a dependency knows a repetition; undefined: nothing says that repeating changes nothing. */
  readonly idempotencyKey?: ((args: readonly unknown[]) => string) | undefined;
  readonly clock: Clock;
  /** That of the app. */
  readonly lifecycle: Lifecycle;
  /** Whether code below knows the running call. */
  readonly callContext: boolean;
  /** Whether it stands for what comes in from outside the process, and is no guarded method. */
  readonly fromOutside?: boolean;
}
