import type { PlannedPolicy } from '../../pipeline/plan-init.js';
import { kindOf } from '../../policies/kinds.js';

/** The methods that a policy names to answer in its place. */
export function methodsNamedBy({ policy, options }: PlannedPolicy): string[] {
  const uses = kindOf(policy).uses?.inOptions(options) ?? [];
  return uses.filter((use): use is string => typeof use === 'string');
}
