import type { PlannedPolicy } from '../../pipeline/plan-init.js';
import type { SetKey } from '../../policies/kinds.js';

/** A limit in time, and who said it. */
export interface Limit {
  readonly ms: number;
  /** As people know it: `perAttempt`. */
  readonly option: string;
  readonly source: string;
}

/** The limits of one pipeline. */
export interface Limits {
  readonly perAttempt: Limit | undefined;
  readonly total: Limit | undefined;
}

type Policies = readonly PlannedPolicy[];

/** The policy of a kind, where it is at work: one that is off, or only counts, refuses and repeats nothing. */
export function policyOf(policies: Policies, key: SetKey): PlannedPolicy | undefined {
  const found = allOf(policies, key)[0];
  return found?.options.enabled === false || found?.options.mode === 'metricsOnly' ? undefined : found;
}

export function limitsOf(policies: Policies): Limits {
  const lender = allOf(policies, 'circuitBreaker')[0];
  const find = (option: string): Limit | undefined => {
    for (const { options, sources } of allOf(policies, 'timeout')) {
      const ms = options[option];
      if (typeof ms !== 'number') continue;
      // One that a breaker has lent is said where the breaker's is.
      const source = sources[option] === 'circuitBreaker.timeout' ? lender?.sources.timeout : sources[option];
      return { ms, option, source: source ?? '' };
    }
    return undefined;
  };
  return { perAttempt: find('perAttempt'), total: find('total') };
}

function allOf(policies: Policies, key: SetKey): PlannedPolicy[] {
  return policies.filter(({ policy }) => policy === key);
}

/** The shortest of some limits. */
export function shortestOf(limits: readonly (Limit | undefined)[]): Limit | undefined {
  return limits.reduce(
    (least, limit) => (limit !== undefined && !(limit.ms >= (least?.ms ?? Infinity)) ? limit : least),
    undefined,
  );
}

/** What ends a call that runs inside other pipelines. */
export function outerLimitOf(around: readonly Policies[]): Limit | undefined {
  const limits = around.map((policies) => {
    const { perAttempt, total } = limitsOf(policies);
    return shortestOf([perAttempt, total]);
  });
  const least = shortestOf(limits);
  return least === undefined ? undefined : { ...least, option: `${least.option} of the interceptor before it` };
}

/**
 * Whether two values contradict each other. What is built in, and what `policies.default` says for all, is there to be
 * narrowed at one place.
 */
export function isMeant(value: Pick<Limit, 'source'>, other: Pick<Limit, 'source'>): boolean {
  const general = value.source === 'built-in' || value.source === 'policies.default';
  return !general || value.source === other.source;
}

/** A limit as people read it. */
export function showLimit({ ms, option, source }: Limit): string {
  return source === '' ? `${option} ${ms} ms` : `${option} ${ms} ms (${source})`;
}
