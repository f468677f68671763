import { counter, countOf, talliesOf, type Meter } from './meter.js';

/** What calls came to, and what their policies did about it. */
export const CALL_METERS: readonly Meter[] = [
  counter('bulwark.calls', '{call}', 'Guarded calls, one each, by what the caller got.', ({ counts }) =>
    // From its first call on a name has them all, so that the first failure of a kind is an increase.
    counts.flatMap(([name, { outcomes }]) =>
      Object.entries(outcomes).map(([outcome, value]) => ({ labels: { name, outcome }, value })),
    ),
  ),
  counter(
    'bulwark.refusals',
    '{call}',
    'Attempts that a policy turned away before the method was called.',
    talliesOf('policy', ({ refusals }) => refusals),
  ),
  counter(
    'bulwark.shadow_refusals',
    '{call}',
    'Attempts that a policy with mode metricsOnly would have turned away.',
    talliesOf('policy', ({ shadowRefusals }) => shadowRefusals),
  ),
  counter(
    'bulwark.retries',
    '{attempt}',
    'Attempts that were made again after a failure.',
    countOf(({ retries }) => retries),
  ),
  counter(
    'bulwark.retried_calls',
    '{call}',
    'Calls that were tried again, by what that came to.',
    talliesOf('result', ({ retriedCalls }) => ({ ...retriedCalls })),
  ),
  counter(
    'bulwark.retries_suppressed',
    '{attempt}',
    'Attempts that were not made, by the reason.',
    talliesOf('reason', ({ retriesSuppressed }) => retriesSuppressed),
  ),
  counter(
    'bulwark.hedges',
    '{attempt}',
    'Attempts that were made beside a slow one.',
    countOf(({ hedges }) => hedges),
  ),
  counter(
    'bulwark.timeouts',
    '{timeout}',
    'Time limits that cut an attempt or a whole call.',
    talliesOf('scope', ({ timeouts }) => ({ ...timeouts })),
  ),
  counter(
    'bulwark.fallbacks',
    '{call}',
    'Calls that a fallback answered, by what it stood in for.',
    talliesOf('reason', ({ fallbacks }) => fallbacks),
  ),
  counter(
    'bulwark.circuit_breaker.transitions',
    '{transition}',
    'Changes of state of circuit breakers, those of keys included.',
    talliesOf('to', ({ transitions }) => transitions),
  ),
];
