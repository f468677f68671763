import type { Options } from '../kernel/options/options.js';
import { withMade } from '../kernel/options/data-forms.js';
import type { PolicyKind } from '../kernel/policy-kind.js';
import { ADAPTIVE_THROTTLE } from './adaptive-throttle/adaptive-throttle.kind.js';
import { BULKHEAD } from './bulkhead/bulkhead.kind.js';
import { CIRCUIT_BREAKER } from './circuit-breaker/circuit-breaker.kind.js';
import { COALESCE } from './coalesce/coalesce.kind.js';
import { FALLBACK } from './fallback/fallback.kind.js';
import { HEDGE } from './hedge/hedge.kind.js';
import { RATE_LIMIT } from './rate-limit/rate-limit.kind.js';
import { RECOVER } from './recover/recover.kind.js';
import { RETRY } from './retry/retry.kind.js';
import { TIMEOUT } from './timeout/timeout.kind.js';

/** Every kind of policy that a set can hold, outermost first. All lists of policies derive from this one. */
export const KINDS = [
  RECOVER,
  FALLBACK,
  TIMEOUT,
  COALESCE,
  RETRY,
  HEDGE,
  CIRCUIT_BREAKER,
  ADAPTIVE_THROTTLE,
  RATE_LIMIT,
  BULKHEAD,
] as const;

type Kind = (typeof KINDS)[number];

/** A policy that a set can hold. */
export type SetKey = Kind['key'];

/** A place of a policy in the pipeline. */
export type Place = Kind['places'][number];

/** What a kind says, without the types of its own. */
export type AnyKind = PolicyKind<SetKey, unknown, unknown, Place>;

/** What each policy takes in a set. */
export type PolicySettings = { [K in Kind as K['key']]?: TypesOf<K>['setting'] };

/** What a rule can say of each policy. */
export type PolicyRuleSettings = { [K in Kind as K['key']]?: TypesOf<K>['rule'] };

type TypesOf<K extends Kind> = Exclude<K['types'], undefined>;

/** The policies that a set can hold. */
export const POLICY_KEYS: readonly SetKey[] = KINDS.map(({ key }) => key);

const byKey = new Map<string, AnyKind>((KINDS as readonly AnyKind[]).map((kind) => [kind.key, kind]));

/** Whether `key` names a policy. */
export function isSetKey(key: string): key is SetKey {
  return byKey.has(key);
}

export function kindOf(key: SetKey): AnyKind {
  return byKey.get(key) as AnyKind;
}

/** Whether calls meet in what the policy keeps under a name. */
export function isStateful(key: SetKey): boolean {
  return kindOf(key).state !== undefined;
}

/**
 * Checks a setting in any of its forms, as code and as data, and gives options.
 *
 * @throws ResilienceConfigurationError
 */
export function parsePolicy(key: SetKey, place: string, setting: unknown): Options {
  const kind = kindOf(key);
  return kind.parse(place, withMade(place, kind, setting));
}

/** The method that an answer in a setting names, if it names one. */
export function methodNamedIn(key: SetKey, setting: unknown): string | undefined {
  return kindOf(key)
    .uses?.inSetting(setting)
    .find((use): use is string => typeof use === 'string');
}
