import { isThenable, promiseOf, propertyOf } from '../../errors/foreign.js';
import { boundedKey } from '../../kernel/key-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { LastAnswer } from './last-good.memory.js';
import type { LastGoodStore } from './last-good.options.js';

/** The longest wait for a store, ms: the caller has no other answer than an error. */
export const STORE_WAIT_MS = 250;
/** So many answers are on their way to the store at once; of those that come meanwhile only the newest of each key follows. */
const MOST_WRITES = 100;

/** Answers in a store of the app. Whatever that does, nobody waits for it longer than {@link STORE_WAIT_MS}. */
export class LastGoodBacking {
  /** The keys that are being written, each with what is to be written after that. */
  readonly #writing = new Map<string, LastAnswer | undefined>();

  constructor(
    private readonly name: string,
    private readonly environment: PolicyEnvironment,
  ) {}

  /** Writes in the background. An answer that finds no room is not written: the next one of its key will be. */
  put(store: LastGoodStore, key: string, answer: LastAnswer): void {
    if (this.#writing.has(key)) this.#writing.set(key, answer);
    else if (this.#writing.size < MOST_WRITES) void this.#write(store, key, answer);
  }

  /** What the store knows; undefined: nothing, or not in time. */
  get(store: LastGoodStore, key: string): Promise<LastAnswer | undefined> {
    const { clock } = this.environment;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(undefined), STORE_WAIT_MS);
      const end = (answer: LastAnswer | undefined): void => {
        clock.clearTimeout(timer);
        resolve(answer);
      };
      this.#asked(() => store.get(this.#placeOf(key))).then(
        (found) => end(isAnswer(found) ? found : undefined),
        (error: unknown) => {
          this.#report(error);
          end(undefined);
        },
      );
    });
  }

  async #write(store: LastGoodStore, key: string, answer: LastAnswer): Promise<void> {
    this.#writing.set(key, undefined);
    try {
      await this.#asked(() => store.put(this.#placeOf(key), answer));
    } catch (error) {
      this.#report(error);
    }
    const next = this.#writing.get(key);
    this.#writing.delete(key);
    if (next !== undefined) this.put(store, key, next);
  }

  #asked(question: () => unknown): Promise<unknown> {
    try {
      const answer = question();
      return isThenable(answer) ? promiseOf(answer) : Promise.resolve(answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #placeOf(key: string): string {
    return boundedKey(`last-good/${this.name}/${key}`);
  }

  #report(error: unknown): void {
    this.environment.reportCallback(`${this.name}, lastGood store`, error);
  }
}

function isAnswer(found: unknown): found is LastAnswer {
  return typeof propertyOf(found, 'at') === 'number';
}
