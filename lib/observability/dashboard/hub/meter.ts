import type { CallCounts } from '../../../read-model/call-counts.js';
import { RecentDurations, type Percentiles } from './recent-durations.js';

const SECOND_MS = 1_000;

/** How many calls ended how. */
export interface Ended {
  calls: number;
  success: number;
  failure: number;
  refused: number;
  substituted: number;
}

/** Reads the counts of one instance, which only grow, as rates. */
export class Meter {
  #last: Ended;
  #lastAt: number;
  #point: Ended;
  readonly #durations: RecentDurations;

  /** @param since when counting began, at which nothing had been counted. */
  constructor(
    readonly counts: CallCounts,
    since: number,
  ) {
    this.#last = this.#point = NOTHING;
    this.#lastAt = since;
    this.#durations = new RecentDurations(counts, since);
  }

  /** What ended in a second, on average since this was last asked. */
  perSecond(now: number): Ended {
    const ended = endedOf(this.counts);
    const elapsed = Math.max(SECOND_MS / 2, now - this.#lastAt);
    const rate = scaled(minus(ended, this.#last), SECOND_MS / elapsed);
    this.#last = ended;
    this.#lastAt = now;
    return rate;
  }

  /** What ended since this was last asked. */
  sinceLastPoint(): Ended {
    const ended = endedOf(this.counts);
    const since = minus(ended, this.#point);
    this.#point = ended;
    return since;
  }

  percentiles(now: number): Percentiles {
    return this.#durations.at(now);
  }
}

const NOTHING: Ended = { calls: 0, success: 0, failure: 0, refused: 0, substituted: 0 };

function endedOf({ outcomes, refusals }: CallCounts): Ended {
  const { success, failure, client_error, aborted, refused, fallback, recovered } = outcomes;
  const substituted = fallback + recovered;
  const calls = success + failure + client_error + aborted + refused + substituted;
  // What only shares its policy with calls of other names has refused attempts of theirs.
  const turnedAway = calls > 0 ? refused : Object.values(refusals).reduce((all, count) => all + count, 0);
  // A dependency that says no has answered.
  return { calls, success: success + client_error, failure, refused: turnedAway, substituted };
}

function minus(one: Ended, other: Ended): Ended {
  return {
    calls: one.calls - other.calls,
    success: one.success - other.success,
    failure: one.failure - other.failure,
    refused: Math.max(0, one.refused - other.refused),
    substituted: one.substituted - other.substituted,
  };
}

/** Whole numbers; what happened at all is not rounded to nothing. */
function scaled(ended: Ended, factor: number): Ended {
  const of = (count: number): number => (count === 0 ? 0 : Math.max(1, Math.round(count * factor)));
  const { calls, success, failure, refused, substituted } = ended;
  return {
    calls: of(calls),
    success: of(success),
    failure: of(failure),
    refused: of(refused),
    substituted: of(substituted),
  };
}
