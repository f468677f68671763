import type { LintRule } from './lint-rule.js';
import { BACKOFF_WITHOUT_JITTER } from './rules/backoff-without-jitter.js';
import { FALLBACK_MISSES_ERROR } from './rules/fallback-misses-error.js';
import { FALLBACK_SAME_BREAKER } from './rules/fallback-same-breaker.js';
import { HEDGE_NEVER_BEGINS } from './rules/hedge-never-begins.js';
import { INNER_TIMEOUT_LONGER } from './rules/inner-timeout-longer.js';
import { NOT_IDEMPOTENT } from './rules/not-idempotent.js';
import { OPTIONS_UNUSED_BY_TRIP } from './rules/options-unused-by-trip.js';
import { PERCENTAGE_AS_SHARE } from './rules/percentage-as-share.js';
import { RETRIES_MULTIPLY } from './rules/retries-multiply.js';
import { RETRIES_OPEN_BREAKER } from './rules/retries-open-breaker.js';
import { RETRIES_PAST_LIMIT } from './rules/retries-past-limit.js';
import { SLOW_CALLS_NEVER } from './rules/slow-calls-never.js';
import { TIMEOUT_IN_SECONDS } from './rules/timeout-in-seconds.js';
import { UNBOUNDED_QUEUE } from './rules/unbounded-queue.js';
import { WAIT_PAST_LIMIT } from './rules/wait-past-limit.js';
import { WAIT_WITHOUT_QUEUE } from './rules/wait-without-queue.js';

/** What is looked for in every plan. */
const RULES = [
  NOT_IDEMPOTENT,
  INNER_TIMEOUT_LONGER,
  RETRIES_PAST_LIMIT,
  RETRIES_MULTIPLY,
  RETRIES_OPEN_BREAKER,
  BACKOFF_WITHOUT_JITTER,
  FALLBACK_SAME_BREAKER,
  FALLBACK_MISSES_ERROR,
  UNBOUNDED_QUEUE,
  WAIT_PAST_LIMIT,
  WAIT_WITHOUT_QUEUE,
  HEDGE_NEVER_BEGINS,
  SLOW_CALLS_NEVER,
  OPTIONS_UNUSED_BY_TRIP,
  PERCENTAGE_AS_SHARE,
  TIMEOUT_IN_SECONDS,
] as const;

/** The name of a thing that is looked for. */
export type LintCode = (typeof RULES)[number]['code'];

export const LINT_RULES: readonly LintRule<LintCode>[] = RULES;

export const LINT_CODES: readonly LintCode[] = RULES.map(({ code }) => code);
