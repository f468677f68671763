import { isDeepStrictEqual } from 'node:util';
import type { Rule } from '../kernel/ruling.js';
import type { RuleLayer } from '../planning/rule-layer.js';
import type { SetKey } from '../policies/kinds.js';
import type { RuleChange } from './rule-document.js';

/** What a document says at one path, and of what. */
interface Said {
  readonly value: unknown;
  /** The set, the shared name or the method. */
  readonly name: string;
  readonly key: SetKey;
}

export type RulesByName = ReadonlyMap<string, ReadonlyMap<SetKey, Rule>>;

const NOTHING: ReadonlyMap<SetKey, Rule> = new Map();

/** The rules of one document. */
export class RuleSet implements RuleLayer {
  static readonly NONE = new RuleSet(new Map(), new Map(), new Map(), undefined);

  readonly #reached = new Set<Rule>();
  #recent: Rule[] = [];

  /** @param said what the document says, by path. */
  constructor(
    readonly byName: RulesByName,
    readonly byMethod: RulesByName,
    private readonly said: ReadonlyMap<string, Said>,
    readonly version: number | string | undefined,
  ) {}

  ofName(name: string): ReadonlyMap<SetKey, Rule> {
    return this.byName.get(name) ?? NOTHING;
  }

  ofMethod(place: string): ReadonlyMap<SetKey, Rule> {
    return this.byMethod.get(place) ?? NOTHING;
  }

  reach(rule: Rule): void {
    this.#reached.add(rule);
    this.#recent.push(rule);
  }

  /** The rules that were reached since this was last asked. */
  takeRecent(): readonly Rule[] {
    const recent = this.#recent;
    this.#recent = [];
    return recent;
  }

  /** Rules that change nothing, since there is nothing that they speak of. */
  get idle(): Rule[] {
    return [...this.byName.values(), ...this.byMethod.values()]
      .flatMap((rules) => [...rules.values()])
      .filter((rule) => !this.#reached.has(rule));
  }

  /** What the document says at a path; undefined: nothing. */
  at(path: string): unknown {
    return this.said.get(path)?.value;
  }

  /** Of what the document speaks at a path. */
  subjectOf(path: string): Pick<Said, 'name' | 'key'> | undefined {
    return this.said.get(path);
  }

  /** What these rules change in `before`. */
  changesTo(before: RuleSet): RuleChange[] {
    return [...new Set([...before.said.keys(), ...this.said.keys()])]
      .map((path) => ({ path, from: before.at(path), to: this.at(path) }))
      .filter(({ from, to }) => !isDeepStrictEqual(from, to));
  }
}
