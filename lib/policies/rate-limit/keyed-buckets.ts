import type { Timer } from '../../kernel/clock.js';
import { boundedKey, keptKey } from '../../kernel/key-of.js';
import { KeysExhausted } from '../../kernel/keys-exhausted.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Bucket } from './bucket.js';
import { DueHeap } from './due-heap.js';
import type { ResolvedRateLimit } from './rate-limit.options.js';
import { Rate } from './rate.js';

/** Fewer keys than this may stay for good: they are worth no timer. */
const FEW = 1_000;
/** So many buckets are looked at in a turn of the event loop. */
const LOOKS = 1_000;
/** The next turn comes after so long, ms; sooner while there is more to look at. */
const SWEEP_MS = 1_000;
const SWEEP_ON_MS = 50;

/**
 * One bucket for each key, at most `maxKeys`, beside those of keys with limits of their own. When there is no room, the
 * one that has been full for longest goes: nothing is lost with it, since a new one is full as well. So a flood of new
 * keys never gives an old key its limit back.
 *
 * Where there are many, those that are full go by themselves, so that a flood of keys does not fill memory for good.
 *
 * When none is full, new keys share one bucket, as long as anybody waits in it. A key that finds room after that begins
 * with what this one owes: the key may have used all of it.
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
  #sweeping: Timer | undefined;

  constructor(
    name: string,
    private options: ResolvedRateLimit,
    private readonly environment: PolicyEnvironment,
    processes = 1,
  ) {
    this.#rate = Rate.of(options, processes);
    this.#exhausted = new KeysExhausted(name, 'rateLimit', environment);
    this.others = new Bucket(this.#rate, '*');
    for (const [key, rate] of ownRates(options, processes)) this.#overrides.set(key, new Bucket(rate, key));
  }

  /** How many keys have a bucket, those with limits of their own aside. */
  get size(): number {
    return this.#buckets.size;
  }

  for(key: string, now: number): Bucket {
    const known = this.#buckets.get(key) ?? this.#overrides.get(key);
    if (known !== undefined) return known;
    // Its own calls may wait there, and begin late: who comes after them waits behind them.
    if (this.others.waiting > 0) return this.others;
    while (this.#buckets.size >= this.options.maxKeys) {
      if (this.#makeRoom(now)) continue;
      this.#exhausted.tell(this.options.maxKeys, now);
      return this.others;
    }
    const kept = keptKey(key);
    const bucket = new Bucket(this.#rate, kept);
    const owed = this.others.committedUntil;
    if (owed > now) bucket.owe(owed, now);
    this.#buckets.set(kept, bucket);
    this.#fullAt.push(Math.max(owed, now), bucket);
    if (this.#sweeping === undefined && this.#buckets.size > FEW) this.#sweepIn(SWEEP_MS);
    return bucket;
  }

  /** Whether any key has used something that time has not given back yet. */
  owesAt(now: number): boolean {
    const all = [this.others, ...this.#overrides.values(), ...this.#buckets.values()];
    return all.some(({ committedUntil }) => committedUntil > now);
  }

  /** Takes on other options. Every key keeps what it owes, also one that gets or loses limits of its own. */
  reconfigure(options: ResolvedRateLimit, now: number, processes = 1): void {
    this.options = options;
    this.#rate = Rate.of(options, processes);
    this.others.reconfigure(this.#rate, now);
    const known = [...this.#overrides.values(), ...this.#buckets.values()];
    this.#overrides.clear();
    this.#buckets.clear();
    this.#fullAt.clear();
    const rates = ownRates(options, processes);
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
    while (this.#fullAt.firstAt <= now) if (this.#drops(now)) return true;
    return false;
  }

  /** Looks at the bucket that may have been full for longest, and lets it go if it was full at `now`. */
  #drops(now: number): boolean {
    const bucket = this.#fullAt.first as Bucket;
    if (bucket.paidAt <= this.#fullAt.firstAt && bucket.waiting === 0) {
      this.#fullAt.pop();
      this.#buckets.delete(bucket.key as string);
      return true;
    }
    // It was used since: look again when it will be full. Whoever waits in it is let in at its timer's next turn.
    this.#fullAt.postpone(bucket.waiting === 0 ? bucket.paidAt : Math.max(bucket.paidAt, now + 1));
    return false;
  }

  #sweepIn(ms: number): void {
    const { clock, lifecycle } = this.environment;
    if (lifecycle.disposed) return;
    this.#sweeping = clock.setTimeout(this.#sweep, ms);
    this.#sweeping.unref();
    lifecycle.onDispose(this.#stop);
  }

  readonly #stop = (): void => {
    const { clock, lifecycle } = this.environment;
    if (this.#sweeping !== undefined) clock.clearTimeout(this.#sweeping);
    this.#sweeping = undefined;
    lifecycle.offDispose(this.#stop);
  };

  readonly #sweep = (): void => {
    this.#stop();
    // A new bucket begins cold: one that has a warm-up is let go when it is cold as well.
    const fullBefore = this.environment.clock.now() - (this.options.warmUp?.over ?? 0);
    let looks = 0;
    for (; looks < LOOKS && this.#fullAt.firstAt <= fullBefore; looks++) this.#drops(fullBefore);
    if (this.#buckets.size > FEW) this.#sweepIn(looks === LOOKS ? SWEEP_ON_MS : SWEEP_MS);
  };
}

/** The rates of keys with limits of their own. */
function ownRates(options: ResolvedRateLimit, processes: number): Map<string, Rate> {
  return new Map(
    Object.entries(options.overrides ?? {}).map(([key, override]) => [
      boundedKey(key),
      Rate.override(override, options, processes),
    ]),
  );
}
