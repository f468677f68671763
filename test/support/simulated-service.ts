import { AdaptiveLimit } from '../../lib/kernel/adaptive-limit/adaptive-limit.js';
import { adaptive, type AdaptiveOptions } from '../../lib/kernel/adaptive-limit/adaptive.options.js';
import { seededRandom } from './seeded-random.js';

/** What a service is like; it may change while it runs. */
export interface ServiceModel {
  /** How many it works on at once; the others wait in its queue, first come first served. */
  slots: number;
  /** How long one piece of work takes, ms. */
  workMs: (random: () => number) => number;
  /** A caller gives up after this long, ms. */
  timeoutMs?: number;
}

interface Arrival {
  readonly at: number;
  readonly run: () => void;
}

/** Callers behind an adaptive limit and a service with a queue, in virtual time; the same seed gives the same run. */
export class Simulation {
  now = 0;
  inFlight = 0;
  done = 0;
  refused = 0;
  /** What the limit was, at each end of a call. */
  readonly limits: { at: number; limit: number; current: number }[] = [];
  readonly limit: AdaptiveLimit;
  readonly #random: () => number;
  readonly #events: Arrival[] = [];
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor(
    readonly model: ServiceModel,
    options: AdaptiveOptions = {},
    seed = 1,
  ) {
    this.#random = seededRandom(seed);
    this.limit = new AdaptiveLimit(adaptive(options).options, 0);
  }

  /** Lets calls arrive at random, so many a second, for so long; those that find no room are refused. */
  offer(perSecond: number, ms: number): void {
    const end = this.now + ms;
    const next = (): number => (-Math.log(1 - this.#random()) * 1_000) / perSecond;
    const arrive = (): void => {
      this.#call();
      this.#after(next(), arrive, end);
    };
    this.#after(next(), arrive, end);
    this.#runUntil(end);
  }

  /** The lowest and the highest settled limit from `from` on, ms. */
  range(from: number, to = Infinity): [number, number] {
    const seen = this.limits.filter(({ at }) => at >= from && at <= to).map(({ limit }) => limit);
    return [Math.min(...seen), Math.max(...seen)];
  }

  /** The lowest limit of all, probes included. */
  get lowest(): number {
    return this.limits.reduce((lowest, { current }) => Math.min(lowest, current), Infinity);
  }

  #call(): void {
    if (this.inFlight >= this.limit.current) return void this.refused++;
    this.limit.began(this.now, ++this.inFlight);
    const began = this.now;
    let open = true;
    const end = (whole: boolean): void => {
      if (!open) return;
      open = false;
      this.limit.ended(this.now, this.now - began, this.inFlight, whole ? 'done' : 'cut');
      this.inFlight--;
      if (whole) this.done++;
      this.limits.push({ at: this.now, limit: this.limit.settled, current: this.limit.current });
    };
    if (this.model.timeoutMs !== undefined) this.#after(this.model.timeoutMs, () => end(false));
    const work = (): void => {
      this.#busy++;
      this.#after(this.model.workMs(this.#random), () => {
        this.#busy--;
        end(true);
        if (this.#busy < this.model.slots) this.#queue.shift()?.();
      });
    };
    if (this.#busy < this.model.slots) work();
    else this.#queue.push(work);
  }

  #after(ms: number, run: () => void, before = Infinity): void {
    const at = this.now + ms;
    if (at > before) return;
    let low = 0;
    for (let high = this.#events.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as Arrival).at > at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { at, run });
  }

  #runUntil(end: number): void {
    for (let next = this.#events.at(-1); next !== undefined && next.at <= end; next = this.#events.at(-1)) {
      this.#events.pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
}
