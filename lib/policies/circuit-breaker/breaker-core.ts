import { retryAfterOf } from '../../kernel/retry-after.js';
import type { Advice, OpenedBy } from './advice.js';
import { Circuit } from './circuit.js';
import { REFUSED, type Failure, type Permit } from './permit.js';
import { transitionTimerOf } from './state/transition-timer.js';

/** A breaker as its calls meet it: it lets them begin or not, counts how they end, and judges by that. */
export class BreakerCore extends Circuit {
  /** How many calls run under it. */
  inFlight = 0;

  /**
   * Lets a call begin at `now`, and says for how many its latency stands. {@link REFUSED}: it may not, and is counted as
   * refused.
   */
  admit(now: number): number {
    if (!this.machine.steady) return this.admitUnsteady(now);
    this.tally.fire(now);
    const weight = this.tally.weightAt(now);
    this.inFlight++;
    return weight;
  }

  private admitUnsteady(now: number): number {
    const { machine, tally } = this;
    // What is disabled counts nothing.
    if (machine.recorded !== 'disabled') {
      machine.settle(now);
      tally.fire(now);
      if (!machine.admit(now)) {
        tally.reject(now);
        return REFUSED;
      }
      if (machine.recorded === 'halfOpen') transitionTimerOf(this.environment).watch(this);
    }
    // What is not closed for every call looks at each outcome.
    const weight = Math.max(1, tally.weightAt(now));
    this.inFlight++;
    return weight;
  }

  /**
   * Only watches a call that it would refuse: tells so, and counts what becomes of it. Its own state goes on as if the call
   * had not been let through.
   */
  lookOn(now: number): void {
    if (this.environment.events.active) this.events.tellRefused(this.refusals.errorAt(now), true);
    this.inFlight++;
  }

  /**
   * An attempt that it let through is over, whatever became of it. To be called once for each, before anything else: what
   * comes after looks at values that are not ours.
   */
  release(): void {
    this.inFlight--;
  }

  /**
   * Counts a success of weight 0 without reading the clock, where nobody asks for its time. Returns false where somebody
   * does.
   */
  succeededUnmeasured(permit: Permit): boolean {
    const { tally } = this;
    if (tally.looksAtSuccesses || this.environment.events.hasListeners || this.events.listenedTo) return false;
    if (permit.epoch !== this.machine.epoch) return true;
    tally.successUnmeasured();
    if (!tally.quiet) this.judge(undefined, undefined);
    return true;
  }

  succeeded(permit: Permit, latencyMs: number, now: number, result: unknown): void {
    if (!this.counts(permit, now)) return;
    const { weight } = permit;
    this.tally.success(latencyMs, Math.abs(weight), now);
    if (this.hears('success')) this.tell('success', result, latencyMs);
    if (weight === REFUSED) return;
    if (this.machine.recorded === 'halfOpen') this.judgeProbe(permit, latencyMs, now);
    else this.judge(now, undefined);
  }

  failed(permit: Permit, now: number, failure: Failure): void {
    if (!this.counts(permit, now)) return;
    const { latencyMs, error, timedOut, args } = failure;
    const { weight } = permit;
    this.tally.failure(timedOut, latencyMs, Math.abs(weight), now);
    if (timedOut && this.hears('timeout')) this.tell('timeout', error, latencyMs, args);
    if (this.hears('failure')) this.tell('failure', error, latencyMs, args);
    if (weight === REFUSED) return;
    if (this.machine.recorded === 'halfOpen') this.probeFailed(permit, now, 'a probe failed', failure);
    else {
      this.judge(now, failure);
      if (this.advice !== undefined) this.heed(this.advice, now, failure);
    }
  }

  /** @param full the error of a bulkhead inside that had no room. */
  ignored(permit: Permit, now: number, full: Error | undefined): void {
    if (full !== undefined && this.machine.recorded !== 'disabled') {
      this.tally.semaphoreRejection(now);
      this.tell('semaphoreLocked', full, now - permit.since);
    }
    if (this.counts(permit, now)) this.handBack(permit);
  }

  /** An outcome could not be judged: it counts nowhere. */
  unjudged(permit: Permit, fault: unknown): void {
    if (permit.epoch === this.machine.epoch) this.handBack(permit);
    this.environment.reportCallback(`${this.place}, judging an outcome`, fault);
  }

  /** A faster attempt answered: it counts nowhere, but may have been slow. `ranMs` is undefined if it never began. */
  lost(permit: Permit, now: number, ranMs: number | undefined): void {
    if (!this.counts(permit, now)) return;
    if (this.machine.recorded === 'halfOpen') {
      const slow = ranMs === undefined || permit.weight === REFUSED ? undefined : this.tally.whyProbeFailed(ranMs);
      if (permit.epoch !== this.machine.epoch) return;
      if (slow === undefined) this.handBack(permit);
      else this.probeFailed(permit, now, slow, undefined);
      return;
    }
    if (ranMs === undefined || !this.tally.lost(ranMs, now) || permit.weight === REFUSED) return;
    this.tally.advance(now);
    this.judge(now, undefined);
  }

  /** Somebody's fallback has answered for a call under it. A disabled breaker counts nothing. */
  fellBack(answer: unknown, error: unknown): void {
    if (this.machine.recorded === 'disabled' || this.isShutDown) return;
    this.tally.fallback(this.environment.clock.now());
    this.tell('fallback', answer, error);
  }

  /** Whether the outcome of an attempt still counts: only in the state in which the attempt began. */
  private counts({ epoch }: Permit, now: number): boolean {
    const { machine } = this;
    if (machine.recorded !== 'closed') machine.settle(now);
    return epoch === machine.epoch && machine.recorded !== 'disabled';
  }

  private handBack({ since, weight }: Permit): void {
    if (weight !== REFUSED) this.machine.handBack(since);
  }

  /** @param now undefined: the clock has not been read. */
  private judge(now: number | undefined, failure: Failure | undefined): void {
    const why = this.tally.whyTrip();
    if (why !== undefined) this.tripBy(now ?? this.environment.clock.now(), why, failure);
  }

  /** A call has failed that did not open it by itself. */
  private heed(advice: Advice, now: number, failure: Failure): void {
    const why = advice.whyTrip(now);
    if (why !== undefined) this.tripBy(now, why, failure, 'advice');
  }

  private judgeProbe(permit: Permit, latencyMs: number, now: number): void {
    const slow = this.tally.whyProbeFailed(latencyMs);
    // A strategy of the user's may have steered it meanwhile.
    if (permit.epoch !== this.machine.epoch) return;
    if (slow === undefined) this.machine.probeSucceeded(permit.since, now);
    else this.probeFailed(permit, now, slow, undefined);
  }

  private probeFailed({ since }: Permit, now: number, reason: string, failure: Failure | undefined): void {
    const why = this.machine.probeFailed(since, now, reason);
    if (why !== undefined) this.tripBy(now, why, failure);
  }

  private tripBy(now: number, reason: string, failure: Failure | undefined, by: OpenedBy = 'calls'): void {
    const askedForMs = failure === undefined ? 0 : (retryAfterOf(failure.answer, this.environment.clock) ?? 0);
    this.trip(now, reason, by, failure?.error, askedForMs);
  }

  /** The mean time of a success in the window that ends at `now`, ms; undefined without a success. */
  meanSuccessMsAt(now: number): number | undefined {
    this.tally.advance(now);
    return this.tally.meanSuccessMs;
  }
}
