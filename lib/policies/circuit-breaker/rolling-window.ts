/** What is counted; each has a place in every bucket. */
const FIRES = 0;
const SUCCESSES = 1;
const FAILURES = 2;
const TIMEOUTS = 3;
const REJECTS = 4;
const SEMAPHORE_REJECTIONS = 5;
const SUCCESS_MS = 6;
const TIMED = 7;
const FIELDS = 8;

/** In each bucket the latencies of this many calls are measured ... */
const MEASURED = 256;
/** ... and then of one call in so many, which stands for the others: reading the clock costs as much as counting. */
const STRIDE = 16;

/**
 * Counts of the last `span` ms in fixed buckets. An old bucket leaves when the time is next looked at, so there is no
 * timer, and no call costs more because the window is full.
 */
export class RollingWindow {
  readonly #counts: Float64Array;
  readonly #totals = new Float64Array(FIELDS);
  readonly #bucketMs: number;
  #tick = 0;
  #nextTickAt = 0;
  /** Where the counts of the current bucket begin. */
  #offset = 0;

  constructor(
    readonly span: number,
    private readonly buckets: number,
  ) {
    this.#counts = new Float64Array(buckets * FIELDS);
    this.#bucketMs = span / buckets;
  }

  get fires(): number {
    return this.#at(FIRES);
  }
  get successes(): number {
    return this.#at(SUCCESSES);
  }
  get failures(): number {
    return this.#at(FAILURES);
  }
  get timeouts(): number {
    return this.#at(TIMEOUTS);
  }
  get rejects(): number {
    return this.#at(REJECTS);
  }
  get semaphoreRejections(): number {
    return this.#at(SEMAPHORE_REJECTIONS);
  }

  /** The mean time of a success in ms; undefined where there is none. */
  get meanSuccessMs(): number | undefined {
    const timed = this.#at(TIMED);
    return timed === 0 ? undefined : this.#at(SUCCESS_MS) / timed;
  }

  /** Counts a call that came. Returns for how many calls its latency is to stand; 0: it need not be measured. */
  fire(): number {
    const inBucket = this.#add(FIRES, 1);
    if (inBucket <= MEASURED) return 1;
    return inBucket % STRIDE === 0 ? STRIDE : 0;
  }

  success(): void {
    this.#add(SUCCESSES, 1);
  }

  /** @param weight for how many successes the latency stands. */
  successTime(latencyMs: number, weight: number): void {
    if (weight === 0) return;
    this.#add(SUCCESS_MS, latencyMs * weight);
    this.#add(TIMED, weight);
  }

  failure(timedOut: boolean): void {
    this.#add(FAILURES, 1);
    if (timedOut) this.#add(TIMEOUTS, 1);
  }

  reject(): void {
    this.#add(REJECTS, 1);
  }

  semaphoreRejection(): void {
    this.#add(SEMAPHORE_REJECTIONS, 1);
  }

  /** Lets go of what is too old; to be called before counting or reading. Returns how many buckets have begun by `now`. */
  advance(now: number): number {
    if (now >= this.#nextTickAt) this.#rotate(Math.floor(now / this.#bucketMs));
    return this.#tick;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#totals.fill(0);
  }

  #rotate(tick: number): void {
    if (tick - this.#tick >= this.buckets) this.clear();
    else for (let passed = this.#tick + 1; passed <= tick; passed++) this.#drop(passed % this.buckets);
    this.#tick = tick;
    this.#nextTickAt = (tick + 1) * this.#bucketMs;
    this.#offset = (tick % this.buckets) * FIELDS;
  }

  #drop(bucket: number): void {
    for (let field = 0, index = bucket * FIELDS; field < FIELDS; field++, index++) {
      this.#totals[field] = this.#at(field) - (this.#counts[index] as number);
      this.#counts[index] = 0;
    }
    // Sums of fractions do not cancel exactly.
    if (this.#at(TIMED) === 0) this.#totals[SUCCESS_MS] = 0;
  }

  #at(field: number): number {
    return this.#totals[field] as number;
  }

  /** Returns the count of the bucket. */
  #add(field: number, amount: number): number {
    const index = this.#offset + field;
    const inBucket = (this.#counts[index] as number) + amount;
    this.#counts[index] = inBucket;
    this.#totals[field] = this.#at(field) + amount;
    return inBucket;
  }
}
