import { isObservable, type Subscription } from 'rxjs';
import { textOf } from './describe.js';

/** Who called, and what has come of it so far. */
export class Caller {
  readonly controller = new AbortController();
  /** Whether nothing more can come of it. */
  over = false;
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
      this.#end('threw')(error);
    }
  }

  /** It wants no more of a stream. */
  leave(): void {
    if (this.#subscription !== undefined) this.over = true;
    this.#subscription?.unsubscribe();
    void this.#iterator?.return?.().then(this.#end('returned'), this.#end('rejected on return with'));
  }

  /** It asks for one item more. */
  pull(): void {
    void this.#iterator?.next().then((result) => {
      if (result.done === true) return this.#end('done with')(result.value);
      this.#tell('item')(result.value);
      if (this.eager) this.pull();
    }, this.#end('rejected with'));
  }

  toString(): string {
    return `${this.what}: ${this.#told.length === 0 ? 'waits' : this.#told.join(', ')}`;
  }

  #take(result: unknown): void {
    if (isObservable(result)) {
      this.#subscription = result.subscribe({
        next: this.#tell('item'),
        error: this.#end('error'),
        complete: () => this.#end('complete with')(undefined),
      });
    } else if (isAsyncIterable(result)) {
      this.#iterator = result[Symbol.asyncIterator]();
      this.pull();
    } else if (result instanceof Promise) {
      result.then(this.#end('answered'), this.#end('rejected with'));
    } else this.#end('gave')(result);
  }

  #tell(what: string): (value: unknown) => void {
    return (value) => void this.#told.push(`${what} ${textOf(value)}`);
  }

  #end(what: string): (value: unknown) => void {
    const tell = this.#tell(what);
    return (value) => {
      this.over = true;
      tell(value);
    };
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
