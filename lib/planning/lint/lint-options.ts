import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { checkOptions, isPlainObject, show, type Expectation } from '../../kernel/options/check.js';
import type { Limit } from './limits.js';
import { LINT_CODES, type LintCode } from './lint-rules.js';

/** Which of the warnings at start are not wanted. */
export interface LintOptions {
  /** The codes of docs/lint.md that are not looked for. @default none */
  off?: readonly LintCode[];
}

/** What is looked for, and what is known of callers. */
export interface LintSettings {
  readonly off: ReadonlySet<LintCode>;
  /** The most time that a caller can give. */
  readonly caller: Limit | undefined;
}

export const LINT_ALL: LintSettings = { off: new Set(), caller: undefined };

const codes: Expectation = {
  expected: `a list of: ${LINT_CODES.join(', ')}`,
  accepts: (value) => Array.isArray(value) && value.every((one) => LINT_CODES.includes(one as LintCode)),
};

/** @throws ResilienceConfigurationError */
export function resolveLint(place: string, lint: unknown = {}): ReadonlySet<LintCode> {
  if (lint === false) return new Set(LINT_CODES);
  if (!isPlainObject(lint))
    throw new ResilienceConfigurationError(place, `expected false, or { off }, got ${show(lint)}`);
  checkOptions<LintOptions>(place, lint, { off: codes });
  return new Set((lint as LintOptions).off);
}
