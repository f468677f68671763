import { adaptive } from '../../kernel/adaptive-limit/adaptive.options.js';
import type { ConcurrencyRule } from '../../kernel/adaptive-limit/concurrency-rule.js';
import { Loss } from '../../kernel/loss.js';
import { byOptions } from '../../kernel/options/data-forms.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import type { StateKind } from '../../kernel/state-kind.js';
import {
  BULKHEAD_DEFAULTS,
  DEFAULT_BULKHEAD_KEYS,
  parseBulkhead,
  type BulkheadOptions,
  type BulkheadSetting,
  type ResolvedBulkhead,
} from './bulkhead.options.js';
import { BulkheadGuard } from './bulkhead.guard.js';
import type { Bulkheads } from './bulkheads.js';
import { KeyedBulkheadGuard } from './keyed-bulkhead.guard.js';

/** What a rule can say of it. */
export type BulkheadRule =
  | number
  | (Omit<BulkheadOptions, 'priority' | 'key' | 'scope' | 'maxConcurrent'> & { maxConcurrent?: ConcurrencyRule })
  | false;

export const BULKHEADS: StateKind<Bulkheads> = {
  what: 'bulkhead',
  create: (name, given, environment) => {
    const options = given as unknown as ResolvedBulkhead;
    const Made = options.key === undefined ? BulkheadGuard : KeyedBulkheadGuard;
    return new Made(name, options, environment);
  },
  lossWith: ({ active, waiting }) => (active + waiting > 0 ? Loss.Work : Loss.Nothing),
};

export const BULKHEAD: PolicyKind<'bulkhead', BulkheadSetting | string | false, BulkheadRule> = {
  key: 'bulkhead',
  places: ['bulkhead'],
  parse: (place, setting) => ({ ...parseBulkhead(place, setting) }),
  defaults: BULKHEAD_DEFAULTS,
  resolve: (_, options) => (options.key === undefined ? options : { maxKeys: DEFAULT_BULKHEAD_KEYS, ...options }),
  derived: { maxKeys: 'key' },
  dataForms: { maxConcurrent: { forms: { adaptive: byOptions(adaptive) } } },
  shortFor: 'maxConcurrent',
  codeOnly: ['priority', 'key', 'scope'],
  state: BULKHEADS,
  make: (_, making) => ({ guard: making.state(BULKHEADS) }),
};
