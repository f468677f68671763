import { oneOfThese } from '../errors/near-miss.js';
import type { RuleFault } from '../errors/rule-set.error.js';
import { textOf } from '../kernel/error-text.js';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { instanceOf } from '../errors/foreign.js';
import { UnknownOptionError } from '../errors/unknown-option.error.js';
import { isPlainObject, show } from '../kernel/options/check.js';
import { fromData, longForm } from '../kernel/options/data-forms.js';
import type { Options } from '../kernel/options/options.js';
import type { Rule } from '../kernel/ruling.js';
import { isSetKey, kindOf, parsePolicy, POLICY_KEYS, type SetKey } from '../policies/kinds.js';

import { faultsOfData, join, ROOT } from './plain-data.js';
import { RuleSet, type RulesByName } from './rule-set.js';

const SECTIONS = ['version', 'policies', 'methods'];

/** Reads a document as far as that goes without an app, and finds all that is wrong with it. */
export function readRules(document: unknown): { rules: RuleSet; faults: readonly RuleFault[] } {
  const reader = new Reader();
  const rules = reader.read(document);
  return { rules, faults: reader.faults };
}

/** A field of a document that this version does not know. */
export interface UnknownField {
  /** The keys that lead to what holds it: a section, or also a name, a policy and an option. */
  readonly at: readonly string[];
  readonly field: string;
}

/** The fields of a document that this version does not know, instead of refusing them. */
export function unknownFieldsOf(document: unknown): readonly UnknownField[] {
  const unknown: UnknownField[] = [];
  new Reader(unknown).read(document);
  return unknown;
}

type Say = (path: string, value: unknown) => void;

class Reader {
  readonly faults: RuleFault[] = [];
  /** What the document says at each path, for comparison. */
  readonly #said = new Map<string, { value: unknown; name: string; key: SetKey }>();

  /** @param unknown where fields go that this version does not know; without it they are faults. */
  constructor(private readonly unknown?: UnknownField[]) {}

  read(document: unknown): RuleSet {
    this.faults.push(...faultsOfData(ROOT, document));
    if (this.faults.length > 0) return RuleSet.NONE;
    if (!isPlainObject(document)) {
      this.#fault(ROOT, `expected { version?, policies?, methods? }, got ${show(document)}`, document);
      return RuleSet.NONE;
    }
    for (const [section, value] of Object.entries(document)) {
      if (SECTIONS.includes(section) || this.#passOver([], section)) continue;
      this.#fault(join(ROOT, section), `unknown section; ${oneOfThese(section, SECTIONS)}`, value);
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
      if (rules !== undefined) found.set(name, this.#policies(path, name, rules));
    }
    return found;
  }

  #policies(section: string, name: string, rules: unknown): Map<SetKey, Rule> {
    const found = new Map<SetKey, Rule>();
    const path = join(section, name);
    if (!isPlainObject(rules)) {
      this.#fault(path, `expected an object of policies, got ${show(rules)}`, rules);
      return found;
    }
    for (const [key, setting] of Object.entries(rules)) {
      if (setting === undefined) continue;
      const place = join(path, key);
      if (!isSetKey(key)) {
        if (this.#passOver([section, name], key)) continue;
        this.#fault(place, `unknown policy; ${oneOfThese(key, POLICY_KEYS)}`, setting);
        continue;
      }
      const say = (path: string, value: unknown): void => void this.#said.set(path, { value, name, key });
      const options = setting === false ? false : this.#options([section, name], key, setting, say);
      if (options === undefined) continue;
      found.set(key, { path: place, options });
      if (options === false) say(place, false);
    }
    return found;
  }

  /** The options of one policy; undefined where something is wrong. */
  #options([section, name]: readonly [string, string], key: SetKey, said: unknown, say: Say): Options | undefined {
    const kind = kindOf(key);
    const path = join(join(section, name), key);
    const at = [section, name, key];
    const setting = longForm(kind, said);
    if (!isPlainObject(setting)) return this.#short(path, key, setting, say);
    const made: Record<string, unknown> = {};
    const before = this.faults.length;
    const given = Object.entries(setting).filter(([, value]) => value !== undefined);
    for (const [option, data] of given) {
      const place = join(path, option);
      if (kind.codeOnly.includes(option)) {
        this.#fault(place, `'${option}' belongs to the code: expected no such option in a rule`, data);
        continue;
      }
      // What is short for an option holds the field itself.
      const inside = setting === said ? [...at, option] : at;
      const make = (): void => {
        const value = fromData(place, kind, option, data);
        parsePolicy(key, path, { [option]: value });
        made[option] = value;
        say(place, data);
      };
      this.#attempt(place, data, make, (error) => this.#passOver(error.place === path ? at : inside, error.option));
    }
    if (given.length === 0) say(path, true);
    if (this.faults.length > before) return undefined;
    return this.#attempt(path, setting, () => parsePolicy(key, path, made));
  }

  /** A setting that is no object: a number of attempts, say. */
  #short(path: string, key: SetKey, setting: unknown, say: Say): Options | undefined {
    const { shortRule } = kindOf(key);
    if (shortRule?.accepts(setting) === false) {
      this.#fault(path, `expected ${shortRule.expected}, got ${show(setting)}`, setting);
      return undefined;
    }
    return this.#attempt(path, setting, () => {
      const options = parsePolicy(key, path, setting);
      const entries = Object.entries(options);
      for (const [option, value] of entries) say(`${path}.${option}`, value);
      if (entries.length === 0) say(path, true);
      return options;
    });
  }

  /** @param passedOver whether a field that it does not know is no fault. */
  #attempt<T>(
    path: string,
    value: unknown,
    work: () => T,
    passedOver: (error: UnknownOptionError) => boolean = () => false,
  ): T | undefined {
    try {
      return work();
    } catch (error) {
      const mistakes: readonly unknown[] = instanceOf(error, ResilienceConfigurationError) ? error.mistakes : [error];
      for (const one of mistakes)
        if (!instanceOf(one, UnknownOptionError) || !passedOver(one)) this.faults.push(...faultsOf(path, value, one));
      return undefined;
    }
  }

  #passOver(at: readonly string[], field: string): boolean {
    this.unknown?.push({ at, field });
    return this.unknown !== undefined;
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
