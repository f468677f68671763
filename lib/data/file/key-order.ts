import { compareUtf8 } from '../utf8-order.js';

/** Keeps a set of keys that can be listed in byte order; sorting waits until somebody asks. */
export class KeyOrder {
  /** Never changed, only replaced, so that a listing under way keeps the one with which it began. */
  #sorted: readonly string[] = [];
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();

  /** Adds a key that is not in the set. */
  add(key: string): void {
    if (!this.#removed.delete(key)) this.#added.add(key);
  }

  /** Removes a key that is in the set. */
  remove(key: string): void {
    if (!this.#added.delete(key)) this.#removed.add(key);
  }

  /** The keys that begin with `prefix` at the time of the first step, in byte order. */
  *startingWith(prefix: string): Generator<string, void, undefined> {
    const keys = this.#sort();
    for (let i = firstNotBefore(keys, prefix); i < keys.length; i++) {
      const key = keys[i];
      if (key === undefined || !key.startsWith(prefix)) return;
      yield key;
    }
  }

  #sort(): readonly string[] {
    if (this.#removed.size > 0) this.#sorted = this.#sorted.filter((key) => !this.#removed.has(key));
    if (this.#added.size > 0) this.#sorted = merge(this.#sorted, [...this.#added].sort(compareUtf8));
    this.#removed.clear();
    this.#added.clear();
    return this.#sorted;
  }
}

function merge(left: readonly string[], right: readonly string[]): string[] {
  const merged: string[] = [];
  let next = 0;
  for (const key of right) {
    for (let other = left[next]; other !== undefined && compareUtf8(other, key) < 0; other = left[++next])
      merged.push(other);
    merged.push(key);
  }
  for (; next < left.length; next++) merged.push(left[next] as string);
  return merged;
}

function firstNotBefore(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
