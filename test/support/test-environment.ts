import { EventBus } from '../../lib/events/event-bus.js';
import type { ResilienceEvent } from '../../lib/events/resilience-event.js';
import type { ClusterRateStore } from '../../lib/kernel/cluster-rate-store.js';
import { Lifecycle, type PolicyEnvironment } from '../../lib/kernel/policy.js';
import { VirtualClock } from './virtual-clock.js';

/** A report of something that went wrong on the way. */
export interface Report {
  readonly place: string;
  readonly error: unknown;
}

/** The surroundings of policies, without an app: time stands still, chance is chosen, everything told is kept. */
export class TestEnvironment implements PolicyEnvironment {
  readonly clock = new VirtualClock();
  readonly lifecycle = new Lifecycle();
  readonly events = new EventBus(
    () => this.clock.wallNow(),
    (error) => this.reports.push({ place: 'events', error }),
  );
  /** What {@link random} gives next; the last one stays. */
  chances: number[] = [0.5];
  /** Where limits of a cluster count. */
  rateStore: ClusterRateStore | undefined = undefined;
  /** Every event, in order. */
  readonly told: ResilienceEvent[] = [];
  /** What users' callbacks threw. */
  readonly reports: Report[] = [];
  /** What Recover logged. */
  readonly recoveries: Report[] = [];

  /** @param listening whether anybody hears the events. */
  constructor(listening = true) {
    if (listening) this.events.subscribe((event) => this.told.push(event));
  }

  readonly random = (): number => (this.chances.length > 1 ? this.chances.shift() : this.chances[0]) as number;

  readonly reportCallback = (place: string, error: unknown): void => {
    this.reports.push({ place, error });
  };

  readonly logRecovered = (place: string, error: unknown): void => {
    this.recoveries.push({ place, error });
  };

  /** The events of one type. */
  of<T extends ResilienceEvent['type']>(type: T): Extract<ResilienceEvent, { type: T }>[] {
    return this.told.filter((event): event is Extract<ResilienceEvent, { type: T }> => event.type === type);
  }
}
