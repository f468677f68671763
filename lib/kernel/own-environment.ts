import { stackOf } from '../errors/foreign.js';
import { EventBus } from '../events/event-bus.js';
import { systemClock } from './clock.js';
import { textOf } from './error-text.js';
import { Lifecycle, type PolicyEnvironment } from './policy.js';

const REPORT_EVERY_MS = 60_000;

/**
 * The surroundings of a policy that belongs to no app: the system's clock, a life of its own that ends when the policy is
 * shut down, and the console for what users' callbacks throw, once a minute for each place.
 */
export function ownEnvironment(): PolicyEnvironment {
  const clock = systemClock;
  const reportedAt = new Map<string, number>();
  const reportCallback = (place: string, error: unknown): void => {
    const now = clock.now();
    if (now - (reportedAt.get(place) ?? -Infinity) < REPORT_EVERY_MS) return;
    reportedAt.set(place, now);
    // eslint-disable-next-line no-console -- there is no app here whose logger could be used
    console.error(`[Bulwark] ${place} failed: ${stackOf(error) ?? textOf(error)}`);
  };
  return {
    clock,
    random: Math.random,
    lifecycle: new Lifecycle(),
    events: new EventBus(
      () => clock.wallNow(),
      (error) => reportCallback('a listener of events', error),
    ),
    reportCallback,
    logRecovered: reportCallback,
  };
}
