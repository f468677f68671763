import { isRefusal } from '../errors/resilience.exception.js';
import type { HeardCall } from '../events/event-bus.js';
import type { PolicyKey } from '../events/resilience-event.js';
import type { Clock } from './clock.js';

/** Tells of an attempt that a policy has refused. A wait that time or a shutdown has ended is told as such. */
export function tellRefusal(call: HeardCall, error: unknown, clock: Clock): void {
  if (!isRefusal(error) || error.code === 'TIMEOUT' || error.code === 'SHUTDOWN') return;
  const { instanceName: name, code, retryAfterMs, details } = error;
  const at = Math.round(clock.wallNow());
  call.decided({ type: 'refused', at, name, policy: error.policy as PolicyKey, code, retryAfterMs, details });
}
