import type { ModulesContainer } from '@nestjs/core';
import { constructorOf } from '../../errors/foreign.js';
import { guardedLineage } from '../../guarded/guarded-classes.js';
import type { AnyClass, Declared } from '../../guarded/guarded-method.js';
import type { SetKey } from '../../policies/policy-set.js';
import { nameOf } from '../runtime/class-names.js';
import { isPerCall, staticInstancesOf, wrappersOf } from './instances-of.js';
import { KINDS, type Options } from '../../planning/policy-parsers.js';
import { checkSet } from '../../planning/policy-sets.js';
import type { NamedDefinitions } from '../../planning/resolver.js';

/** A provider, controller or enhancer with guarded methods, and where it lives. */
export interface CataloguedClass {
  readonly type: AnyClass;
  readonly moduleName: string;
}

/** The classes of one app whose methods are guarded, from all its modules. */
export class Catalog {
  readonly classes: readonly CataloguedClass[];
  readonly #labels = new Map<AnyClass, string>();
  #definitions: NamedDefinitions | undefined;

  constructor(private readonly container: ModulesContainer) {
    this.classes = findClasses(container);
    for (const [name, sharers] of groupByName(this.classes)) {
      for (const { type, moduleName } of sharers)
        this.#labels.set(type, sharers.length > 1 ? `${moduleName}/${name}` : name);
    }
  }

  /** The name of a class, with its module where two classes share a name. */
  labelOf(type: AnyClass): string | undefined {
    return this.#labels.get(type);
  }

  /** The guarded objects that the app makes once, those of modules that were loaded since included. */
  *staticInstances(): Generator<[object, AnyClass]> {
    for (const [instance, type] of staticInstancesOf(this.container))
      if (guardedLineage(type).length > 0) yield [instance, type];
  }

  /** Whether any provider of a class is made anew for requests, or for whoever asks. */
  isPerCall(type: AnyClass): boolean {
    for (const wrapper of wrappersOf(this.container)) if (wrapper.metatype === type && isPerCall(wrapper)) return true;
    return false;
  }

  /** Options that decorators of the app's classes declared under a name. */
  get definitions(): NamedDefinitions {
    return (this.#definitions ??= new Definitions(this));
  }
}

function groupByName(classes: readonly CataloguedClass[]): Map<string, CataloguedClass[]> {
  const groups = new Map<string, CataloguedClass[]>();
  for (const one of classes) {
    const name = nameOf(one.type);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

function findClasses(container: ModulesContainer): CataloguedClass[] {
  const found = new Map<AnyClass, CataloguedClass>();
  for (const module of container.values()) {
    for (const wrapper of [
      ...module.providers.values(),
      ...module.controllers.values(),
      ...module.injectables.values(),
    ]) {
      const type = wrapper.inject === undefined || wrapper.inject === null ? wrapper.metatype : undefined;
      const candidate =
        typeof type === 'function' ? type : constructorOf(wrapper.isNotMetatype ? wrapper.instance : undefined);
      if (
        candidate === undefined ||
        found.has(candidate as AnyClass) ||
        guardedLineage(candidate as AnyClass).length === 0
      )
        continue;
      found.set(candidate as AnyClass, { type: candidate as AnyClass, moduleName: module.metatype.name });
    }
  }
  return [...found.values()];
}

interface Definition {
  place: string;
  options: Options;
}

/** What stands behind a name that only decorators define. */
class Definitions implements NamedDefinitions {
  readonly #byName = new Map<string, Definition>();

  constructor({ classes }: Catalog) {
    const records = new Map(classes.flatMap(({ type }) => guardedLineage(type)));
    for (const [type, { declared, methods }] of records) {
      this.#collect(nameOf(type), declared);
      for (const { methodName, own } of methods.values()) this.#collect(`${nameOf(type)}.${methodName}`, own);
    }
  }

  find(key: SetKey, name: string): Definition | undefined {
    return this.#byName.get(`${key} ${name}`);
  }

  names(): string[] {
    return [...new Set([...this.#byName.keys()].map((key) => key.slice(key.indexOf(' ') + 1)))];
  }

  /** A faulty declaration is left out here and reported where it stands. */
  #collect(place: string, { policies, resilient }: Declared): void {
    for (const { key, name, setting, label } of policies) {
      // Those two are never asked for by a name.
      if (key === 'fallback' || key === 'recover') continue;
      if (name === undefined || setting === undefined || setting === false) continue;
      this.#define(key, name, `${place}, ${label}`, () => KINDS[key].parse(place, setting));
    }
    if (typeof resilient?.set !== 'object') return;
    const { set, label } = resilient;
    const { name } = set;
    if (name === undefined) return;
    for (const key of Object.keys(set) as SetKey[]) {
      if (key === 'fallback' || key === 'recover') continue;
      this.#define(key, name, `${place}, ${label}`, () => {
        const entry = checkSet(place, set).entries.get(key);
        return entry === false || entry?.name !== undefined ? undefined : entry?.options;
      });
    }
  }

  #define(key: SetKey, name: string, place: string, parse: () => Options | undefined): void {
    if (this.#byName.has(`${key} ${name}`)) return;
    try {
      const options = parse();
      if (options !== undefined) this.#byName.set(`${key} ${name}`, { place, options });
    } catch {
      // The plan of that method fails with the reason.
    }
  }
}
