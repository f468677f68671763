import type { PolicyKind } from '../../kernel/policy-kind.js';
import {
  COALESCE_DEFAULTS,
  parseCoalesce,
  resolveCoalesce,
  type CoalesceOptions,
  type CoalesceSetting,
  type ResolvedCoalesce,
} from './coalesce.options.js';
import { Coalescing } from './coalescing.js';

/** What a rule can say of it: the key is code. */
export type CoalesceRule = { scope?: 'instance' | 'class' } | false;

export const COALESCE: PolicyKind<'coalesce', CoalesceSetting | false, CoalesceRule> = {
  key: 'coalesce',
  places: ['coalesce'],
  parse: (place, setting) => ({ ...parseCoalesce(place, setting) }),
  defaults: COALESCE_DEFAULTS,
  codeOnly: ['key'],
  refusesStreams: 'a single flight',
  methodsOnly:
    "'coalesce' expects a method, whose calls all do the same work; each call of execute() brings work of its own, and would get the answer of another's: expected coalesce: false or none, got one",
  isEmpty: ({ key }) => key === undefined,
  resolve: (place, options) => ({ ...resolveCoalesce(place, options as CoalesceOptions) }),
  // Methods that name one set give different answers: each has flights of its own.
  make: ({ name, options }, { environment }) => ({
    junction: new Coalescing(name, options as unknown as ResolvedCoalesce, environment),
  }),
};
