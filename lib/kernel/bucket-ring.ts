/**
 * Counts of the last `buckets` times `bucketMs` ms, in buckets of time that are used in turn. Each bucket has a place for
 * each thing that is counted, and what all buckets hold together is kept beside them.
 *
 * An old bucket leaves when the time is next looked at: there is no timer, and nothing costs more because the window is
 * full. To look is one comparison, to count is two additions.
 */
export class BucketRing {
  /** What all buckets hold together, then what each of them holds. */
  private readonly counts: Uint32Array;
  /** In each bucket, the sum of something that has fractions; made for the first of it. */
  private sums: number[] | undefined = undefined;
  /** How many buckets have begun since the clock did. */
  private tick = 0;
  /** When the current bucket is over. */
  endsAt = 0;
  /** Where the counts of the current bucket begin. */
  private offset: number;

  /** @param fields how many things are counted. */
  constructor(
    readonly bucketMs: number,
    readonly buckets: number,
    readonly fields: number,
  ) {
    this.counts = new Uint32Array((buckets + 1) * fields);
    this.offset = fields;
  }

  /** Lets go of what is too old at `now`; to be called before counting or reading. */
  advance(now: number): void {
    if (now >= this.endsAt) this.turnAt(now);
  }

  /** Advances to where another ring of the same buckets is. */
  follow(other: BucketRing): void {
    if (other.tick > this.tick) this.turn(other.tick);
  }

  /** Counts in the current bucket. */
  add(field: number, amount: number): void {
    const counts = this.counts;
    const index = this.offset + field;
    counts[index] = (counts[index] as number) + amount;
    counts[field] = (counts[field] as number) + amount;
  }

  /** What all buckets hold. */
  total(field: number): number {
    return this.counts[field] as number;
  }

  /** Adds to the sum of the current bucket. */
  addSum(amount: number): void {
    const sums = (this.sums ??= new Array<number>(this.buckets).fill(0));
    const bucket = this.tick % this.buckets;
    sums[bucket] = (sums[bucket] as number) + amount;
  }

  /** The sums of all buckets together. It is added up anew: sums of fractions do not cancel exactly. */
  get sum(): number {
    return this.sums?.reduce((all, one) => all + one, 0) ?? 0;
  }

  /** What one bucket holds: the current one, or that so many before it. */
  at(age: number, field: number): number {
    const bucket = (((this.tick - age) % this.buckets) + this.buckets) % this.buckets;
    return this.counts[this.offsetOf(bucket) + field] as number;
  }

  clear(): void {
    this.counts.fill(0);
    this.sums = undefined;
  }

  private turnAt(now: number): void {
    this.turn(Math.floor(now / this.bucketMs));
  }

  private turn(tick: number): void {
    if (tick - this.tick >= this.buckets) this.clear();
    else for (let passed = this.tick + 1; passed <= tick; passed++) this.drop(passed);
    this.tick = tick;
    this.endsAt = (tick + 1) * this.bucketMs;
    this.offset = this.offsetOf(tick);
  }

  private drop(tick: number): void {
    const counts = this.counts;
    for (let field = 0, index = this.offsetOf(tick); field < this.fields; field++, index++) {
      counts[field] = (counts[field] as number) - (counts[index] as number);
      counts[index] = 0;
    }
    if (this.sums !== undefined) this.sums[tick % this.buckets] = 0;
  }

  private offsetOf(tick: number): number {
    return (1 + (tick % this.buckets)) * this.fields;
  }
}
