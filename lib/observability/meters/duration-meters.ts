import type { CallCounts } from '../../read-model/call-counts.js';
import type { DurationCounts } from '../../read-model/duration-counts.js';
import type { DurationMeter } from './meter.js';
import { snakeCase } from './snake-case.js';

// The unit is part of the name: not every exporter for Prometheus adds it, and none that does adds it twice.

function byOutcome(
  name: string,
  help: string,
  pick: (counts: CallCounts) => Readonly<Record<'success' | 'failure', DurationCounts>>,
): DurationMeter {
  return {
    name,
    help,
    unit: 's',
    bucketed: true,
    read: ({ counts }) =>
      counts.flatMap(([name, of]) =>
        Object.entries(pick(of))
          .filter(([, { count }]) => count > 0)
          .map(([outcome, durations]) => ({ labels: { name, outcome }, counts: durations })),
      ),
  };
}

export const CALL_DURATION = byOutcome(
  'bulwark.call.duration.seconds',
  'How long calls took, waits and retries included; successes and failures only.',
  ({ callDurations }) => callDurations,
);

export const ATTEMPT_DURATION = byOutcome(
  'bulwark.attempt.duration.seconds',
  'How long the method took for an attempt; successes and failures only.',
  ({ attemptDurations }) => attemptDurations,
);

export const WAIT_DURATION: DurationMeter = {
  name: 'bulwark.wait.duration.seconds',
  help: 'How long attempts waited for their turn in a bulkhead or a rate limit.',
  unit: 's',
  bucketed: false,
  read: ({ counts }) =>
    counts.flatMap(([name, { waits }]) =>
      Object.entries(waits).map(([policy, sum]) => ({ labels: { name, policy: snakeCase(policy) }, counts: sum })),
    ),
};

export const DURATION_METERS: readonly DurationMeter[] = [CALL_DURATION, ATTEMPT_DURATION, WAIT_DURATION];
