import type { Call } from '../../kernel/call.js';

/** Stands for more items than one. */
const MANY = Symbol('many');

/** The item of each stream under way that has given one so far: what a request over HTTP gives, and the like. */
export class OnlyItems {
  readonly #items = new WeakMap<Call, { readonly value: unknown } | typeof MANY>();

  /** @param onMany told of each stream that gives more than one item. */
  constructor(private readonly onMany: () => void) {}

  add(call: Call, value: unknown): void {
    const before = this.#items.get(call);
    this.#items.set(call, before === undefined ? { value } : MANY);
    if (before !== undefined && before !== MANY) this.onMany();
  }

  /** The only item of a stream that has ended; undefined: it gave none, or several. */
  take(call: Call): { readonly value: unknown } | undefined {
    const held = this.#items.get(call);
    this.#items.delete(call);
    return held === MANY ? undefined : held;
  }
}
