import type { Given, PolicyKind, Step } from '../../kernel/policy-kind.js';
import { attemptTimeout } from './attempt-timeout.guard.js';
import { parseTimeout, resolveTimeout, type TimeoutOptions, type TimeoutSetting } from './timeout.options.js';
import { TotalTimeoutDecision } from './total-timeout.decision.js';

type Place = 'timeout.total' | 'timeout.perAttempt';
type InSet = TimeoutSetting | false;

const isEmpty = ({ perAttempt, total }: TimeoutOptions): boolean => perAttempt === undefined && total === undefined;

export const TIMEOUT: PolicyKind<'timeout', InSet, InSet, Place> = {
  key: 'timeout',
  places: ['timeout.total', 'timeout.perAttempt'],
  parse: (place, setting) => ({ ...parseTimeout(place, setting) }),
  defaults: {},
  codeOnly: [],
  isEmpty,
  steps,
  describe: (options) =>
    ` ${Object.entries(options)
      .map(([key, ms]) => `${key} ${String(ms)} ms`)
      .join(', ')}`,
  make: ({ place, name, options, lender }, { environment }) => {
    const { perAttempt, total } = options as { perAttempt: number; total: number };
    return place === 'timeout.total'
      ? { decision: new TotalTimeoutDecision(name, total, environment) }
      : { guard: attemptTimeout(name, perAttempt, environment, lender as 'circuitBreaker' | undefined) };
  },
};

/** The limit of an attempt is the method's own, else that of its breaker; `false` anywhere stands. */
function steps({ place, resolved, lenient, lent }: Given): Step<Place>[] {
  const declared: TimeoutOptions = resolved?.options ?? {};
  const isAbsent = resolved === undefined || (lenient && isEmpty(declared));
  const own = isAbsent ? {} : resolveTimeout(place, declared);
  const found: Step<Place>[] = [];
  if (typeof own.total === 'number')
    found.push({ place: 'timeout.total', options: { total: own.total }, sources: resolved?.sources ?? {} });
  const isLent = own.perAttempt === undefined;
  const limit = isLent ? lent?.value : own.perAttempt;
  if (typeof limit !== 'number') return found;
  const source = isLent ? `${lent?.by}.${lent?.option}` : (resolved?.sources.perAttempt ?? '');
  found.push({
    place: 'timeout.perAttempt',
    options: { perAttempt: limit },
    sources: { perAttempt: source },
    attemptLimit: limit,
    lender: isLent ? lent?.by : undefined,
  });
  return found;
}
