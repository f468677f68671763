import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { Options } from '../../kernel/options/options.js';
import { usesIn } from '../../kernel/options/uses.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import { parseFallback, type DeclaredFallback, type FallbackSetting } from './fallback.options.js';
import { FallbackDecision } from './fallback.decision.js';

/** What a rule can say of it: a value, since handlers are code. */
export type FallbackRule = { value: unknown } | false;

const fallbacksIn = ({ fallbacks }: Options): readonly DeclaredFallback[] | undefined =>
  fallbacks as readonly DeclaredFallback[] | undefined;

export const FALLBACK: PolicyKind<'fallback', FallbackSetting<unknown, never> | false, FallbackRule> = {
  key: 'fallback',
  places: ['fallback'],
  parse: (place, setting) => ({ fallbacks: parseFallback(place, setting) }),
  defaults: {},
  nameable: false,
  uses: { inSetting: usesIn, inOptions: (options) => (fallbacksIn(options) ?? []).map(({ use }) => use) },
  codeOnly: ['use', 'on', 'skipOn'],
  shortRule: { expected: '{ value }, or false', accepts: () => false },
  underKillSwitch: 'works',
  resolve: (place, options) => {
    if (fallbacksIn(options) !== undefined) return options;
    throw new ResilienceConfigurationError(
      place,
      'a fallback has no built-in value: expected one here, or in policies.default.fallback; got undefined',
    );
  },
  make: ({ name, options }, { target, environment, witness }) => {
    const fallbacks = fallbacksIn(options) ?? [];
    return { decision: new FallbackDecision(name, fallbacks, target.parameterCount, environment, witness) };
  },
};
