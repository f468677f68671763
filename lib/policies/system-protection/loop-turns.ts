import type { Clock } from '../../kernel/clock.js';

/** Turns that are too long are a standing state after this long, ms; before it they may be one slow request. */
const STANDING_MS = 100;

/**
 * How long each turn of the event loop is busy with requests. All that are ready when a turn begins are handed over one
 * after another, so each has waited for those before it; a request that finds a turn old already is one of too many.
 *
 * One long turn is no overload: the next is short again. So turns are judged only when they have been long for a while,
 * as CoDel judges a queue by its standing delay.
 *
 * @see https://queue.acm.org/detail.cfm?id=2209336 Nichols and Jacobson, "Controlling queue delay"
 */
export class LoopTurns {
  #open = false;
  #beganAt = 0;
  #endedAt = -Infinity;
  #longSince: number | undefined;

  constructor(
    private readonly clock: Clock,
    /** What a turn may last, ms. */
    private readonly longMs: number,
  ) {}

  /** A request came: how old the turn is, ms. */
  age(now: number): number {
    if (this.#open) return now - this.#beganAt;
    this.#open = true;
    this.#beganAt = now;
    // Between turns without requests the loop had time.
    if (now - this.#endedAt > this.longMs) this.#longSince = undefined;
    this.clock.setImmediate(this.#end);
    return 0;
  }

  /** Whether turns have been too long for a while. */
  standing(now: number): boolean {
    return this.#longSince !== undefined && now - this.#longSince > STANDING_MS;
  }

  readonly #end = (): void => {
    this.#open = false;
    this.#endedAt = this.clock.now();
    if (this.#endedAt - this.#beganAt < this.longMs) this.#longSince = undefined;
    else this.#longSince ??= this.#beganAt;
  };
}
