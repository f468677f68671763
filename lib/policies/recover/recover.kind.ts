import { usesIn } from '../../kernel/options/uses.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import { parseRecover, type RecoverSetting } from './recover.options.js';
import { RecoverDecision } from './recover.decision.js';

/** What a rule can say of it: no handler, since that is code. */
export type RecoverRule = true | { value?: unknown; log?: boolean } | false;

export const RECOVER: PolicyKind<'recover', RecoverSetting<unknown, never> | false, RecoverRule> = {
  key: 'recover',
  places: ['recover'],
  parse: (place, setting) => ({ ...parseRecover(place, setting) }),
  defaults: {},
  alternatives: ['use', 'value'],
  nameable: false,
  uses: { inSetting: usesIn, inOptions: ({ use }) => [use], always: ({ use, on }) => (on === undefined ? [use] : []) },
  codeOnly: ['use', 'on'],
  shortRule: { expected: 'true, { value, log }, or false', accepts: (setting) => setting === true },
  underKillSwitch: 'works',
  make: ({ name, options }, { target, environment }) => ({
    decision: new RecoverDecision(name, options, target, environment),
  }),
};
