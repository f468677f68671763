import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { Options } from '../../kernel/options/options.js';
import { usesIn } from '../../kernel/options/uses.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import { parseFallback, type DeclaredFallback, type FallbackSetting } from './fallback.options.js';
import { FallbackDecision } from './fallback.decision.js';
import { LastGood } from './last-good.js';
import { OnlyItems } from './only-items.js';

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
  uses: {
    inSetting: usesIn,
    inOptions: (options) => (fallbacksIn(options) ?? []).map(({ use }) => use),
    always: (options) => [fallbacksIn(options)?.find(answersAlways)?.use],
  },
  codeOnly: ['use', 'lastGood', 'on', 'skipOn'],
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
    const { parameterCount, kind } = target;
    if (remembersLastGood(options) && (kind === 'asyncIterable' || kind === 'sync')) {
      const expected = "option 'lastGood': expected a method that gives a promise, or an Observable with one item";
      throw new ResilienceConfigurationError(
        `${target.instanceName}, fallback`,
        `${expected}, got one of kind '${kind}'`,
      );
    }
    const remembered = fallbacks.map(({ lastGood }, index) => {
      const place = `${target.instanceName}${index === 0 ? '' : ` [${index}]`}`;
      return lastGood === undefined ? undefined : new LastGood(place, lastGood, environment);
    });
    const items = kind === 'observable' ? new OnlyItems(() => tellOfMany(target.instanceName, environment)) : undefined;
    return { decision: new FallbackDecision(name, fallbacks, parameterCount, environment, witness, remembered, items) };
  },
};

/** An old answer may not be there. */
function answersAlways({ on, skipOn, lastGood }: DeclaredFallback): boolean {
  return on === undefined && skipOn === undefined && lastGood === undefined;
}

/** Whether an answer may be an old one. */
export function remembersLastGood(options: Options): boolean {
  return fallbacksIn(options)?.some(({ lastGood }) => lastGood !== undefined) === true;
}

function tellOfMany(instanceName: string, environment: PolicyEnvironment): void {
  const problem = 'expected an Observable with one item, got more: of such streams nothing is remembered';
  environment.reportCallback(`${instanceName}, lastGood`, new Error(problem));
}
