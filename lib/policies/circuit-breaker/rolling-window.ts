/** What is counted; each has a place in every bucket. */
const FIRES = 0;
const SUCCESSES = 1;
const FAILURES = 2;
const TIMEOUTS = 3;
const REJECTS = 4;
const SEMAPHORE_REJECTIONS = 5;
const SUCCESS_MS = 6;
const FIELDS = 7;

/**
 * Counts of the last `span` ms in fixed buckets. An old bucket leaves when the time is next looked at, so there is no
 * timer, and no call costs more because the window is full.
 */
export class RollingWindow {
  readonly #counts: Float64Array;
  readonly #totals = new Float64Array(FIELDS);
  readonly #bucketMs: number;
  #tick = 0;

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
    return this.successes === 0 ? undefined : this.#at(SUCCESS_MS) / this.successes;
  }

  fire(): void {
    this.#add(FIRES, 1);
  }

  success(latencyMs: number): void {
    this.#add(SUCCESSES, 1);
    this.#add(SUCCESS_MS, latencyMs);
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
    const tick = Math.floor(now / this.#bucketMs);
    if (tick > this.#tick) this.#rotate(tick);
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
  }

  #drop(bucket: number): void {
    for (let field = 0, index = bucket * FIELDS; field < FIELDS; field++, index++) {
      this.#totals[field] = this.#at(field) - (this.#counts[index] as number);
      this.#counts[index] = 0;
    }
    // Sums of fractions do not cancel exactly.
    if (this.successes === 0) this.#totals[SUCCESS_MS] = 0;
  }

  #at(field: number): number {
    return this.#totals[field] as number;
  }

  #add(field: number, amount: number): void {
    const index = (this.#tick % this.buckets) * FIELDS + field;
    this.#counts[index] = (this.#counts[index] as number) + amount;
    this.#totals[field] = this.#at(field) + amount;
  }
}
