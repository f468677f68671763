import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { isPlainObject, show } from '../../policies/options/check.js';
import { POLICY_KEYS, STATEFUL, type PolicySet, type Returns, type SetKey } from '../../policies/policy-set.js';
import { KINDS, type Options } from './policy-parsers.js';

/** A checked setting of one policy in a set: options, the name of an instance, or off. */
export type SetEntry = { readonly options: Options; readonly name?: string } | false;

/** A checked policy set. */
export interface CheckedSet {
  readonly name: string | undefined;
  readonly returns: Returns | undefined;
  readonly entries: ReadonlyMap<SetKey, SetEntry>;
}

const RETURNS = ['promise', 'observable', 'asyncIterable'];

/** @throws ResilienceConfigurationError */
export function checkSet(place: string, set: unknown): CheckedSet {
  if (!isPlainObject(set)) throw new ResilienceConfigurationError(place, `expected a policy set, got ${show(set)}`);
  const { name, returns, ...policies } = set as PolicySet;
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new ResilienceConfigurationError(place, `option 'name': expected a non-empty string, got ${show(name)}`);
  }
  if (returns !== undefined && !RETURNS.includes(returns)) {
    throw new ResilienceConfigurationError(
      place,
      `option 'returns': expected one of ${RETURNS.join(', ')}, got ${show(returns)}`,
    );
  }
  const entries = new Map<SetKey, SetEntry>();
  for (const [key, setting] of Object.entries(policies)) {
    if (!isSetKey(key)) {
      const known = ['name', 'returns', ...POLICY_KEYS].join(', ');
      throw new ResilienceConfigurationError(
        place,
        `unknown policy '${key}' (got ${show(setting)}); expected one of: ${known}`,
      );
    }
    if (setting !== undefined) entries.set(key, checkEntry(`${place}.${key}`, key, setting));
  }
  return { name, returns, entries };
}

function checkEntry(place: string, key: SetKey, setting: unknown): SetEntry {
  if (setting === false) return false;
  if (STATEFUL.has(key) && typeof setting === 'string' && setting !== '') {
    return { options: {}, name: setting };
  }
  refuseMethodNames(place, key, setting);
  return { options: KINDS[key].parse(place, setting) };
}

/** A set belongs to no class, so a method's name means nothing in it. */
function refuseMethodNames(place: string, key: SetKey, setting: unknown): void {
  const name = methodNamedIn(key, setting);
  if (name !== undefined) throw new ResilienceConfigurationError(place, notANameHere(name));
}

/** The method that a fallback or a recovery names, if it names one. */
export function methodNamedIn(key: SetKey, setting: unknown): string | undefined {
  if (key !== 'fallback' && key !== 'recover') return undefined;
  const uses = (Array.isArray(setting) ? (setting as unknown[]) : [setting]).map((one) =>
    isPlainObject(one) ? one.use : one,
  );
  return uses.find((use): use is string => typeof use === 'string');
}

export function notANameHere(name: string): string {
  return `expected a handler or a value, got the method name '${name}': only a method's own decorator can name a method`;
}

function isSetKey(key: string): key is SetKey {
  return (POLICY_KEYS as readonly string[]).includes(key);
}

/** The policy sets of an app, by name. */
export class PolicySets {
  readonly #sets = new Map<string, CheckedSet>();
  readonly #sources = new Map<string, unknown>();

  /** @throws ResilienceConfigurationError when a set is wrong, or its name has another definition already. */
  add(place: string, policies: Readonly<Record<string, PolicySet>>): void {
    if (!isPlainObject(policies))
      throw new ResilienceConfigurationError(place, `expected an object of policy sets, got ${show(policies)}`);
    for (const [name, set] of Object.entries(policies)) {
      const known = this.#sources.get(name);
      if (known !== undefined && known !== set) {
        throw new ResilienceConfigurationError(
          `${place}.${name}`,
          `the name '${name}' has another definition already; expected one definition for each name`,
        );
      }
      const checked = checkSet(`${place}.${name}`, set);
      if (checked.name !== undefined && checked.name !== name) {
        throw new ResilienceConfigurationError(
          `${place}.${name}`,
          `option 'name': expected nothing or '${name}', got '${checked.name}'`,
        );
      }
      this.#sources.set(name, set);
      this.#sets.set(name, checked);
    }
  }

  get(name: string): CheckedSet | undefined {
    return this.#sets.get(name);
  }

  names(): string[] {
    return [...this.#sets.keys()].filter((name) => name !== 'default');
  }
}
