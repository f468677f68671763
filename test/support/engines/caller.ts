import { isObservable, type Subscription } from 'rxjs';
import { textOf } from './describe.js';

/** Who called, and what has come of it so far. */
export class Caller {
  readonly controller = new AbortController();
  readonly #told: string[] = [];
  #subscription: Subscription | undefined;
  #iterator: AsyncIterator<unknown> | undefined;

  constructor(
    readonly what: string,
    /** Whether it asks for the next item as soon as it has one. */
    readonly eager: boolean,
  ) {}

  make(call: () => unknown): void {
    try {
      this.#take(call());
    } catch (error) {
      this.#told.push(`threw ${textOf(error)}`);
    }
  }

  /** It wants no more of a stream. */
  leave(): void {
    this.#subscription?.unsubscribe();
    void this.#iterator?.return?.().then(this.#tell('returned'), this.#tell('rejected on return with'));
  }

  /** It asks for one item more. */
  pull(): void {
    void this.#iterator?.next().then((result) => {
      this.#told.push(result.done === true ? 'done' : `item ${textOf(result.value)}`);
      if (this.eager && result.done !== true) this.pull();
    }, this.#tell('rejected with'));
  }

  toString(): string {
    return `${this.what}: ${this.#told.length === 0 ? 'waits' : this.#told.join(', ')}`;
  }

  #take(result: unknown): void {
    if (isObservable(result)) {
      this.#subscription = result.subscribe({
        next: this.#tell('item'),
        error: this.#tell('error'),
        complete: () => void this.#told.push('complete'),
      });
    } else if (isAsyncIterable(result)) {
      this.#iterator = result[Symbol.asyncIterator]();
      this.pull();
    } else if (result instanceof Promise) {
      result.then(this.#tell('answered'), this.#tell('rejected with'));
    } else this.#told.push(`gave ${textOf(result)}`);
  }

  readonly #tell = (what: string) => (value: unknown) => void this.#told.push(`${what} ${textOf(value)}`);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
