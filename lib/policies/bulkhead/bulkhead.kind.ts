import { adaptive } from '../../kernel/adaptive-limit/adaptive.options.js';
import type { ConcurrencyRule } from '../../kernel/adaptive-limit/concurrency-rule.js';
import { Loss } from '../../kernel/loss.js';
import { byOptions } from '../../kernel/options/data-forms.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import type { StateKind } from '../../kernel/state-kind.js';
import {
  BULKHEAD_DEFAULTS,
  parseBulkhead,
  type BulkheadOptions,
  type BulkheadSetting,
  type ResolvedBulkhead,
} from './bulkhead.options.js';
import { BulkheadGuard } from './bulkhead.guard.js';

/** What a rule can say of it. */
export type BulkheadRule =
  | number
  | (Omit<BulkheadOptions, 'priority' | 'scope' | 'maxConcurrent'> & { maxConcurrent?: ConcurrencyRule })
  | false;

export const BULKHEADS: StateKind<BulkheadGuard> = {
  what: 'bulkhead',
  create: (name, options, environment) => new BulkheadGuard(name, options as unknown as ResolvedBulkhead, environment),
  lossWith: ({ active, waiting }) => (active + waiting > 0 ? Loss.Work : Loss.Nothing),
};

export const BULKHEAD: PolicyKind<'bulkhead', BulkheadSetting | string | false, BulkheadRule> = {
  key: 'bulkhead',
  places: ['bulkhead'],
  parse: (place, setting) => ({ ...parseBulkhead(place, setting) }),
  defaults: BULKHEAD_DEFAULTS,
  dataForms: { maxConcurrent: { forms: { adaptive: byOptions(adaptive) } } },
  shortFor: 'maxConcurrent',
  codeOnly: ['priority', 'scope'],
  state: BULKHEADS,
  make: (_, making) => ({ guard: making.state(BULKHEADS) }),
};
