import { TimeoutException } from '../../errors/timeout.exception.js';
import type { Attempt } from '../../kernel/attempt.js';
import { deadlineQueue } from '../../kernel/deadline-queues.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { TimeLimit } from '../../kernel/time-limit.js';

/**
 * Bounds each attempt of a method by `ms`.
 *
 * @param limitOf whose option it is: few know that their breaker has a limit, so that it is told to operators as well.
 */
export function attemptTimeout(
  name: string,
  ms: number,
  environment: PolicyEnvironment,
  limitOf?: 'circuitBreaker',
): TimeLimit {
  const { clock } = environment;
  const queue = deadlineQueue(environment, ms);
  return new TimeLimit(
    queue,
    (attempt) => expired(attempt, name, ms, environment, limitOf),
    () => clock.now(),
  );
}

function expired(
  attempt: Attempt,
  name: string,
  limitMs: number,
  { events }: PolicyEnvironment,
  limitOf: 'circuitBreaker' | undefined,
): TimeoutException {
  const queued = attempt.startedAt === undefined;
  if (events.active || (limitOf === 'circuitBreaker' && events.hearsChanges)) {
    const whose = limitOf === undefined ? {} : { limitOf };
    const event = { limitMs, scope: 'perAttempt', queued, ...whose } as const;
    events.emitChange({ type: 'timeout', name, policy: 'timeout', ...event }, observationOf(attempt));
  }
  return new TimeoutException({
    policy: 'timeout',
    instanceName: name,
    message: queued
      ? `${name} did not get its turn within ${limitMs} ms`
      : `${name} gave no answer within ${limitMs} ms (attempt ${attempt.attempt})`,
    details: { limitMs, attempt: attempt.attempt, scope: 'perAttempt' },
    queued,
  });
}
