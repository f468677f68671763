import type { RuleFault } from '../errors/rule-set.error.js';
import { textOf } from '../kernel/error-text.js';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { instanceOf } from '../errors/foreign.js';
import { isPlainObject, show } from '../kernel/options/check.js';
import { POLICY_KEYS, type SetKey } from '../policies/policy-set.js';
import { fromData, longForm } from '../planning/data-forms.js';
import { KINDS, type Options } from '../planning/policy-parsers.js';
import type { Rule } from '../planning/rule-layer.js';

import { faultsOfData, join, ROOT } from './plain-data.js';
import { RuleSet, type RulesByName } from './rule-set.js';

/** Options that hold functions, or say whom state belongs to, and the names by which opossum's tools know a breaker. */
const CODE_ONLY: Readonly<Partial<Record<SetKey, readonly string[]>>> = {
  recover: ['use', 'on'],
  fallback: ['use', 'on', 'skipOn'],
  coalesce: ['key'],
  retry: ['retryOn', 'abortOn', 'answerOn', 'retryOnResult'],
  circuitBreaker: ['errorFilter', 'answerOn', 'isFailure', 'key', 'group', 'scope'],
  rateLimit: ['key', 'cost', 'scope'],
  bulkhead: ['priority', 'scope'],
};

const SECTIONS = ['version', 'policies', 'methods'];

/** Reads a document as far as that goes without an app, and finds all that is wrong with it. */
export function readRules(document: unknown): { rules: RuleSet; faults: readonly RuleFault[] } {
  const reader = new Reader();
  const rules = reader.read(document);
  return { rules, faults: reader.faults };
}

type Say = (path: string, value: unknown) => void;

class Reader {
  readonly faults: RuleFault[] = [];
  /** What the document says at each path, for comparison. */
  readonly #said = new Map<string, { value: unknown; name: string; key: SetKey }>();

  read(document: unknown): RuleSet {
    this.faults.push(...faultsOfData(ROOT, document));
    if (this.faults.length > 0) return RuleSet.NONE;
    if (!isPlainObject(document)) {
      this.#fault(ROOT, `expected { version?, policies?, methods? }, got ${show(document)}`, document);
      return RuleSet.NONE;
    }
    for (const [section, value] of Object.entries(document)) {
      if (!SECTIONS.includes(section))
        this.#fault(join(ROOT, section), `unknown section; expected one of: ${SECTIONS.join(', ')}`, value);
    }
    const { version } = document;
    if (version !== undefined && typeof version !== 'string' && typeof version !== 'number')
      this.#fault('version', `expected a number or a string, got ${show(version)}`, version);
    const byName = this.#section('policies', document.policies);
    const byMethod = this.#section('methods', document.methods);
    return new RuleSet(byName, byMethod, this.#said, version as number | string | undefined);
  }

  #section(path: string, section: unknown): RulesByName {
    const found = new Map<string, Map<SetKey, Rule>>();
    if (section === undefined) return found;
    if (!isPlainObject(section)) {
      this.#fault(path, `expected an object of rules by name, got ${show(section)}`, section);
      return found;
    }
    for (const [name, rules] of Object.entries(section)) {
      if (rules !== undefined) found.set(name, this.#policies(join(path, name), name, rules));
    }
    return found;
  }

  #policies(path: string, name: string, rules: unknown): Map<SetKey, Rule> {
    const found = new Map<SetKey, Rule>();
    if (!isPlainObject(rules)) {
      this.#fault(path, `expected an object of policies, got ${show(rules)}`, rules);
      return found;
    }
    for (const [key, setting] of Object.entries(rules)) {
      if (setting === undefined) continue;
      const place = join(path, key);
      if (!isPolicy(key)) {
        this.#fault(place, `unknown policy; expected one of: ${POLICY_KEYS.join(', ')}`, setting);
        continue;
      }
      const say = (path: string, value: unknown): void => void this.#said.set(path, { value, name, key });
      const options = setting === false ? false : this.#options(place, key, setting, say);
      if (options === undefined) continue;
      found.set(key, { path: place, options });
      if (options === false) say(place, false);
    }
    return found;
  }

  /** The options of one policy; undefined where something is wrong. */
  #options(path: string, key: SetKey, said: unknown, say: Say): Options | undefined {
    const setting = longForm(key, said);
    if (!isPlainObject(setting)) return this.#short(path, key, setting, say);
    const made: Record<string, unknown> = {};
    const before = this.faults.length;
    const given = Object.entries(setting).filter(([, value]) => value !== undefined);
    for (const [option, data] of given) {
      const place = join(path, option);
      if (CODE_ONLY[key]?.includes(option) === true) {
        this.#fault(place, `'${option}' belongs to the code: expected no such option in a rule`, data);
        continue;
      }
      this.#attempt(place, data, () => {
        const value = fromData(place, key, option, data);
        KINDS[key].parse(path, { [option]: value });
        made[option] = value;
        say(place, data);
      });
    }
    if (given.length === 0) say(path, true);
    if (this.faults.length > before) return undefined;
    return this.#attempt(path, setting, () => KINDS[key].parse(path, made));
  }

  /** A setting that is no object: a number of attempts, say. */
  #short(path: string, key: SetKey, setting: unknown, say: Say): Options | undefined {
    if (key === 'fallback' || (key === 'recover' && setting !== true)) {
      const expected = key === 'fallback' ? '{ value }, or false' : 'true, { value, log }, or false';
      this.#fault(path, `expected ${expected}, got ${show(setting)}`, setting);
      return undefined;
    }
    return this.#attempt(path, setting, () => {
      const options = KINDS[key].parse(path, setting);
      const entries = Object.entries(options);
      for (const [option, value] of entries) say(`${path}.${option}`, value);
      if (entries.length === 0) say(path, true);
      return options;
    });
  }

  #attempt<T>(path: string, value: unknown, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.faults.push(...faultsOf(path, value, error));
      return undefined;
    }
  }

  #fault(path: string, message: string, value: unknown): void {
    this.faults.push({ path, message, value });
  }
}

/** An error of a parser as faults, one for each mistake that it tells: what it says of the place stands in the path already. */
export function faultsOf(path: string, value: unknown, error: unknown): RuleFault[] {
  if (!instanceOf(error, ResilienceConfigurationError)) return [{ path, message: textOf(error), value }];
  return error.mistakes.map((one) => faultOf(path, value, one));
}

function faultOf(path: string, value: unknown, { place, message }: ResilienceConfigurationError): RuleFault {
  const problem = message.slice(place.length + 2);
  if (path.startsWith(place)) {
    const option = path.slice(place.length + 1);
    return { path, message: problem.replace(`option '${option}': `, ''), value };
  }
  if (place.startsWith(`${path}.`)) return { path: place, message: problem, value };
  return { path, message: `${place}: ${problem}`, value };
}

function isPolicy(key: string): key is SetKey {
  return (POLICY_KEYS as readonly string[]).includes(key);
}
