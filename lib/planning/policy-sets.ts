import { oneOfThese } from '../errors/near-miss.js';
import { Mistakes, ResilienceConfigurationError } from '../errors/configuration.error.js';
import { aName, entriesOf, expectedOf, isPlainObject, refuseInherited, show } from '../kernel/options/check.js';
import type { Returns } from '../kernel/method-kind.js';
import type { Options } from '../kernel/options/options.js';
import { isSetKey, isStateful, methodNamedIn, parsePolicy, POLICY_KEYS, type SetKey } from '../policies/kinds.js';
import type { PolicySet } from '../policies/policy-set.js';

/** A checked setting of one policy in a set: options, the name of an instance, or off. */
export type SetEntry = { readonly options: Options; readonly name?: string } | false;

/** A checked policy set. */
export interface CheckedSet {
  readonly name: string | undefined;
  readonly returns: Returns | undefined;
  readonly entries: ReadonlyMap<SetKey, SetEntry>;
}

const RETURNS = ['promise', 'observable', 'asyncIterable'];

const SCOPES = ['class', 'instance'];

/** @throws ResilienceConfigurationError for everything that is wrong in it. */
export function checkSet(place: string, set: unknown): CheckedSet {
  if (!isPlainObject(set)) throw new ResilienceConfigurationError(place, `expected a policy set, got ${show(set)}`);
  const { name, returns, scope, ...policies } = Object.fromEntries(entriesOf(place, set)) as PolicySet;
  const mistakes = new Mistakes();
  const refuse = (problem: string): void => mistakes.add(new ResilienceConfigurationError(place, problem));
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    refuse(`option 'name': expected a non-empty string, got ${show(name)}`);
  if (returns !== undefined && !RETURNS.includes(returns))
    refuse(`option 'returns': expected one of ${RETURNS.join(', ')}, got ${show(returns)}`);
  if (scope !== undefined && !SCOPES.includes(scope))
    refuse(`option 'scope': expected one of ${SCOPES.join(', ')}, got ${show(scope)}`);
  refuseInherited(place, set, ['name', 'returns', 'scope', ...POLICY_KEYS], mistakes);
  const entries = new Map<SetKey, SetEntry>();
  for (const [key, setting] of Object.entries(policies)) {
    if (!isSetKey(key)) {
      const known = ['name', 'returns', 'scope', ...POLICY_KEYS];
      refuse(`unknown policy '${key}' (got ${show(setting)}); ${oneOfThese(key, known)}`);
    } else if (setting !== undefined)
      mistakes.in(() => entries.set(key, checkEntry(`${place}.${key}`, key, setting, scope)));
  }
  mistakes.throwAny(place);
  return { name, returns, entries };
}

/** @param scope of the set: that of its policies which say nothing themselves. */
function checkEntry(place: string, key: SetKey, setting: unknown, scope: PolicySet['scope']): SetEntry {
  if (setting === false) return false;
  if (isStateful(key) && typeof setting === 'string' && setting !== '') {
    if (isNumberAsText(key, setting)) throw new ResilienceConfigurationError(place, numberAsText(setting));
    return { options: {}, name: setting };
  }
  refuseMethodNames(place, key, setting);
  const options = parsePolicy(key, place, setting);
  return { options: isStateful(key) && scope !== undefined ? { scope, ...options } : options };
}

/** A set belongs to no class, so a method's name means nothing in it. */
function refuseMethodNames(place: string, key: SetKey, setting: unknown): void {
  const name = methodNamedIn(key, setting);
  if (name !== undefined) throw new ResilienceConfigurationError(place, notANameHere(name));
}

/** Whether a name looks like the number that sets a policy: it came out of the environment, say. */
export function isNumberAsText(key: SetKey, name: string): boolean {
  return /^\d/.test(name) && takesNumbers(key);
}

function takesNumbers(key: SetKey): boolean {
  try {
    parsePolicy(key, '', 1);
    return true;
  } catch {
    return false;
  }
}

export function numberAsText(name: string): string {
  return `expected a number, got the string '${name}', which would be the name of a policy set`;
}

export function notANameHere(name: string): string {
  return `expected a handler or a value, got the method name '${name}': only a method's own decorator can name a method`;
}

/** The policy sets of an app, by name. */
export class PolicySets {
  readonly #sets = new Map<string, CheckedSet>();
  readonly #sources = new Map<string, unknown>();

  /** @throws ResilienceConfigurationError for each set that is wrong, or whose name has another definition already. */
  add(place: string, policies: Readonly<Record<string, PolicySet>>): void {
    if (!isPlainObject(policies))
      throw new ResilienceConfigurationError(place, `expected an object of policy sets, got ${show(policies)}`);
    const mistakes = new Mistakes();
    for (const [name, set] of entriesOf(place, policies) as [string, PolicySet][])
      mistakes.in(() => this.#addOne(`${place}.${name}`, name, set));
    mistakes.throwAny(place);
  }

  #addOne(place: string, name: string, set: PolicySet): void {
    if (name === '') throw new ResilienceConfigurationError(place, `the name of a set: ${expectedOf(aName, name)}`);
    const known = this.#sources.get(name);
    if (known !== undefined && known !== set) {
      throw new ResilienceConfigurationError(
        place,
        `the name '${name}' has another definition already; expected one definition for each name`,
      );
    }
    this.#sources.set(name, set);
    // A wrong set is there all the same, so that who uses it is not told that it is unknown.
    this.#sets.set(name, { name, returns: undefined, entries: new Map() });
    const checked = checkSet(place, set);
    if (checked.name !== undefined && checked.name !== name) {
      throw new ResilienceConfigurationError(
        place,
        `option 'name': expected nothing or '${name}', got '${checked.name}'`,
      );
    }
    this.#sets.set(name, checked);
  }

  get(name: string): CheckedSet | undefined {
    return this.#sets.get(name);
  }

  names(): string[] {
    return [...this.#sets.keys()].filter((name) => name !== 'default');
  }
}
