import { BACKOFF_FORMS } from '../../kernel/backoff/backoff-forms.js';
import type { BackoffRule } from '../../kernel/backoff/backoff-rule.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import {
  parseRetry,
  RETRY_DEFAULTS,
  type ResolvedRetry,
  type RetryOptions,
  type RetrySetting,
} from './retry.options.js';
import { RetryDecision } from './retry.decision.js';

/** What a rule can say of it. */
export type RetryRule =
  | number
  | (Omit<RetryOptions, 'retryOn' | 'abortOn' | 'answerOn' | 'retryOnResult' | 'backoff'> & { backoff?: BackoffRule })
  | false;

export const RETRY: PolicyKind<'retry', RetrySetting | false, RetryRule> = {
  key: 'retry',
  places: ['retry'],
  parse: (place, setting) => ({ ...parseRetry(place, setting) }),
  defaults: RETRY_DEFAULTS,
  dataForms: { backoff: { forms: BACKOFF_FORMS } },
  codeOnly: ['retryOn', 'abortOn', 'answerOn', 'retryOnResult'],
  budget: 'takes',
  repeats: true,
  make: ({ name, options }, making) => ({
    decision: new RetryDecision(name, options as unknown as ResolvedRetry, making.environment, making.budget().budget),
  }),
};
