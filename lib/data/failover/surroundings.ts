import type { Logger } from '@nestjs/common';
import { EventBus } from '../../events/event-bus.js';
import type { Clock } from '../../policies/clock.js';
import { systemClock } from '../../policies/clock.js';
import { Lifecycle } from '../../policies/policy.js';
import type { PolicyEnvironment } from '../../policies/policy.js';
import { FileDataService } from '../file/file-data.service.js';
import type { ReplicableDataService } from '../replicable-data.service.js';

/** What a failover service takes from outside; tests bring their own. */
export interface Surroundings {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Opens a folder of the queue. */
  readonly openFolder: (path: string) => Promise<ReplicableDataService>;
}

export const realSurroundings: Surroundings = {
  clock: systemClock,
  random: Math.random,
  openFolder: (path) => FileDataService.open({ path }),
};

/** The surroundings as the breakers of the nodes want them; nobody listens to their events but the nodes. */
export function breakerEnvironment({ clock, random }: Surroundings, logger: Logger): PolicyEnvironment {
  const report = (place: string, error: unknown): void => logger.error(`${place}: ${String(error)}`);
  return {
    clock,
    random,
    events: new EventBus(
      () => clock.wallNow(),
      (error) => report('a listener', error),
    ),
    lifecycle: new Lifecycle(),
    reportCallback: report,
    logRecovered: report,
  };
}
