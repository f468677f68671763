import type { Options } from '../kernel/options/options.js';
import { kindOf, POLICY_KEYS, type SetKey } from '../policies/kinds.js';
import type { Resolution } from './resolution.js';

/** A method that is to answer for another one, and the decorator that says so. */
export interface NamedAnswer {
  readonly label: string;
  readonly methodName: string;
}

/** The methods that the policies of a method name, those that would answer first at the front. */
export function namedAnswersIn(resolution: Resolution): NamedAnswer[] {
  return answersIn(resolution, (key, options) => kindOf(key).uses?.inOptions(options));
}

/** Those of them that answer whatever the error is. */
export function sureAnswersIn(resolution: Resolution): NamedAnswer[] {
  return answersIn(resolution, (key, options) => kindOf(key).uses?.always(options));
}

function answersIn(
  { policies }: Resolution,
  usesOf: (key: SetKey, options: Options) => readonly unknown[] | undefined,
): NamedAnswer[] {
  return [...POLICY_KEYS].reverse().flatMap((key) => {
    const policy = policies.get(key);
    const uses = policy === undefined ? [] : (usesOf(key, policy.options) ?? []);
    return uses
      .filter((use): use is string => typeof use === 'string')
      .map((methodName) => ({ label: policy?.label ?? '', methodName }));
  });
}
