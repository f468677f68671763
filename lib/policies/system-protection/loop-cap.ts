/** The loop delay is looked at this often at most, ms. */
const LOOK_EVERY_MS = 200;
/** Fewer requests in flight are not what holds the loop up. */
const FEW = 4;
const SHRINK = 0.7;
const GROW = 1.1;

/** Tells how long the event loop was held up on average since it was last asked, ms. */
export interface LoopDelay {
  read(): number;
}

/**
 * A limit of requests in flight that exists only while the event loop is held up: work that comes back from waiting is
 * seen by no turn of requests, but makes every timer late. It shrinks fast and grows slowly until it is not needed.
 *
 * @see https://sentinelguard.io/en-us/docs/system-adaptive-protection.html Sentinel's system rule
 */
export class LoopCap {
  /** The mean delay when last looked at, ms. */
  delayMs = 0;
  #cap = Infinity;
  #lookedAt: number;
  #peak = 0;
  /** One long turn makes one look bad; only a second in a row tells of a state. */
  #wasBad = false;

  constructor(
    private readonly loop: LoopDelay,
    /** undefined: the delay is only measured. */
    private readonly limitMs: number | undefined,
    now: number,
  ) {
    this.#lookedAt = now;
  }

  /** How many may be in flight. */
  at(now: number, inFlight: number): number {
    if (inFlight > this.#peak) this.#peak = inFlight;
    if (now - this.#lookedAt >= LOOK_EVERY_MS) this.#look(now, inFlight);
    return this.#cap;
  }

  #look(now: number, inFlight: number): void {
    this.#lookedAt = now;
    this.delayMs = this.loop.read();
    if (this.limitMs === undefined) return;
    const peak = this.#peak;
    this.#peak = inFlight;
    const bad = this.delayMs > this.limitMs && (peak >= FEW || this.#cap < Infinity);
    const isFirst = bad && !this.#wasBad;
    this.#wasBad = bad;
    if (isFirst) return;
    if (bad) this.#cap = Math.max(1, Math.min(this.#cap, peak) * SHRINK);
    else if (this.#cap < peak * 2 + 1) this.#cap = this.#cap * GROW + 1;
    else this.#cap = Infinity;
  }
}
