import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { Declaration, Declared, SetDeclaration } from '../../pipeline/guarded-method.js';
import { POLICY_KEYS, STATEFUL, type Returns, type SetKey } from '../../policies/policy-set.js';
import { sameOptions } from './describe-options.js';
import { KINDS, type Options } from './policy-parsers.js';
import { checkSet, type CheckedSet, type PolicySets } from './policy-sets.js';

/** One policy of a method with the options in force. */
export interface ResolvedPolicy {
  readonly key: SetKey;
  /** Who asked for it, as errors name it: `@Timeout`. */
  readonly label: string;
  /** The instance, if it was given a name. */
  readonly name: string | undefined;
  readonly options: Options;
  /** For each option where it came from. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface Resolution {
  readonly policies: ReadonlyMap<SetKey, ResolvedPolicy>;
  /** Policies that were turned off here, whatever others say. */
  readonly off: ReadonlySet<SetKey>;
  readonly returns: Returns | undefined;
  /** `@Resilient(false)`: nothing guards it, interceptors included. */
  readonly exempt: boolean;
}

/** Somebody asks for a policy: a decorator, or a key of a set. */
interface Request {
  readonly key: SetKey;
  readonly label: string;
  readonly name: string | undefined;
  /** Its own options; undefined: none; false: off. */
  readonly own: Options | undefined | false;
  /** Whether its options stand in `policies`. */
  readonly fromPolicies: boolean;
}

/** Options that decorators declared under a name, so that others may use the name alone. */
export interface NamedDefinitions {
  find(key: SetKey, name: string): { place: string; options: Options } | undefined;
}

/**
 * Turns what decorators and sets said into the policies of one method. The precedence is built-in defaults, then
 * `policies.default`, then the named set, then the decorator's own options; a method's own policy replaces that of its
 * set and of its class.
 */
export class Resolver {
  constructor(
    private readonly sets: PolicySets,
    private readonly definitions: NamedDefinitions,
    /** Without the module a name means the decorator's own options, and a policy without a value is skipped. */
    private readonly lenient: boolean,
  ) {}

  /**
   * @param place the class and method, as errors name it.
   * @param layers what was declared, outermost (the class) first.
   * @throws ResilienceConfigurationError
   */
  resolve(place: string, layers: readonly Declared[]): Resolution {
    const requests = new Map<SetKey, Request>();
    let returns: Returns | undefined;
    let exempt = false;
    let fromSet = new Set<SetKey>();
    for (const { policies, resilient, faults } of layers) {
      if (faults.length > 0) throw new ResilienceConfigurationError(place, faults[0] as string);
      if (resilient !== undefined) {
        // A set of the method takes the place of the set of its class, key for key and as a whole.
        for (const key of fromSet) requests.delete(key);
        fromSet = new Set();
        exempt = resilient.set === false;
        if (exempt) requests.clear();
        else returns = this.#addSet(place, resilient, requests, fromSet) ?? returns;
      }
      for (const declaration of policies) {
        requests.set(declaration.key, this.#requestOf(place, declaration));
        fromSet.delete(declaration.key);
      }
    }
    if (exempt) return { policies: new Map(), off: new Set(POLICY_KEYS), returns, exempt };
    const off = new Set<SetKey>();
    const resolved = new Map<SetKey, ResolvedPolicy>();
    for (const request of requests.values()) {
      const policy = this.#resolveOne(`${place}, ${request.label}`, request);
      if (policy === undefined) off.add(request.key);
      else resolved.set(request.key, policy);
    }
    return { policies: resolved, off, returns, exempt };
  }

  #addSet(
    place: string,
    { label, set }: SetDeclaration,
    requests: Map<SetKey, Request>,
    added: Set<SetKey>,
  ): Returns | undefined {
    const named = typeof set === 'string';
    const checked = named ? this.#namedSet(`${place}, ${label}`, set) : checkSet(`${place}, ${label}`, set);
    if (checked === undefined) return undefined;
    const isDefault = named && set === 'default';
    for (const [key, entry] of checked.entries) {
      const name = (entry === false ? undefined : entry.name) ?? (named ? (isDefault ? undefined : set) : checked.name);
      // Options of a named set, and of an instance that a set only names, are looked up by that name.
      const own = entry === false ? false : named || entry.name !== undefined ? undefined : entry.options;
      requests.set(key, {
        key,
        label: named ? `policies.${set}` : label,
        name,
        own,
        fromPolicies: named && name === set,
      });
      added.add(key);
    }
    return checked.returns;
  }

