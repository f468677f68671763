import { CallCounts } from './call-counts.js';

/** So many names that there may be any number of are counted by themselves; the others share {@link OTHERS}. */
export const MAX_LOOSE_NAMES = 100;
/** Under what the names count for which there is no room. */
export const OTHERS = 'other';

/** What is known of names. */
export interface Names {
  /** Whether there may be any number of names like this one: given to `execute()`, or numbered by instance. */
  isLoose(name: string): boolean;
  /** The name without the key of `name[key]`. */
  withoutKey(name: string): string;
}

/** Everything that was counted, by name. */
export class CallRegister {
  readonly #counts = new Map<string, CallCounts>();
  readonly #loose = new Set<string>();

  /**
   * @param bounds of the buckets of durations, ascending, ms.
   * @param failed told of each attempt that has failed.
   */
  constructor(
    private readonly names: Names,
    private bounds: readonly number[],
    private readonly failed: (name: string, error: unknown) => void = () => undefined,
  ) {}

  /** Counts durations in other buckets from now on. What was counted is forgotten. */
  rebucket(bounds: readonly number[]): void {
    this.bounds = bounds;
    this.#counts.clear();
    this.#loose.clear();
  }

  /** The counts of a name, or of the others where there is no room for it. */
  readonly of = (name: string): CallCounts => {
    const known = this.#counts.get(name);
    if (known !== undefined) return known;
    const base = this.names.withoutKey(name);
    return base === name ? this.#add(name) : (this.#counts.get(base) ?? this.#add(base));
  };

  /** A name is gone, and so is what was counted for it. */
  forget(name: string): void {
    this.#counts.delete(name);
    this.#loose.delete(name);
  }

  entries(): IterableIterator<[name: string, counts: CallCounts]> {
    return this.#counts.entries();
  }

  #add(name: string): CallCounts {
    if (this.names.isLoose(name)) {
      if (this.#loose.size >= MAX_LOOSE_NAMES) return this.#counts.get(OTHERS) ?? this.#enter(OTHERS);
      this.#loose.add(name);
    }
    return this.#enter(name);
  }

  #enter(name: string): CallCounts {
    const counts = new CallCounts(this.bounds, this.of, (error) => this.failed(name, error));
    this.#counts.set(name, counts);
    return counts;
  }
}
