import type { EventBus } from '../events/event-bus.js';
import type { CallbackReporter } from './ask.js';
import type { Clock } from './clock.js';
import type { ClusterRateStore } from './cluster-rate-store.js';
import type { DeadlineQueues } from './deadline-queues.js';
import type { Lifecycle } from './lifecycle.js';
import type { StartRamp } from './start-ramp.js';

export { Lifecycle, type Running, type Waiter } from './lifecycle.js';

/** What the surroundings provide to every policy of an app. */
export interface PolicyEnvironment extends CallbackReporter {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly events: EventBus;
  readonly lifecycle: Lifecycle;
  /** `false`: the kill switch is on, and nothing refuses. @default true */
  readonly enabled?: boolean;
  /** Queues that policies of one duration share. @default each policy has its own */
  readonly deadlines?: DeadlineQueues;
  /** Where rate limits of a cluster count. @default nowhere: each process is alone */
  readonly rateStore?: ClusterRateStore | undefined;
  /** Whether a rate limit of a cluster without {@link rateStore} is a mistake. @default false */
  readonly expectsRateStore?: boolean;
  /** How limits grow when the app starts. @default they are whole at once */
  readonly startRamp?: StartRamp | undefined;
  /** Told what Recover caught. */
  readonly logRecovered: (place: string, error: unknown) => void;
}
