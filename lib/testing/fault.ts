import { instanceOf } from '../errors/foreign.js';
import type { Attempt } from '../kernel/attempt.js';
import type { Target } from '../planning/target.js';
import { FaultCall } from './fault-call.js';
import type { FaultOptions } from './fault.options.js';
import { hang, Outcome, real, throws } from './outcome.js';
import { seededRandom } from './seeded-random.js';

/** Whether a fault is meant for what a plan guards. */
export type Meets = (target: Target, names: readonly string[]) => boolean;

/**
 * A fault that has been put into an app.
 *
 * @publicApi
 */
export class Fault {
  readonly #options: FaultOptions;
  readonly #meets: Meets;
  readonly #random: () => number;
  readonly #stop: (fault: Fault) => void;
  #seen = 0;
  #hits = 0;

  /** @internal */
  constructor(options: FaultOptions, meets: Meets, stop: (fault: Fault) => void) {
    this.#options = options;
    this.#meets = meets;
    this.#random = seededRandom(options.seed ?? 1);
    this.#stop = stop;
  }

  /** How many attempts could have met it. */
  get seen(): number {
    return this.#seen;
  }

  /** How many attempts have met it. */
  get hits(): number {
    return this.#hits;
  }

  /** Takes it out; `reset()` takes out all. */
  stop(): void {
    this.#stop(this);
  }

  /** @internal */
  isFor(target: Target, names: readonly string[]): boolean {
    return this.#meets(target, names);
  }

  /** @internal What it makes of an attempt; undefined: this one does not meet it. */
  strike(attempt: Attempt): Outcome | undefined {
    const { rate = 1, when, latency = 0, error, hang: hangs = false } = this.#options;
    const call = new FaultCall(attempt);
    if (when !== undefined && !when(call)) return undefined;
    this.#seen++;
    // Chance is asked the same number of times for each attempt, so that one option does not shift another.
    const [chance, part] = [this.#random(), this.#random()];
    if (chance >= rate) return undefined;
    this.#hits++;
    const [least, most] = typeof latency === 'number' ? [latency, latency] : latency;
    const delayMs = least + (most - least) * part;
    return new Outcome(endOf(hangs, error, call).end, delayMs);
  }
}

function endOf(hangs: boolean, error: FaultOptions['error'], call: FaultCall): Outcome {
  if (hangs) return hang();
  if (error === undefined) return real();
  return throws(instanceOf(error, Error) ? error : error(call));
}
