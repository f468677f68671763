import { ask, type Wanted, WRONG } from '../../kernel/ask.js';
import type { CallInfo } from '../../kernel/call-info.js';
import { keyOf } from '../../kernel/key-of.js';
import type { Lifecycle, PolicyEnvironment } from '../../kernel/policy.js';
import { LastGoodBacking } from './last-good.backing.js';
import { LastGoodMemory, type LastAnswer } from './last-good.memory.js';
import { isStore, type LastGoodOptions, type LastGoodStore } from './last-good.options.js';

const STORE: Wanted<LastGoodStore | undefined> = {
  expected: 'a DataService, or an object with get() and put()',
  read: (answer) => (answer === undefined || isStore(answer) ? answer : WRONG),
};

/** What is remembered in each app: plans are made anew when rules change, and the answers stay. */
const memories = new WeakMap<Lifecycle, Map<string, LastGoodMemory>>();

/** The last answer of each key of one method, for those that ask for it when no other can be had. */
export class LastGood {
  readonly #memory: LastGoodMemory;
  readonly #backing: LastGoodBacking;

  constructor(
    private readonly place: string,
    private readonly options: LastGoodOptions,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#memory = memoryOf(environment.lifecycle, place);
    this.#backing = new LastGoodBacking(place, environment);
  }

  /** A call has given a value. */
  gave(call: CallInfo, value: unknown): void {
    const key = this.#keyOf(call);
    if (key === undefined) return;
    const answer = { at: this.#now(), value };
    this.#memory.put(key, answer);
    const store = this.#storeOf(call);
    if (store !== undefined) this.#backing.put(store, key, answer);
  }

  /** The last answer for a call, if it is not too old; a promise where only the store may know. */
  find(call: CallInfo): LastAnswer | undefined | Promise<LastAnswer | undefined> {
    const key = this.#keyOf(call);
    if (key === undefined) return undefined;
    const known = this.#fresh(this.#memory.get(key));
    if (known !== undefined) return known;
    const store = this.#storeOf(call);
    return store === undefined ? undefined : this.#backing.get(store, key).then((found) => this.#fresh(found));
  }

  /** How old an answer is, ms. */
  ageOf({ at }: LastAnswer): number {
    return Math.max(0, this.#now() - at);
  }

  #fresh(answer: LastAnswer | undefined): LastAnswer | undefined {
    // By a clock that runs ahead nothing would ever be too old.
    return answer !== undefined && Math.abs(this.#now() - answer.at) <= this.options.maxAge ? answer : undefined;
  }

  #keyOf({ instance, args }: CallInfo): string | undefined {
    const { key } = this.options;
    return keyOf(this.environment, `${this.place}, lastGood key`, (...all) => key.apply(instance, all), args);
  }

  #storeOf({ instance }: CallInfo): LastGoodStore | undefined {
    const { store } = this.options;
    if (typeof store !== 'function') return store;
    return ask(this.environment, `${this.place}, lastGood store`, STORE, undefined, () => store(instance));
  }

  #now(): number {
    return this.environment.clock.wallNow();
  }
}

function memoryOf(app: Lifecycle, place: string): LastGoodMemory {
  let ofApp = memories.get(app);
  if (ofApp === undefined) memories.set(app, (ofApp = new Map<string, LastGoodMemory>()));
  let memory = ofApp.get(place);
  if (memory === undefined) ofApp.set(place, (memory = new LastGoodMemory()));
  return memory;
}
