import { BACKOFF_FORMS } from '../../kernel/backoff/backoff-forms.js';
import type { BackoffRule } from '../../kernel/backoff/backoff-rule.js';
import { Loss } from '../../kernel/loss.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import type { Rule, Ruling } from '../../kernel/ruling.js';
import type { StateKind } from '../../kernel/state-kind.js';
import type { BreakerCore } from './breaker-core.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  parseCircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitBreakerSetting,
  type ResolvedCircuitBreaker,
} from './circuit-breaker.options.js';
import { CircuitBreakerGuard } from './circuit-breaker.guard.js';
import { ForcedOnlyGuard } from './forced-only.guard.js';
import { NamedBreakers } from './named-breakers.js';
import { TRIP_FORMS } from './trip/trip-forms.js';
import type { TripRule } from './trip/trip-rule.js';

type CodeOnly = 'errorFilter' | 'answerOn' | 'isFailure' | 'key' | 'group' | 'scope';
/** What a rule can say of it. */
export type CircuitBreakerRule =
  | true
  | (Omit<CircuitBreakerOptions, CodeOnly | 'trip' | 'resetTimeout'> & {
      trip?: TripRule;
      resetTimeout?: number | BackoffRule;
    })
  | false;

export const CIRCUIT_BREAKERS: StateKind<NamedBreakers> = {
  what: 'circuit breaker',
  create: (name, options, environment, ruling) =>
    new NamedBreakers(name, options as unknown as ResolvedCircuitBreaker, environment, ruling?.word),
  // What rules say of `enabled` is no option: it is their word in the order of control.
  optionsOf: (options, ruling) => ({ ...options, enabled: ruling?.enabled ?? options.enabled }),
  follow: (known, wanted) => known.say('rule', wanted.wordOf('rule')),
  lossWith: (breakers, now) => Math.max(...breakers.cores().map((core) => lossWithCore(core, now))),
  retire: (breakers) => breakers.retire(),
};

export const CIRCUIT_BREAKER: PolicyKind<'circuitBreaker', CircuitBreakerSetting | string | false, CircuitBreakerRule> =
  {
    key: 'circuitBreaker',
    places: ['circuitBreaker'],
    parse: (place, setting) => ({ ...parseCircuitBreaker(place, setting) }),
    defaults: CIRCUIT_BREAKER_DEFAULTS,
    dataForms: { trip: { forms: TRIP_FORMS, madeOnly: true }, resetTimeout: { forms: BACKOFF_FORMS } },
    // Functions, whom state belongs to, and the name by which opossum's tools know a breaker.
    codeOnly: ['errorFilter', 'answerOn', 'isFailure', 'key', 'group', 'scope'],
    ruling: rulingOf,
    state: CIRCUIT_BREAKERS,
    judges: true,
    budget: 'names',
    underKillSwitch: 'kept',
    lends: { option: 'timeout', to: 'timeout' },
    make: ({ ruling }, making) => {
      const breakers = making.state(CIRCUIT_BREAKERS);
      if (ruling?.passesBy !== true)
        return { guard: new CircuitBreakerGuard(breakers), judge: breakers, witness: breakers };
      const guard = new ForcedOnlyGuard(breakers);
      return { guard, judge: guard };
    },
  };

/** @param enabled what code and configuration say of `enabled`. */
function rulingOf(
  name: string | undefined,
  ofName: Rule | undefined,
  ofMethod: Rule | undefined,
  enabled: boolean,
): Ruling {
  const passesBy = name !== undefined && ofMethod?.options === false;
  return { word: wordOf(name === undefined ? ofMethod : ofName), passesBy, enabled };
}

function wordOf(rule: Rule | undefined): Ruling['word'] {
  if (rule === undefined) return undefined;
  const { path, options } = rule;
  const enabled = options === false ? false : options.enabled;
  if (enabled === undefined) return undefined;
  return enabled === false
    ? { state: 'disabled', reason: `disabled by the rule ${path}` }
    : { state: 'normal', reason: `enabled by the rule ${path}` };
}

function lossWithCore(core: BreakerCore, now: number): Loss {
  if (core.inFlight > 0 || core.wordOf('operator') !== undefined || core.wordOf('command') !== undefined)
    return Loss.Work;
  const { state } = core.machine.ownAt(now);
  return state === 'closed' || state === 'halfOpen' ? Loss.Nothing : Loss.Memory;
}
