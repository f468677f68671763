import type { Attempt } from '../../kernel/attempt.js';
import type { Admission } from '../../kernel/guard.js';
import { keptKey, keyOf } from '../../kernel/key-of.js';
import { KeysExhausted } from '../../kernel/keys-exhausted.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { BulkheadGuard } from './bulkhead.guard.js';
import { DEFAULT_BULKHEAD_KEYS, type ResolvedBulkhead } from './bulkhead.options.js';
import type { Bulkheads } from './bulkheads.js';
import { SlotGuard } from './slot.guard.js';

interface Own {
  readonly key: string;
  readonly bulkhead: BulkheadGuard;
}

/**
 * Slots for each key, at most `maxKeys`, so that none can take those of the others. When there is no room, the key that was
 * idle for longest goes: nothing is lost with it but what an adaptive limit has learned. When none is idle, new keys share
 * one bulkhead, and so do calls whose key is not known.
 */
export class KeyedBulkheadGuard extends SlotGuard implements Bulkheads {
  readonly #owns = new Map<string, Own>();
  /** The keys that nobody uses, in the order in which they became idle. */
  readonly #idle = new Set<string>();
  readonly #others: BulkheadGuard;
  readonly #exhausted: KeysExhausted;
  readonly #keyPlace: string;
  #options: ResolvedBulkhead;

  constructor(
    readonly name: string,
    options: ResolvedBulkhead,
    private readonly environment: PolicyEnvironment,
  ) {
    super();
    this.#options = options;
    this.#keyPlace = `${name}, key`;
    this.#others = new BulkheadGuard(`${name}[*]`, options, environment);
    this.#exhausted = new KeysExhausted(name, 'bulkhead', environment);
  }

  get options(): ResolvedBulkhead {
    return this.#options;
  }

  get active(): number {
    return this.#sum(({ active }) => active);
  }

  get waiting(): number {
    return this.#sum(({ waiting }) => waiting);
  }

  get abandonedNow(): number {
    return this.#sum(({ abandonedNow }) => abandonedNow);
  }

  get limit(): number {
    return this.#others.limit;
  }

  get keys(): number {
    return this.#owns.size;
  }

  get #maxKeys(): number {
    return this.#options.maxKeys ?? DEFAULT_BULKHEAD_KEYS;
  }

  /** Takes on other options; with fewer keys than there are, those that are idle go. */
  reconfigure(options: ResolvedBulkhead): void {
    this.#options = options;
    while (this.#owns.size > this.#maxKeys) if (!this.#makeRoom()) break;
    for (const bulkhead of this.#all()) bulkhead.reconfigure(options);
  }

  admit(attempt: Attempt): Admission {
    const key = keyOf(this.environment, this.#keyPlace, this.#options.key, attempt.args);
    const own = key === undefined ? undefined : this.#ownOf(key);
    if (own === undefined) return this.#others.admit(attempt);
    this.#idle.delete(own.key);
    const admission = own.bulkhead.admit(attempt);
    // What was refused was no use of it.
    if (own.bulkhead.idle) this.#idle.add(own.key);
    return admission;
  }

  /** The bulkhead of a key; undefined when there is no room for one. */
  #ownOf(key: string): Own | undefined {
    const known = this.#owns.get(key);
    if (known !== undefined) return known;
    while (this.#owns.size >= this.#maxKeys) {
      if (this.#makeRoom()) continue;
      this.#exhausted.tell(this.#maxKeys, this.environment.clock.now());
      return undefined;
    }
    const kept = keptKey(key);
    const onIdle = (): void => {
      // One that has given way to another key is nobody's any more.
      if (this.#owns.get(kept) === own) this.#idle.add(kept);
    };
    const bulkhead = new BulkheadGuard(`${this.name}[${kept}]`, this.#options, this.environment, onIdle);
    const own: Own = { key: kept, bulkhead };
    this.#owns.set(kept, own);
    return own;
  }

  #makeRoom(): boolean {
    for (const key of this.#idle) {
      this.#idle.delete(key);
      this.#owns.delete(key);
      return true;
    }
    return false;
  }

  *#all(): Generator<BulkheadGuard> {
    for (const { bulkhead } of this.#owns.values()) yield bulkhead;
    yield this.#others;
  }

  #sum(number: (bulkhead: BulkheadGuard) => number): number {
    let sum = 0;
    for (const bulkhead of this.#all()) sum += number(bulkhead);
    return sum;
  }
}
