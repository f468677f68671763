/** What is counted; each has a place in every bucket. */
const FIRES = 0;
const SUCCESSES = 1;
const FAILURES = 2;
const TIMEOUTS = 3;
const REJECTS = 4;
const SEMAPHORE_REJECTIONS = 5;
/** Successes for which the measured ones stand. */
const MEASURED = 6;
const FIELDS = 7;

/** What was counted, in all or in one bucket. */
export interface WindowCounts {
  fires: number;
  successes: number;
  failures: number;
  timeouts: number;
  rejects: number;
  semaphoreRejections: number;
  fallbacks: number;
}

/**
 * Counts of the last `span` ms in fixed buckets. An old bucket leaves when the time is next looked at, so there is no
 * timer, and no call costs more because the window is full.
 */
export class RollingWindow {
  readonly #counts: Uint32Array;
  readonly #totals = new Uint32Array(FIELDS);
  /** The time that the measured successes took. */
  readonly #successMs: Float64Array;
  #totalSuccessMs = 0;
  /** In each bucket; made for the first one, since most breakers never see any. */
  #fallbacks: Uint32Array | undefined = undefined;
  readonly #bucketMs: number;
  #tick = 0;
  #nextTickAt = 0;
  /** Where the counts of the current bucket begin. */
  #offset = 0;

  constructor(
    readonly span: number,
    private readonly buckets: number,
  ) {
    this.#counts = new Uint32Array(buckets * FIELDS);
    this.#successMs = new Float64Array(buckets);
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

  get fallbacks(): number {
    return this.#fallbacks?.reduce((sum, count) => sum + count, 0) ?? 0;
  }

  /** The mean time of a success in ms; undefined where there is none. */
  get meanSuccessMs(): number | undefined {
    const measured = this.#at(MEASURED);
    return measured === 0 ? undefined : this.#totalSuccessMs / measured;
  }

  fire(): void {
    this.#add(FIRES, 1);
  }

  /** @param weight for how many successes the latency stands; 0: it was not measured. */
  success(latencyMs: number, weight = 1): void {
    this.#add(SUCCESSES, 1);
    if (weight === 0) return;
    this.#add(MEASURED, weight);
    const bucket = this.#tick % this.buckets;
    this.#successMs[bucket] = (this.#successMs[bucket] as number) + latencyMs * weight;
    this.#totalSuccessMs += latencyMs * weight;
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

  fallback(): void {
    const counts = (this.#fallbacks ??= new Uint32Array(this.buckets));
    const bucket = this.#tick % this.buckets;
    counts[bucket] = (counts[bucket] as number) + 1;
  }

  /** What each bucket has counted, the newest first; to be called after {@link advance}. */
  slices(): WindowCounts[] {
    return Array.from({ length: this.buckets }, (_, age) => {
      const bucket = (((this.#tick - age) % this.buckets) + this.buckets) % this.buckets;
      const at = (field: number): number => this.#counts[bucket * FIELDS + field] as number;
      return {
        fires: at(FIRES),
        successes: at(SUCCESSES),
        failures: at(FAILURES),
        timeouts: at(TIMEOUTS),
        rejects: at(REJECTS),
        semaphoreRejections: at(SEMAPHORE_REJECTIONS),
        fallbacks: this.#fallbacks?.[bucket] ?? 0,
      };
    });
  }

  /** Lets go of what is too old; to be called before counting or reading. Returns how many buckets have begun by `now`. */
  advance(now: number): number {
    if (now >= this.#nextTickAt) this.#rotate(Math.floor(now / this.#bucketMs));
    return this.#tick;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#totals.fill(0);
    this.#successMs.fill(0);
    this.#totalSuccessMs = 0;
    this.#fallbacks = undefined;
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
    this.#totalSuccessMs -= this.#successMs[bucket] as number;
    this.#successMs[bucket] = 0;
    if (this.#fallbacks !== undefined) this.#fallbacks[bucket] = 0;
    // Sums of fractions do not cancel exactly.
    if (this.#at(MEASURED) === 0) this.#totalSuccessMs = 0;
  }

  #at(field: number): number {
    return this.#totals[field] as number;
  }

  #add(field: number, amount: number): void {
    const index = this.#offset + field;
    this.#counts[index] = (this.#counts[index] as number) + amount;
    this.#totals[field] = this.#at(field) + amount;
  }
}
