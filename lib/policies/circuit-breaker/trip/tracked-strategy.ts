import { heed, isObject, propertyOf } from '../../../errors/foreign.js';
import { accept, ask, notify, WRONG, type CallbackReporter, type Wanted } from '../../../kernel/ask.js';
import { recipeOf } from '../../../kernel/options/recipe.js';
import type { TripStrategy, TripTracker, TripWindow } from './trip-strategy.js';

/** Our own strategies that never open while nothing fails; what a user's does is not known. */
const NEED_FAILURES: ReadonlySet<string | undefined> = new Set(['failureRate', 'failureCount', 'consecutiveFailures']);

/** Whether to open, and why; `''` says no, and so does whoever says nothing. */
const verdict: Wanted<boolean | string> = {
  expected: 'true, false or a reason',
  read: (answer) => {
    if (typeof answer === 'boolean' || typeof answer === 'string') return answer;
    return answer === undefined || answer === null ? false : WRONG;
  },
};

const tracker: Wanted<TripTracker | undefined> = {
  expected: 'an object with shouldTrip()',
  read: (answer) => {
    if (answer === undefined) return undefined;
    return isObject(answer) && typeof propertyOf(answer, 'shouldTrip') === 'function' ? (answer as TripTracker) : WRONG;
  },
};

/**
 * A trip strategy at work in one breaker. It may be a user's, so each of its members may throw, give a promise or
 * rubbish: that is reported, and says nothing about the dependency.
 */
export class TrackedStrategy {
  /** Whether it wants to be told of each outcome. */
  readonly records: boolean;
  /** Whether it never opens while the window holds no failure. */
  readonly needsFailure: boolean;
  private readonly tracker: TripTracker;

  /** Where `track()` fails, the strategy's own `shouldTrip` is asked. */
  constructor(
    strategy: TripStrategy,
    windowMs: number,
    buckets: number,
    private readonly breaker: string,
    private readonly reporter: CallbackReporter,
  ) {
    const own = ask(reporter, this.place, tracker, undefined, () => strategy.track?.(windowMs, buckets));
    this.tracker = own ?? strategy;
    this.records = this.has('record');
    this.needsFailure = NEED_FAILURES.has(recipeOf(strategy)?.kind);
  }

  private get place(): string {
    return `${this.breaker}, trip strategy`;
  }

  record(failed: boolean, latencyMs: number, now: number): void {
    // It is told of each call: nothing is made for a strategy that goes well.
    try {
      const answer: unknown = this.tracker.record?.(failed, latencyMs, now);
      if (answer !== undefined) heed(answer, (error) => this.reporter.reportCallback(this.place, error));
    } catch (error) {
      this.reporter.reportCallback(this.place, error);
    }
  }

  /** @returns whether it wanted to know. */
  recordLost(ranMs: number, now: number): boolean {
    if (!this.has('recordLost')) return false;
    notify(this.reporter, this.place, () => this.tracker.recordLost?.(ranMs, now));
    return true;
  }

  /** Whether a probe that gave an answer after `latencyMs` has failed; a string is the reason. */
  failsProbe(latencyMs: number): boolean | string {
    if (!this.has('failsProbe')) return false;
    return ask(this.reporter, this.place, verdict, false, () => this.tracker.failsProbe?.(latencyMs));
  }

  /** The share of slow calls, 0 to 1; undefined where none are counted. */
  get slowCallRatio(): number | undefined {
    const ratio = propertyOf(this.tracker, 'slowCallRatio');
    return typeof ratio === 'number' ? ratio : undefined;
  }

  reset(): void {
    notify(this.reporter, this.place, () => this.tracker.reset?.());
  }

  /** Whether to open; a string is the reason. */
  shouldTrip(window: TripWindow): boolean | string {
    // It is asked after each call: nothing is made for the answer that nearly always comes.
    let answer: unknown;
    try {
      answer = this.tracker.shouldTrip(window);
    } catch (error) {
      this.reporter.reportCallback(this.place, error);
      return false;
    }
    return answer === false ? false : accept(this.reporter, this.place, verdict, false, answer);
  }

  private has(member: keyof TripTracker): boolean {
    return typeof propertyOf(this.tracker, member) === 'function';
  }
}

/** The name of a strategy, as reasons show it. */
export function strategyName(strategy: TripStrategy): string {
  const name = propertyOf(strategy, 'name');
  return typeof name === 'string' ? name : 'of its own';
}
