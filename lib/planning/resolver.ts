import { oneOfThese } from '../errors/near-miss.js';
import { Mistakes, ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { Declaration, Declared, SetDeclaration } from '../guarded/guarded-method.js';
import { aName, checkValue } from '../kernel/options/check.js';
import type { Returns } from '../kernel/method-kind.js';
import type { Rule } from '../kernel/ruling.js';
import { isStateful, parsePolicy, POLICY_KEYS, type SetKey } from '../policies/kinds.js';
import { checkSet, type CheckedSet, type PolicySets } from './policy-sets.js';
import type { NamedDefinitions, Request, Resolution, ResolvedPolicy } from './resolution.js';
import { PolicyResolver } from './resolve-policy.js';
import type { RuleLayer } from './rule-layer.js';

/**
 * Turns what decorators and sets said into the policies of one method. The precedence is built-in defaults, then
 * `policies.default`, then the named set, then the decorator's own options, then rules; a method's own policy replaces that of its
 * set and of its class.
 */
export class Resolver {
  readonly #resolver: PolicyResolver;

  constructor(
    private readonly sets: PolicySets,
    definitions: NamedDefinitions,
    /** Without the module a name means the decorator's own options, and a policy without a value is skipped. */
    private readonly lenient: boolean,
    private readonly rules: RuleLayer,
  ) {
    this.#resolver = new PolicyResolver(sets, definitions, lenient, rules);
  }

  /**
   * @param place the class and method, as errors name it.
   * @param layers what was declared, outermost (the class) first.
   * @param extensible whether rules may add policies to those that were declared.
   * @throws ResilienceConfigurationError
   */
  resolve(place: string, layers: readonly Declared[], extensible = true): Resolution {
    const requests = new Map<SetKey, Request>();
    let returns: Returns | undefined;
    let exempt = false;
    let fromSet = new Set<SetKey>();
    const mistakes = new Mistakes();
    for (const { policies, resilient, faults } of layers) {
      for (const fault of faults) mistakes.add(new ResilienceConfigurationError(place, fault));
      if (resilient !== undefined) {
        // A set of the method takes the place of the set of its class, key for key and as a whole.
        for (const key of fromSet) requests.delete(key);
        fromSet = new Set();
        exempt = resilient.set === false;
        if (exempt) requests.clear();
        else returns = mistakes.in(() => this.#addSet(place, resilient, requests, fromSet)) ?? returns;
      }
      for (const declaration of policies) {
        fromSet.delete(declaration.key);
        const request = mistakes.in(() => this.#requestOf(place, declaration));
        if (request !== undefined) requests.set(declaration.key, request);
      }
    }
    if (exempt && !mistakes.any) return { policies: new Map(), off: new Set(POLICY_KEYS), returns, exempt };
    for (const [key, rule] of this.rules.ofMethod(place)) {
      const declared = requests.get(key);
      if (declared === undefined && !extensible) continue;
      this.rules.reach(rule);
      mistakes.in(() => requests.set(key, ruled(key, rule, declared)));
    }
    const off = new Set<SetKey>();
    const resolved = new Map<SetKey, ResolvedPolicy>();
    for (const request of requests.values()) {
      mistakes.in(() => {
        const policy = this.#resolver.resolve(`${place}, ${request.label}`, request);
        if (policy === undefined) off.add(request.key);
        else resolved.set(request.key, policy);
      });
    }
    mistakes.throwAny(place);
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
    const setName = named ? (isDefault ? undefined : set) : checked.name;
    for (const [key, entry] of checked.entries) {
      const name = (entry === false ? undefined : entry.name) ?? setName;
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
    for (const [key, { path, options }] of setName === undefined ? [] : this.rules.ofName(setName)) {
      if (checked.entries.has(key)) continue;
      const own = options === false ? false : undefined;
      requests.set(key, { key, label: path, name: setName, own, fromPolicies: true });
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
      `unknown policy set '${name}'; ${oneOfThese(name, this.sets.names(), 'none is defined')}`,
    );
  }

  #requestOf(place: string, { key, label, name, setting }: Declaration): Request {
    if (name !== undefined) checkValue(`${place}, ${label}`, 'name', name, aName);
    const own = setting === undefined || setting === false ? setting : parsePolicy(key, `${place}, ${label}`, setting);
    return { key, label, name, own, fromPolicies: false };
  }
}

/** What becomes of a declared policy, or of one that was not declared, by a rule for its method. */
function ruled(key: SetKey, rule: Rule, declared: Request | undefined): Request {
  const { path } = rule;
  if (declared === undefined || declared.own === false) {
    const own = rule.options === false ? false : undefined;
    return { key, label: path, name: undefined, own, fromPolicies: false, rule };
  }
  if (declared.name !== undefined && rule.options !== false && isStateful(key)) {
    throw new ResilienceConfigurationError(
      path,
      `the ${key} goes by the name '${declared.name}', under which others share it; expected the rule at policies.${declared.name}.${key}`,
    );
  }
  return { ...declared, rule };
}