  #namedSet(place: string, name: string): CheckedSet | undefined {
    const set = this.sets.get(name);
    if (set !== undefined || this.lenient) return set;
    if (name === 'default')
      throw new ResilienceConfigurationError(
        place,
        'uses policies.default, which is not defined; expected forRoot({ policies: { default: ... } })',
      );
    throw new ResilienceConfigurationError(
      place,
      `unknown policy set '${name}'; expected one of: ${this.sets.names().join(', ') || 'none is defined'}`,
    );
  }

  #requestOf(place: string, { key, label, name, setting }: Declaration): Request {
    const own = setting === undefined || setting === false ? setting : KINDS[key].parse(`${place}, ${label}`, setting);
    return { key, label, name, own, fromPolicies: false };
  }

  #resolveOne(place: string, { key, name, own, label, fromPolicies }: Request): ResolvedPolicy | undefined {
    if (own === false) return undefined;
    const byDefault = this.sets.get('default')?.entries.get(key);
    const bySet = name === undefined ? undefined : this.sets.get(name)?.entries.get(key);
    const byName = name === undefined ? undefined : this.definitions.find(key, name);
    if (name !== undefined && !fromPolicies) this.#checkName(place, key, name, own, bySet !== undefined, byName);
    if (own === undefined && (bySet === false || (bySet === undefined && byName === undefined && byDefault === false)))
      return undefined;
    const layers: [source: string, options: Options | undefined][] = [
      ['built-in', KINDS[key].defaults],
      ['policies.default', optionsOf(byDefault)],
      [`policies.${name}`, optionsOf(bySet)],
      [byName?.place ?? '', byName?.options],
      [label, own],
    ];
    const options: Record<string, unknown> = {};
    const sources: Record<string, string> = {};
    for (const [source, layer] of layers) {
      // A value and a handler are two answers to the same question: the later one counts.
      if (key === 'recover' && layer?.value !== undefined) delete options.use;
      if (key === 'recover' && layer?.use !== undefined) delete options.value;
      for (const [option, value] of Object.entries(layer ?? {})) {
        if (value === undefined) continue;
        options[option] = value;
        sources[option] = source;
      }
    }
    return { key, label, name, options, sources };
  }

  #checkName(
    place: string,
    key: SetKey,
    name: string,
    own: Options | undefined,
    inPolicies: boolean,
    byName: { place: string; options: Options } | undefined,
  ): void {
    if (own !== undefined && inPolicies && STATEFUL.has(key)) {
      throw new ResilienceConfigurationError(
        place,
        `'${name}' has its options in policies.${name}.${key}, and a shared instance can have one set of options only: expected none here`,
      );
    }
    if (own !== undefined && byName !== undefined && !sameOptions(own, byName.options)) {
      throw new ResilienceConfigurationError(
        place,
        `'${name}' has another definition at ${byName.place}; expected the same options, or the name alone`,
      );
    }
    if (own !== undefined || inPolicies || byName !== undefined || this.lenient) return;
    if (this.sets.get(name) !== undefined) return;
    const known = this.sets.names().join(', ');
    throw new ResilienceConfigurationError(
      place,
      `unknown name '${name}'; expected ${known === '' ? 'it' : `one of: ${known}; or`} to be defined in policies, or by another decorator with options`,
    );
  }
}

function optionsOf(entry: { options: Options } | false | undefined): Options | undefined {
  return entry === false ? undefined : entry?.options;
}
