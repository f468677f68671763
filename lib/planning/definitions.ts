import { guardedLineage } from '../guarded/guarded-classes.js';
import { nameOf } from '../guarded/class-names.js';
import type { AnyClass, Declared } from '../guarded/guarded-method.js';
import type { Options } from '../kernel/options/options.js';
import { isSetKey, kindOf, parsePolicy, type SetKey } from '../policies/kinds.js';
import { checkSet } from './policy-sets.js';
import type { Definition, NamedDefinitions } from './resolution.js';

/** What stands behind a name that only decorators define. */
export class Definitions implements NamedDefinitions {
  readonly #byName = new Map<string, Definition>();

  /** @param classes those of the app. */
  constructor(classes: readonly AnyClass[]) {
    const records = new Map(classes.flatMap((type) => guardedLineage(type)));
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
      if (kindOf(key).nameable === false) continue;
      if (name === undefined || setting === undefined || setting === false) continue;
      this.#define(key, name, `${place}, ${label}`, () => parsePolicy(key, place, setting));
    }
    if (typeof resilient?.set !== 'object') return;
    const { set, label } = resilient;
    const { name } = set;
    if (name === undefined) return;
    for (const key of Object.keys(set).filter(isSetKey)) {
      if (kindOf(key).nameable === false) continue;
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
