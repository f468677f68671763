/**
 * Counts of the last `buckets` times `bucketMs` ms, in buckets of time that are used in turn. Each bucket has a place for
 * each thing that is counted, and what all buckets hold together is kept beside them.
 *
 * An old bucket leaves when the time is next looked at: there is no timer, and nothing costs more because the window is
 * full. To look is one comparison, to count is two additions.
 */
export class BucketRing {
  /** What all buckets hold together, then what each of them holds. */
  readonly #counts: Float64Array;
  /** How many buckets have begun since the clock did. */
  #tick = 0;
  #endsAt = 0;
  /** Where the counts of the current bucket begin. */
  #offset: number;

  /** @param fields how many things are counted. */
  constructor(
    readonly bucketMs: number,
    readonly buckets: number,
    readonly fields: number,
  ) {
    this.#counts = new Float64Array((buckets + 1) * fields);
    this.#offset = fields;
  }

  /** When the current bucket is over. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** Lets go of what is too old at `now`; to be called before counting or reading. */
  advance(now: number): void {
    if (now >= this.#endsAt) this.#turn(Math.floor(now / this.bucketMs));
  }

  /** Advances to where another ring of the same buckets is. */
  follow(other: BucketRing): void {
    if (other.#tick > this.#tick) this.#turn(other.#tick);
  }

  /** Counts in the current bucket. */
  add(field: number, amount: number): void {
    const counts = this.#counts;
    const index = this.#offset + field;
    counts[index] = (counts[index] as number) + amount;
    counts[field] = (counts[field] as number) + amount;
  }

  /** What all buckets hold. Whole numbers: sums of fractions do not cancel exactly when a bucket leaves. */
  total(field: number): number {
    return this.#counts[field] as number;
  }

  /** What all buckets hold of something that has fractions. */
  sum(field: number): number {
    let sum = 0;
    for (let index = this.fields + field; index < this.#counts.length; index += this.fields)
      sum += this.#counts[index] as number;
    return sum;
  }

  /** What one bucket holds: the current one, or that so many before it. */
  at(age: number, field: number): number {
    const bucket = (((this.#tick - age) % this.buckets) + this.buckets) % this.buckets;
    return this.#counts[this.#offsetOf(bucket) + field] as number;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  #turn(tick: number): void {
    if (tick - this.#tick >= this.buckets) this.clear();
    else for (let passed = this.#tick + 1; passed <= tick; passed++) this.#drop(passed);
    this.#tick = tick;
    this.#endsAt = (tick + 1) * this.bucketMs;
    this.#offset = this.#offsetOf(tick);
  }

  #drop(tick: number): void {
    const counts = this.#counts;
    for (let field = 0, index = this.#offsetOf(tick); field < this.fields; field++, index++) {
      counts[field] = (counts[field] as number) - (counts[index] as number);
      counts[index] = 0;
    }
  }

  #offsetOf(tick: number): number {
    return (1 + (tick % this.buckets)) * this.fields;
  }
}
