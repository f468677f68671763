import type { SetKey } from '../../policies/kinds.js';
import type { LintSubject } from './lint-rule.js';
import { LINT_RULES, type LintCode } from './lint-rules.js';

/**
 * Something about a plan that is legal but wrong.
 *
 * @publicApi
 */
export interface PlanWarning {
  /** What was looked for: docs/lint.md says why, and what to do. */
  readonly code: LintCode;
  readonly policy: SetKey;
  /** What stands there. */
  readonly value: string;
  readonly expected: string;
  /** All of it, with the place and what silences it. */
  readonly text: string;
}

/** Looks at one plan. */
export function lintPlan(subject: LintSubject, off: ReadonlySet<LintCode>): PlanWarning[] {
  return LINT_RULES.filter(({ code }) => !off.has(code)).flatMap(({ code, silence, look }) => {
    const found = look(subject);
    if (found === undefined) return [];
    const { policy, problem, expected, value } = found;
    const silencers = [
      ...(silence === undefined ? [] : [silence]),
      `forRoot({ lint: { off: ['${code}'] } }) silences this`,
    ];
    const text = `${subject.place}, ${policy}: ${problem}: expected ${expected}; got ${value} (${code}; ${silencers.join('; ')})`;
    return [{ code, policy, value, expected, text }];
  });
}
