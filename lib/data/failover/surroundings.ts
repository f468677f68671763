import type { Logger } from '@nestjs/common';
import { EventBus } from '../../events/event-bus.js';
import type { Clock } from '../../kernel/clock.js';
import { systemClock } from '../../kernel/clock.js';
import { Lifecycle } from '../../kernel/policy.js';
import { textOf } from '../port/error-text.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { FileDataService } from '../file/file-data.service.js';
import type { ReplicableDataService } from '../port/replicable-data.service.js';

/** What a failover service takes from outside; tests bring their own. */
export interface Surroundings {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Opens a folder of the queue. */
  readonly openFolder: (path: string, lease?: number) => Promise<ReplicableDataService>;
}

export const realSurroundings: Surroundings = {
  clock: systemClock,
  random: Math.random,
  openFolder: (path, lease) => FileDataService.open({ path, lease }),
};

/** Told when code of a user's fails. */
export type Report = (place: string, error: unknown) => void;

const REPORT_EVERY_MS = 60_000;

/** Logs what goes wrong at a place at most once a minute, with how often it was not logged before. */
export function throttledReport(clock: Clock, logger: Logger): Report {
  const last = new Map<string, { at: number; unsaid: number }>();
  return (place, error) => {
    const now = clock.now();
    const before = last.get(place);
    if (before !== undefined && now - before.at < REPORT_EVERY_MS) {
      before.unsaid++;
      return;
    }
    last.set(place, { at: now, unsaid: 0 });
    const more = before === undefined || before.unsaid === 0 ? '' : ` (and ${before.unsaid} times before)`;
    logger.error(`${place} failed: ${textOf(error)}${more}`);
  };
}

/** The surroundings as the breakers of the nodes want them; nobody listens to their events but the nodes. */
export function breakerEnvironment({ clock, random }: Surroundings, report: Report): PolicyEnvironment {
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
