import type { Given, PolicyKind, Step } from '../../kernel/policy-kind.js';
import { AttemptTimeoutPolicy } from './attempt-timeout.policy.js';
import { parseTimeout, resolveTimeout, type TimeoutOptions, type TimeoutSetting } from './timeout.options.js';
import { TotalTimeoutPolicy } from './total-timeout.policy.js';

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
    const { perAttempt, total } = options as { perAttempt?: number; total?: number };
    return place === 'timeout.total'
      ? new TotalTimeoutPolicy(name, total as number, environment)
      : new AttemptTimeoutPolicy(name, perAttempt, environment, lender as 'circuitBreaker' | undefined);
  },
};

/**
 * The limit of an attempt is the method's own, else that of its breaker; `false` anywhere stands. Even without a limit of
 * its own an attempt ends when it is cut from outside.
 */
function steps({ place, resolved, lenient, lent }: Given): Step<Place>[] {
  const declared: TimeoutOptions = resolved?.options ?? {};
  const isAbsent = resolved === undefined || (lenient && isEmpty(declared));
  const own = isAbsent ? {} : resolveTimeout(place, declared);
  const found: Step<Place>[] = [];
  if (typeof own.total === 'number')
    found.push({ place: 'timeout.total', options: { total: own.total }, sources: resolved?.sources ?? {} });
  const isLent = own.perAttempt === undefined;
  const limit = isLent ? lent?.value : own.perAttempt;
  const ms = typeof limit === 'number' ? limit : undefined;
  const source = isLent ? `${lent?.by}.${lent?.option}` : (resolved?.sources.perAttempt ?? '');
  found.push({
    place: 'timeout.perAttempt',
    options: ms === undefined ? {} : { perAttempt: ms },
    sources: { perAttempt: source },
    hidden: ms === undefined,
    attemptLimit: ms,
    lender: isLent ? lent?.by : undefined,
  });
  return found;
}
