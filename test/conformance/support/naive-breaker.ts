import type { CircuitState } from 'nestjs-bulwark';

export type Trip =
  | { readonly rule: 'failureRate' }
  | { readonly rule: 'consecutiveFailures' | 'failureCount'; readonly limit: number }
  | { readonly rule: 'countWindow'; readonly size: number; readonly percentage: number; readonly minimum: number };

export interface NaiveOptions {
  readonly trip: Trip;
  readonly rollingCountTimeout: number;
  readonly rollingCountBuckets: number;
  readonly errorThresholdPercentage: number;
  readonly volumeThreshold: number;
  readonly resetTimeout: number;
  readonly halfOpenCalls: number;
  readonly halfOpenErrorThresholdPercentage: number;
  readonly halfOpenMaxWait: number;
  readonly mode: 'normal' | 'metricsOnly';
}

/** How a call ended, in the words of the contract. */
export type Verdict = 'success' | 'failure' | 'ignored';

/** An admitted call. */
export interface Ticket {
  readonly era: number;
  readonly at: number;
  /** It would have been refused, so it decides nothing; but it counts. */
  readonly shadow: boolean;
}

/**
 * The contract of the circuit breaker, written down as simply as can be: it keeps every outcome in a list and works
 * everything out anew each time it is asked.
 */
export class NaiveBreaker {
  state: CircuitState = 'closed';
  /** Every change of state, as `from > to @ moment` in whole ms. */
  readonly changes: { change: string; at: number }[] = [];
  /** Which state it is in since it was made: a call counts only in the one in which it began. */
  #era = 0;
  #since: number;
  #outcomes: { at: number; failed: boolean }[] = [];
  #rejects: { at: number }[] = [];
  #running: Ticket[] = [];
  #probes: { failed: boolean }[] = [];

  constructor(
    private readonly options: NaiveOptions,
    now: number,
  ) {
    this.#since = now;
  }

  /** Lets everything happen that the clock alone brings about. */
  settle(now: number): void {
    for (let next = this.#next(); next !== undefined && next.at <= now; next = this.#next())
      this.enter(next.to, next.at);
  }

  begin(now: number): Ticket | undefined {
    this.settle(now);
    const { state } = this;
    const probesLeft = this.options.halfOpenCalls - this.#running.length - this.#probes.length;
    if (state === 'open' || state === 'forcedOpen' || (state === 'halfOpen' && probesLeft <= 0)) {
      this.#rejects.push({ at: now });
      // What an operator has forced open refuses all the same.
      const goesOn = this.options.mode === 'metricsOnly' && state !== 'forcedOpen';
      return goesOn ? { era: this.#era, at: now, shadow: true } : undefined;
    }
    const ticket = { era: this.#era, at: now, shadow: false };
    this.#running.push(ticket);
    return ticket;
  }

  end(ticket: Ticket, verdict: Verdict, now: number): void {
    this.settle(now);
    this.#running = this.#running.filter((other) => other !== ticket);
    if (ticket.era !== this.#era || this.state === 'disabled' || verdict === 'ignored') return;
    this.#outcomes.push({ at: now, failed: verdict === 'failure' });
    if (ticket.shadow) return;
    if (this.state === 'halfOpen') {
      this.#probes.push({ failed: verdict === 'failure' });
      const { halfOpenCalls, halfOpenErrorThresholdPercentage } = this.options;
      const mayFail = Math.floor((halfOpenCalls * halfOpenErrorThresholdPercentage) / 100);
      if (this.#probes.filter(({ failed }) => failed).length > mayFail) this.enter('open', now);
      else if (this.#probes.length === halfOpenCalls) this.enter('closed', now);
    } else if (this.#trips(now)) this.enter('open', now);
  }

  enter(to: CircuitState, at: number): void {
    if (to !== this.state) this.changes.push({ change: `${this.state} > ${to} @ ${Math.round(at)}`, at });
    if (to === 'closed') [this.#outcomes, this.#rejects] = [[], []];
    this.#running = [];
    this.#probes = [];
    this.#since = at;
    this.#era++;
    this.state = to;
  }

  /** Time to the next probe, while it is open. */
  timeToProbe(now: number): number | undefined {
    return this.state === 'open' ? this.#since + this.options.resetTimeout - now : undefined;
  }

  counts(now: number): { successes: number; failures: number; rejects: number } {
    const outcomes = this.#inWindow(this.#outcomes, now);
    const failures = outcomes.filter(({ failed }) => failed).length;
    return { successes: outcomes.length - failures, failures, rejects: this.#inWindow(this.#rejects, now).length };
  }

  #next(): { to: CircuitState; at: number } | undefined {
    if (this.state === 'open') return { to: 'halfOpen', at: this.#since + this.options.resetTimeout };
    if (this.state !== 'halfOpen' || this.#running.length === 0) return undefined;
    return { to: 'open', at: Math.min(...this.#running.map(({ at }) => at)) + this.options.halfOpenMaxWait };
  }

  #trips(now: number): boolean {
    const { trip, volumeThreshold, errorThresholdPercentage } = this.options;
    const { successes, failures } = this.counts(now);
    const calls = successes + failures;
    const last = (size: number) => this.#outcomes.slice(-size);
    const failed = (size: number): number => last(size).filter((outcome) => outcome.failed).length;
    switch (trip.rule) {
      case 'failureRate':
        return calls >= volumeThreshold && failures > 0 && failures * 100 >= errorThresholdPercentage * calls;
      case 'failureCount':
        return failures >= trip.limit;
      case 'consecutiveFailures':
        return failed(trip.limit) === trip.limit;
      case 'countWindow':
        return (
          last(trip.size).length >= trip.minimum &&
          failed(trip.size) > 0 &&
          failed(trip.size) * 100 >= trip.percentage * last(trip.size).length
        );
    }
  }

  /** Buckets lie at the multiples of their length. */
  #inWindow<T extends { at: number }>(all: T[], now: number): T[] {
    const { rollingCountTimeout, rollingCountBuckets } = this.options;
    const bucketMs = rollingCountTimeout / rollingCountBuckets;
    const oldest = Math.floor(now / bucketMs) - rollingCountBuckets + 1;
    return all.filter(({ at }) => Math.floor(at / bucketMs) >= oldest);
  }
}
