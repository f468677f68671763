/** Items by the moment at which they are due, the earliest first: a binary heap. */
export class DueHeap<T> {
  #entries: { at: number; readonly item: T }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** When the first is due; Infinity if there is none. */
  get firstAt(): number {
    return this.#entries[0]?.at ?? Infinity;
  }

  get first(): T | undefined {
    return this.#entries[0]?.item;
  }

  push(at: number, item: T): void {
    const entries = this.#entries;
    const entry = { at, item };
    let index = entries.push(entry) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = entries[above] as typeof entry;
      if (parent.at <= at) break;
      entries[index] = parent;
      index = above;
    }
    entries[index] = entry;
  }

  /** Takes the first out. */
  pop(): T | undefined {
    const first = this.first;
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
    return first;
  }

  /** The first turns out to be due later. */
  postpone(at: number): void {
    const [first] = this.#entries;
    if (first === undefined) return;
    first.at = at;
    this.#sink(first);
  }

  clear(): void {
    this.#entries = [];
  }

  /** Puts `entry` into the place of the first, and that where it belongs. */
  #sink(entry: { at: number; readonly item: T }): void {
    const entries = this.#entries;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= entries.length) break;
      const [left, right] = [entries[below] as typeof entry, entries[below + 1]];
      if (right !== undefined && right.at < left.at) below++;
      const earlier = entries[below] as typeof entry;
      if (earlier.at >= entry.at) break;
      entries[index] = earlier;
      index = below;
    }
    entries[index] = entry;
  }
}
