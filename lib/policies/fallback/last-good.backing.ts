import { isThenable, promiseOf, propertyOf } from '../../errors/foreign.js';
import { boundedKey } from '../../kernel/key-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { LastAnswer } from './last-good.memory.js';
import type { LastGoodStore } from './last-good.options.js';

/** The longest wait for a store, ms: the caller has no other answer than an error. */
export const STORE_WAIT_MS = 250;
/** A write that has not ended after so long is waited for no more, ms: those that hang must not keep others out for good. */
export const WRITE_WAIT_MS = 10_000;
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
  async get(store: LastGoodStore, key: string): Promise<LastAnswer | undefined> {
    const found = await this.#within(STORE_WAIT_MS, () => store.get(this.#placeOf(key)));
    return isAnswer(found) ? found : undefined;
  }

  async #write(store: LastGoodStore, key: string, answer: LastAnswer): Promise<void> {
    this.#writing.set(key, undefined);
    await this.#within(WRITE_WAIT_MS, () => store.put(this.#placeOf(key), answer), false);
    const next = this.#writing.get(key);
    this.#writing.delete(key);
    if (next !== undefined) this.put(store, key, next);
  }

  /** What the store answers; undefined where it fails, which is reported, or has not answered after `ms`. @param keepsAlive whether the process waits for it. */
  #within(ms: number, question: () => unknown, keepsAlive = true): Promise<unknown> {
    const { clock } = this.environment;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(undefined), ms);
      if (!keepsAlive) timer.unref();
      const end = (answer: unknown): void => {
        clock.clearTimeout(timer);
        resolve(answer);
      };
      asked(question).then(end, (error: unknown) => {
        this.#report(error);
        end(undefined);
      });
    });
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

function asked(question: () => unknown): Promise<unknown> {
  try {
    const answer = question();
    return isThenable(answer) ? promiseOf(answer) : Promise.resolve(answer);
  } catch (error) {
    return Promise.reject(error);
  }
}
