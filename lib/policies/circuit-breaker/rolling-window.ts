import { BucketRing } from '../../kernel/bucket-ring.js';

/** What nearly every call adds to. */
const FIRES = 0;
const SUCCESSES = 1;
const FAILURES = 2;
/** Successes for which the measured ones stand. */
const MEASURED = 3;
const FIELDS = 4;

/** What most breakers never see. */
const TIMEOUTS = 0;
const REJECTS = 1;
const SEMAPHORE_REJECTIONS = 2;
const FALLBACKS = 3;
const RARE_FIELDS = 4;

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

/** Counts of calls in the last `span` ms. */
export class RollingWindow {
  /** Its sum is the time of the measured successes. */
  private readonly ring: BucketRing;
  private rare: BucketRing | undefined = undefined;

  constructor(span: number, buckets: number) {
    this.ring = new BucketRing(span / buckets, buckets, FIELDS);
  }

  get fires(): number {
    return this.ring.total(FIRES);
  }
  get successes(): number {
    return this.ring.total(SUCCESSES);
  }
  get failures(): number {
    return this.ring.total(FAILURES);
  }
  get timeouts(): number {
    return this.rareTotal(TIMEOUTS);
  }
  get rejects(): number {
    return this.rareTotal(REJECTS);
  }
  get semaphoreRejections(): number {
    return this.rareTotal(SEMAPHORE_REJECTIONS);
  }
  get fallbacks(): number {
    return this.rareTotal(FALLBACKS);
  }

  /** The mean time of a success in ms; undefined where there is none. */
  get meanSuccessMs(): number | undefined {
    const measured = this.ring.total(MEASURED);
    return measured === 0 ? undefined : this.ring.sum / measured;
  }

  fire(): void {
    this.ring.add(FIRES, 1);
  }

  /** @param weight for how many successes the latency stands; 0: it was not measured. */
  success(latencyMs: number, weight = 1): void {
    this.ring.add(SUCCESSES, 1);
    if (weight === 0) return;
    this.ring.add(MEASURED, weight);
    this.ring.addSum(latencyMs * weight);
  }

  failure(timedOut: boolean): void {
    this.ring.add(FAILURES, 1);
    if (timedOut) this.addRare(TIMEOUTS);
  }

  reject(): void {
    this.addRare(REJECTS);
  }

  semaphoreRejection(): void {
    this.addRare(SEMAPHORE_REJECTIONS);
  }

  fallback(): void {
    this.addRare(FALLBACKS);
  }

  /** What each bucket has counted, the newest first; to be called after {@link advance}. */
  slices(): WindowCounts[] {
    const ring = this.ring;
    const rare = this.rareNow();
    return Array.from({ length: ring.buckets }, (_, age) => ({
      fires: ring.at(age, FIRES),
      successes: ring.at(age, SUCCESSES),
      failures: ring.at(age, FAILURES),
      timeouts: rare?.at(age, TIMEOUTS) ?? 0,
      rejects: rare?.at(age, REJECTS) ?? 0,
      semaphoreRejections: rare?.at(age, SEMAPHORE_REJECTIONS) ?? 0,
      fallbacks: rare?.at(age, FALLBACKS) ?? 0,
    }));
  }

  /** Lets go of what is too old; to be called before counting or reading. */
  advance(now: number): void {
    this.ring.advance(now);
  }

  clear(): void {
    this.ring.clear();
    this.rare = undefined;
  }

  private addRare(field: number): void {
    const { bucketMs, buckets } = this.ring;
    this.rare ??= new BucketRing(bucketMs, buckets, RARE_FIELDS);
    this.rareNow()?.add(field, 1);
  }

  private rareTotal(field: number): number {
    return this.rareNow()?.total(field) ?? 0;
  }

  private rareNow(): BucketRing | undefined {
    this.rare?.follow(this.ring);
    return this.rare;
  }
}
