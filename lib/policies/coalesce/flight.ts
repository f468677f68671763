import type { AbortListener } from '../../kernel/audience.js';
import type { Attempt } from '../../kernel/attempt.js';
import { callOf, type Call } from '../../kernel/call.js';
import { isJudgedBad, judgeBad } from '../../kernel/judged-bad.js';
import type { Inner } from '../../kernel/junction.js';
import type { Lifecycle, Running } from '../../kernel/policy.js';
import { markStale } from '../../kernel/stale.js';

/** The flight of each run, whatever its method: runs may wait for each other. */
const flights = new WeakMap<Call, Flight>();

/**
 * One execution and those who wait for it. The run is a call of its own: it belongs to the context of the first caller,
 * but nothing around that one cuts it. It may take as long as the most patient waiter has time, and is cut when the
 * last one leaves.
 */
export class Flight implements Running {
  readonly #run: Call;
  readonly #waiters = new Set<Waiter>();
  /** The latest deadline among the waiters. */
  #longest = -Infinity;

  /** @param onEnd told when nobody can join any more. */
  constructor(
    first: Attempt,
    private readonly inner: Inner,
    private readonly lifecycle: Lifecycle,
    private readonly onEnd: (flight: Flight) => void,
  ) {
    this.#run = callOf(inner.separate(first));
    this.#run.abortable = true;
    flights.set(this.#run, this);
  }

  /** Runs for `first`, and for whoever joins. */
  start(first: Attempt): Promise<unknown> {
    const result = this.join(first);
    this.lifecycle.enlist(this);
    this.inner.start(this.#run.current).then(
      (value) =>
        this.#land((waiter) => {
          shareFaults(this.#run, waiter.attempt);
          waiter.resolve(value);
        }),
      (error: unknown) => this.#land((waiter) => waiter.reject(error)),
    );
    return result;
  }

  join(attempt: Attempt): Promise<unknown> {
    attempt.rarely().inside = this.#run;
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(this, attempt, resolve, reject);
      this.#waiters.add(waiter);
      if (waiter.due > this.#longest) this.#bound(waiter.due);
      attempt.onAbort(waiter.leave);
    });
  }

  /** Whether `attempt` is part of this run, be it by way of others that wait for each other: it would wait for itself. */
  contains(attempt: Attempt, seen?: Set<Flight>): boolean {
    for (let around: Attempt | undefined = attempt; around !== undefined; around = around.around) {
      const flight = around.call === undefined ? undefined : flights.get(around.call as Call);
      if (flight === this) return true;
      if (flight === undefined || seen?.has(flight) === true) continue;
      const known = (seen ?? new Set()).add(flight);
      for (const waiter of flight.#waiters) if (this.contains(waiter.attempt, known)) return true;
    }
    return false;
  }

  /** @internal */
  left(waiter: Waiter, reason: unknown): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size === 0) {
      this.#end();
      this.#run.abort(reason);
    } else if (waiter.due === this.#longest) this.#bound(this.#longestOfAll());
  }

  /** Its work goes on for those who wait; but nothing of ours refers to them any more, should it never end. */
  shutDown(): void {
    this.#end();
  }

  #end(): void {
    this.lifecycle.delist(this);
    this.onEnd(this);
  }

  #land(tell: (waiter: Waiter) => void): void {
    this.#end();
    for (const waiter of this.#waiters) {
      waiter.attempt.offAbort(waiter.leave);
      tell(waiter);
    }
    this.#waiters.clear();
  }

  #bound(moment: number): void {
    this.#longest = moment;
    this.#run.patience = moment;
  }

  #longestOfAll(): number {
    let longest = -Infinity;
    for (const { due } of this.#waiters) {
      // Most waiters have the same time, or none at all that bounds them.
      if (due === this.#longest) return due;
      if (due > longest) longest = due;
    }
    return longest;
  }
}

/** What is wrong with a value is so for whoever gets it. */
function shareFaults(run: Call, attempt: Attempt): void {
  if (isJudgedBad(run)) judgeBad(attempt);
  const { rare } = run.current;
  if (rare?.staleMs !== undefined) markStale(attempt, rare.staleMs);
}

/** A caller that waits for a flight, until it lands or the caller leaves. */
class Waiter {
  readonly due: number;

  constructor(
    private readonly flight: Flight,
    readonly attempt: Attempt,
    readonly resolve: (value: unknown) => void,
    readonly reject: (error: unknown) => void,
  ) {
    this.due = attempt.deadline;
  }

  readonly leave: AbortListener = (reason) => {
    this.flight.left(this, reason);
    this.reject(reason);
  };
}
