import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { isMeant, policyOf } from '../limits.js';
import { optionsUnreadBy } from '../trip-names.js';

/** Options of a breaker that its trip strategy does not ask for: whatever they say, it opens as it did. */
export const OPTIONS_UNUSED_BY_TRIP: LintRule<'options-unused-by-trip'> = {
  code: 'options-unused-by-trip',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const breaker = policyOf(policies, 'circuitBreaker');
    if (breaker === undefined) return undefined;
    const { options, sources } = breaker;
    const trip = { source: sources.trip ?? '' };
    // Whoever sets another strategy while the app runs may want the old options back.
    if (trip.source === 'rule') return undefined;
    const unread = optionsUnreadBy(options.trip).filter((one) => isMeant({ source: sources[one] ?? '' }, trip));
    if (unread.length === 0) return undefined;
    const shown = unread.map((one) => `${one} ${String(options[one])} (${sources[one] ?? ''})`);
    return {
      policy: 'circuitBreaker',
      problem: `${unread.join(' and ')} cannot change when its calls open it, since its trip strategy does not ask for ${unread.length > 1 ? 'them' : 'it'}`,
      expected: 'trip: failureRate(), or anyOf() with it, which reads them; or none of them',
      value: `${shown.join(' and ')} with trip ${String(options.trip)}`,
    };
  },
};
