import { boundedKey } from '../key-of.js';
import { KeysExhausted } from '../keys-exhausted.js';
import type { PolicyEnvironment } from '../policy.js';
import { Bucket } from './bucket.js';
import { DueHeap } from './due-heap.js';
import type { ResolvedRateLimit } from './rate-limit.options.js';
import { Rate } from './rate.js';

/**
 * One bucket for each key, at most `maxKeys`, beside those of keys with limits of their own. When there is no room, the
 * one that has been full for longest goes: nothing is lost with it, since a new one is full as well. So a flood of new
 * keys never gives an old key its limit back.
 *
 * When none is full, new keys share one bucket. A key that finds room after that begins with what this one owes: the
 * key may have used all of it.
 */
export class KeyedBuckets {
  /** Shared by the keys that found no room, and by calls whose key is not known. */
  readonly others: Bucket;
  #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();
  readonly #overrides = new Map<string, Bucket>();
  /** A moment at which each bucket was not yet full, or has just become so: buckets only fill later than that. */
  readonly #fullAt = new DueHeap<Bucket>();
  readonly #exhausted: KeysExhausted;

  constructor(
    name: string,
    private options: ResolvedRateLimit,
    environment: PolicyEnvironment,
  ) {
    this.#rate = Rate.of(options);
    this.#exhausted = new KeysExhausted(name, 'rateLimit', environment);
    this.others = new Bucket(this.#rate, '*');
    for (const [key, rate] of ownRates(options)) this.#overrides.set(key, new Bucket(rate, key));
  }

  /** How many keys have a bucket, those with limits of their own aside. */
  get size(): number {
    return this.#buckets.size;
  }

  for(key: string, now: number): Bucket {
    const known = this.#buckets.get(key) ?? this.#overrides.get(key);
    if (known !== undefined) return known;
    while (this.#buckets.size >= this.options.maxKeys) {
      if (this.#makeRoom(now)) continue;
      this.#exhausted.tell(this.options.maxKeys, now);
      return this.others;
    }
    const bucket = new Bucket(this.#rate, key);
    const owed = this.others.committedUntil;
    if (owed > now) bucket.owe(owed, now);
    this.#buckets.set(key, bucket);
    this.#fullAt.push(Math.max(owed, now), bucket);
    return bucket;
  }

  /** Whether any key has used something that time has not given back yet. */
  owesAt(now: number): boolean {
    const all = [this.others, ...this.#overrides.values(), ...this.#buckets.values()];
    return all.some(({ committedUntil }) => committedUntil > now);
  }

  /** Takes on other options. Every key keeps what it owes, also one that gets or loses limits of its own. */
  reconfigure(options: ResolvedRateLimit, now: number): void {
    this.options = options;
    this.#rate = Rate.of(options);
    this.others.reconfigure(this.#rate, now);
    const known = [...this.#overrides.values(), ...this.#buckets.values()];
    this.#overrides.clear();
    this.#buckets.clear();
    this.#fullAt.clear();
    const rates = ownRates(options);
    for (const bucket of known) {
      const key = bucket.key as string;
      const own = rates.get(key);
      bucket.reconfigure(own ?? this.#rate, now);
      if (own !== undefined) this.#overrides.set(key, bucket);
      else {
        this.#buckets.set(key, bucket);
        this.#fullAt.push(bucket.paidAt, bucket);
      }
    }
    for (const [key, rate] of rates) if (!this.#overrides.has(key)) this.#overrides.set(key, new Bucket(rate, key));
  }

  #makeRoom(now: number): boolean {
    for (let bucket = this.#fullAt.first; bucket !== undefined; bucket = this.#fullAt.first) {
      if (this.#fullAt.firstAt > now) return false;
      if (bucket.paidAt <= this.#fullAt.firstAt && bucket.waiting === 0) {
        this.#fullAt.pop();
        this.#buckets.delete(bucket.key as string);
        return true;
      }
      // It was used since: look again when it will be full. Whoever waits in it is let in at its timer's next turn.
      this.#fullAt.postpone(bucket.waiting === 0 ? bucket.paidAt : Math.max(bucket.paidAt, now + 1));
    }
    return false;
  }
}

/** The rates of keys with limits of their own. */
function ownRates(options: ResolvedRateLimit): Map<string, Rate> {
  return new Map(
    Object.entries(options.overrides ?? {}).map(([key, override]) => [
      boundedKey(key),
      Rate.override(override, options),
    ]),
  );
}
