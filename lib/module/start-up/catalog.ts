import type { ModulesContainer } from '@nestjs/core';
import { constructorOf } from '../../errors/foreign.js';
import { guardedLineage } from '../../guarded/guarded-classes.js';
import { nameOf } from '../../guarded/class-names.js';
import type { AnyClass } from '../../guarded/guarded-method.js';
import { isPerCall, staticInstancesOf, wrappersOf } from './instances-of.js';
import { Definitions } from '../../planning/definitions.js';
import type { KnownClasses } from '../../planning/app-plans.js';
import type { NamedDefinitions } from '../../planning/resolution.js';

/** A provider, controller or enhancer with guarded methods, and where it lives. */
export interface CataloguedClass {
  readonly type: AnyClass;
  readonly moduleName: string;
}

/** The classes of one app whose methods are guarded, from all its modules. */
export class Catalog implements KnownClasses {
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
    return (this.#definitions ??= new Definitions(this.classes.map(({ type }) => type)));
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
