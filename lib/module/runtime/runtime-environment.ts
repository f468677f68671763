import { EventBus } from '../../events/event-bus.js';
import type { Clock } from '../../kernel/clock.js';
import type { ClusterRateStore } from '../../kernel/cluster-rate-store.js';
import type { Origin } from '../../kernel/origin.js';
import type { Lifecycle } from '../../kernel/policy.js';
import type { StartRamp } from '../../kernel/start-ramp.js';
import type { PlannerEnvironment, StandIn } from '../../planning/assemble.js';
import { OBSERVABLES } from '../observable.js';
import { isKilledByEnvironment } from './kill-switch.js';
import type { Surroundings } from './surroundings.js';

/** What is told of things that went wrong beside a call. */
interface Told {
  readonly reportCallback: (place: string, error: unknown) => void;
  readonly logRecovered: (place: string, error: unknown) => void;
}

/**
 * What the app provides to its policies. What its options say may change until it has started.
 *
 * Calls read it, so it is a class: an object with getters of its own is slow to read in V8.
 */
export class RuntimeEnvironment implements PlannerEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: EventBus;
  readonly reportCallback: (place: string, error: unknown) => void;
  readonly logRecovered: (place: string, error: unknown) => void;
  readonly observables = OBSERVABLES;
  /** Says on HTTP answers that they are old; undefined: nothing does. */
  onStale: Origin['onStale'] = undefined;
  /** Whether the variable of the environment has turned it off. */
  readonly killed = isKilledByEnvironment();
  enabled = !this.killed;
  callContext = false;
  /** What needs {@link callContext}; undefined: nothing does. */
  callContextFor: string | undefined = undefined;
  /** Until the options are there a call cannot wait for them: they may depend on what it does. */
  lenient = true;
  /** Another module may bring it, until the app has started. */
  rateStore: ClusterRateStore | undefined = undefined;
  expectsRateStore = false;
  startRamp: StartRamp | undefined = undefined;
  /** What tests put in the place of methods. */
  standIn: StandIn | undefined = undefined;
  /** Whether a test has turned all policies off. */
  bypassed = false;

  constructor(
    { clock, random }: Surroundings,
    readonly lifecycle: Lifecycle,
    { reportCallback, logRecovered }: Told,
  ) {
    this.clock = clock;
    this.random = random;
    this.reportCallback = reportCallback;
    this.logRecovered = logRecovered;
    this.events = new EventBus(
      () => clock.wallNow(),
      (error) => reportCallback('a listener of events', error),
    );
  }
}
