import { RateLimitExceededException } from '../../errors/rate-limit-exceeded.exception.js';
import { withoutStack } from '../../errors/without-stack.js';
import type { PolicyEnvironment } from '../policy.js';
import type { Bucket } from './bucket.js';

/** Why a call is turned away. */
export interface Refusal {
  readonly bucket: Bucket;
  readonly cost: number;
  /** How long it would have to wait, ms; undefined: its turn never comes. */
  readonly waitMs: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** What the message ends with. */
  readonly why: string;
}

/** The error for a call that a limiter turns away; it is told to whoever listens. */
export function refuse(
  limiter: string,
  { bucket, cost, waitMs, retryAfterMs, why }: Refusal,
  { events }: PolicyEnvironment,
): RateLimitExceededException {
  const { key, rate } = bucket;
  const { limit, per, maxCost: burst } = rate;
  const instanceName = key === undefined ? limiter : `${limiter}[${key}]`;
  const details = { limit, per, burst, cost, waitMs, ...(key === undefined ? {} : { key }) };
  if (events.active) {
    events.emit({
      type: 'refused',
      name: instanceName,
      policy: 'rateLimit',
      code: 'RATE_LIMITED',
      retryAfterMs,
      details,
    });
  }
  const message = `rate limit ${instanceName} lets ${limit} through in ${per} ms, ${burst} at once: ${why}`;
  return withoutStack(
    () => new RateLimitExceededException({ policy: 'rateLimit', instanceName, message, retryAfterMs, details }),
  );
}
