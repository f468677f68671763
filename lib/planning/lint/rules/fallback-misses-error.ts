import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { methodsNamedBy } from '../named-methods.js';

/** A method that is to answer has its error where an argument of the call comes: the compiler takes that for a fit. */
export const FALLBACK_MISSES_ERROR: LintRule<'fallback-misses-error'> = {
  code: 'fallback-misses-error',
  look: (subject: LintSubject): Finding | undefined => {
    for (const planned of subject.policies) {
      for (const use of methodsNamedBy(planned)) {
        const own = subject.parameters();
        const given = subject.parametersOf(use);
        const at = own === undefined || given === undefined ? -1 : misplaced(given, own);
        if (own === undefined || given === undefined || at < 0 || given.length > own.length) continue;
        return {
          policy: planned.policy,
          problem: `'${use}' gets the error after the parameters of the method, and as '${given[at]}' parameter ${at + 1} of them`,
          expected: `the error as parameter ${own.length + 1} of '${use}'`,
          value: `${use}(${given.join(', ')})`,
        };
      }
    }
    return undefined;
  },
};

/** Names that hardly anything but an error has; an `e` may be an event, `onError` a listener, and a `reason` somebody's. */
const ERROR = /^_*(?:err|error|exception)_*$/;
/** Names that an argument has which is about an error. */
const OF_ERRORS = /err|exception|cause|problem|reason/i;

function misplaced(given: readonly string[], own: readonly string[]): number {
  return given.findIndex((name, at) => at < own.length && ERROR.test(name) && !OF_ERRORS.test(own[at] as string));
}
