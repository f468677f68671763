import { kindOf, POLICY_KEYS } from '../policies/kinds.js';
import type { Resolution } from './resolution.js';

/** A method that is to answer for another one, and the decorator that says so. */
export interface NamedAnswer {
  readonly label: string;
  readonly methodName: string;
}

/** The methods that the policies of a method name, those that would answer first at the front. */
export function namedAnswersIn({ policies }: Resolution): NamedAnswer[] {
  return [...POLICY_KEYS].reverse().flatMap((key) => {
    const policy = policies.get(key);
    const uses = policy === undefined ? [] : (kindOf(key).uses?.inOptions(policy.options) ?? []);
    return uses
      .filter((use): use is string => typeof use === 'string')
      .map((methodName) => ({ label: policy?.label ?? '', methodName }));
  });
}
