import { setImmediate as nextTurn } from 'node:timers/promises';
import { outsideCalls } from '../port/outside-calls.js';
import { compareUtf8 } from '../port/utf8-order.js';

/** How many keys are sorted or merged before timers and I/O get their turn. */
const KEYS_PER_TURN = 8192;

/** Keeps a set of keys in byte order from the moment when somebody first asks for it; until then it costs nothing. */
export class KeyOrder {
  /** Never changed, only replaced, so that a listing under way keeps the one with which it began. */
  #sorted: readonly string[] | undefined;
  #sorting: Promise<void> | undefined;
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();

  /** @param keys the keys that are in the set now. */
  constructor(private readonly keys: () => Iterable<string>) {}

  /** To be told of a key that has come into the set. */
  add(key: string): void {
    if (this.#sorting !== undefined && !this.#removed.delete(key)) this.#added.add(key);
  }

  /** To be told of a key that has left the set. */
  remove(key: string): void {
    if (this.#sorting !== undefined && !this.#added.delete(key)) this.#removed.add(key);
  }

  /** The keys that begin with `prefix` now, in byte order. */
  async startingWith(prefix: string): Promise<Iterable<string>> {
    await (this.#sorting ??= outsideCalls(() => this.#sortAll()));
    return slice(this.#update(), prefix);
  }

  async #sortAll(): Promise<void> {
    const keys = [...this.keys()];
    let runs: string[][] = [];
    for (let at = 0; at < keys.length; at += KEYS_PER_TURN) {
      runs.push(keys.slice(at, at + KEYS_PER_TURN).sort(compareUtf8));
      await nextTurn();
    }
    while (runs.length > 1) {
      const merged: string[][] = [];
      for (let at = 0; at < runs.length; at += 2) merged.push(await mergeSlowly(runs[at] ?? [], runs[at + 1] ?? []));
      runs = merged;
    }
    this.#sorted = runs[0] ?? [];
  }

  /** What has come and gone since is few against the whole. */
  #update(): readonly string[] {
    let sorted = this.#sorted ?? [];
    if (this.#removed.size > 0) sorted = sorted.filter((key) => !this.#removed.has(key));
    if (this.#added.size > 0) sorted = merge(sorted, [...this.#added].sort(compareUtf8));
    this.#removed.clear();
    this.#added.clear();
    this.#sorted = sorted;
    return sorted;
  }
}

function* slice(keys: readonly string[], prefix: string): Generator<string, void, undefined> {
  for (let i = firstNotBefore(keys, prefix); i < keys.length; i++) {
    const key = keys[i];
    if (key === undefined || !key.startsWith(prefix)) return;
    yield key;
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

async function mergeSlowly(left: readonly string[], right: readonly string[]): Promise<string[]> {
  const merged: string[] = [];
  for (let [l, r] = [0, 0]; ;) {
    const [a, b] = [left[l], right[r]];
    const key = b === undefined || (a !== undefined && compareUtf8(a, b) < 0) ? a : b;
    if (key === undefined) return merged;
    merged.push(key);
    if (key === a) l += 1;
    else r += 1;
    if (merged.length % KEYS_PER_TURN === 0) await nextTurn();
  }
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
