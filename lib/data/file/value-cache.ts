/** About what an entry of the cache takes besides its text, in bytes. */
const ENTRY_OVERHEAD = 100;

/** How much of the limit is left in use when something has to go. */
const KEPT_SHARE = 7 / 8;

/** The values' texts that were used last, up to a number of bytes. */
export class ValueCache {
  /** The one that was used least lately comes first. */
  readonly #texts = new Map<string, string>();
  #bytes = 0;

  constructor(private readonly limit: number) {}

  get(key: string): string | undefined {
    const text = this.#texts.get(key);
    if (text === undefined) return undefined;
    this.#texts.delete(key);
    this.#texts.set(key, text);
    return text;
  }

  /** As {@link get}, but this is no use that counts. */
  peek(key: string): string | undefined {
    return this.#texts.get(key);
  }

  set(key: string, text: string): void {
    this.delete(key);
    const bytes = sizeOf(text);
    if (bytes > this.limit) return;
    this.#texts.set(key, text);
    this.#bytes += bytes;
    if (this.#bytes > this.limit) this.#evict();
  }

  delete(key: string): void {
    const text = this.#texts.get(key);
    if (text === undefined) return;
    this.#texts.delete(key);
    this.#bytes -= sizeOf(text);
  }

  /** Some more than it must: each time the map's iterator passes over all that was deleted at its front. */
  #evict(): void {
    const enough = this.limit * KEPT_SHARE;
    for (const key of this.#texts.keys()) {
      if (this.#bytes <= enough) return;
      this.delete(key);
    }
  }
}

/** The engine keeps one or two bytes a character; a text's length cannot tell which. */
function sizeOf(text: string): number {
  return ENTRY_OVERHEAD + 2 * text.length;
}
