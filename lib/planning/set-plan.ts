import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { nothingDeclared } from '../guarded/guarded-method.js';
import type { Plan } from '../pipeline/plan.js';
import { isPlainObject, show } from '../kernel/options/check.js';
import { isStateful, kindOf, POLICY_KEYS } from '../policies/kinds.js';
import type { PolicySet } from '../policies/policy-set.js';
import type { Planner } from './planner.js';
import type { Resolution } from './resolution.js';
import type { Target } from './target.js';

const PLACE = 'ResilienceService.execute';

/**
 * The plan of a set for `execute()`, whose body comes with each call.
 *
 * @param sharing what it shares with other sets, where nobody knows how many there will be.
 * @throws ResilienceConfigurationError
 */
export function makeSetPlan(
  planner: Planner,
  set: string | PolicySet,
  sharing: Pick<Target, 'budgets' | 'deadlines'> = {},
): Plan {
  const given: unknown = set;
  if (typeof given !== 'string' && !isPlainObject(given)) {
    throw new ResilienceConfigurationError(PLACE, `expected the name of a policy set, or a set, got ${show(given)}`);
  }
  if (typeof set !== 'string' && set.name === undefined) refuseNamelessState(set);
  const name = typeof set === 'string' ? set : (set.name ?? 'execute');
  return planner.planFor(
    {
      className: '',
      methodName: name,
      instanceName: name,
      ...sharing,
      kind: 'promise',
      parameterCount: 0,
      signalIndex: -1,
      http: false,
      answersRefusals: true,
      body: (attempt) => attempt.origin?.body?.(attempt),
    },
    [{ ...nothingDeclared(), resilient: { label: PLACE, set } }],
    (resolution) => {
      refuseSharedRuns(resolution);
      return resolution;
    },
  );
}

/** One plan serves all calls of a set, and each brings work of its own: it would be given what another's gave. */
function refuseSharedRuns({ policies }: Resolution): void {
  for (const { key, label } of policies.values()) {
    const { methodsOnly } = kindOf(key);
    if (methodsOnly !== undefined) throw new ResilienceConfigurationError(`${PLACE}, ${label}`, methodsOnly);
  }
}

/** Without a name nobody could tell which calls meet in the same breaker. */
function refuseNamelessState(set: PolicySet): void {
  for (const key of POLICY_KEYS.filter(isStateful)) {
    const setting = set[key];
    if (setting === undefined || setting === false || typeof setting === 'string') continue;
    throw new ResilienceConfigurationError(PLACE, `a set with a ${key} keeps state: expected a 'name' in it, got none`);
  }
}
