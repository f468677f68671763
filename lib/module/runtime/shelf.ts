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
    let shelf: Shelf<T> = this;
    for (const part of parts) {
      shelf.#byPart ??= new WeakMap();
      let next = shelf.#byPart.get(part);
      if (next === undefined) shelf.#byPart.set(part, (next = new Shelf(this.size)));
      shelf = next;
    }
    shelf.#put(text, value);
  }

  #reach(parts: readonly object[]): Shelf<T> | undefined {
    let shelf: Shelf<T> | undefined = this;
    for (const part of parts) {
      shelf = shelf.#byPart?.get(part);
      if (shelf === undefined) return undefined;
    }
    return shelf;
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
