import type { SetDigest } from './set-digest.js';

/**
 * Keeps what belongs to a set where an equal one finds it. What was not asked for since `size` others came is forgotten;
 * what belongs to a function goes with the function.
 */
export class Shelf<T> {
  #young = new Map<string, T>();
  #old: ReadonlyMap<string, T> = new Map();
  #byPart: WeakMap<object, Shelf<T>> | undefined;

  constructor(private readonly size: number) {}

  get(digest: SetDigest): T | undefined {
    const shelf = this.#reach(digest.parts);
    return shelf === undefined ? undefined : shelf.#get(digest.text);
  }

  put({ text, parts }: SetDigest, value: T): void {
    this.#under(parts, 0).#put(text, value);
  }

  /** The shelf of all `parts` from `index` on, which is made where it is missing. */
  #under(parts: readonly object[], index: number): Shelf<T> {
    const part = parts[index];
    if (part === undefined) return this;
    this.#byPart ??= new WeakMap();
    let next = this.#byPart.get(part);
    if (next === undefined) this.#byPart.set(part, (next = new Shelf(this.size)));
    return next.#under(parts, index + 1);
  }

  #reach(parts: readonly object[], index = 0): Shelf<T> | undefined {
    const part = parts[index];
    if (part === undefined) return this;
    const next = this.#byPart?.get(part);
    return next === undefined ? undefined : next.#reach(parts, index + 1);
  }

  #get(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.#put(text, old);
    return old;
  }

  #put(text: string, value: T): void {
    if (this.#young.size >= this.size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }
}
