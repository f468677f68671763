import { isRefusal } from '../errors/resilience.exception.js';
import type {
  AttemptBegun,
  AttemptEnded,
  AttemptOutcome,
  CallListener,
  CallObserver,
  CallOutcome,
  Cut,
  Decided,
  ObservedCall,
  WaitEnded,
} from '../events/call-listener.js';
import type { EventBus, HeardCall } from '../events/event-bus.js';
import type { PolicyKey } from '../events/resilience-event.js';
import { endOf } from './attempt-end.js';
import type { Attempt } from './attempt.js';
import type { Call } from './call.js';
import type { Clock } from './clock.js';
import { cutOf } from './cut.js';
import { EndedAttempt, OUTCOMES } from './ended-attempt.js';
import { Failure } from './outcome/failure.js';
import {
  ATTEMPT_BEGUN,
  ATTEMPT_ENDED,
  DECIDED,
  ENDED,
  HEARS_BEGINNINGS,
  NOBODY,
  RUNS,
  runWithin,
  WAITED,
  type Telling,
} from './tellings.js';

/** What a breaker says of an attempt. */
export type Verdict = 'success' | 'failure' | 'ignored';

/**
 * One call that somebody observes, from its beginning to its end. Those who listen at its start hear all of it; it is
 * made for them alone. Metrics hear every call, so it makes nothing that nobody wants to hear.
 */
export class Observation implements HeardCall, ObservedCall {
  id = 0;
  kind: ObservedCall['kind'] = 'promise';
  private readonly listeners: readonly CallListener[];
  private observers: readonly CallObserver[] = NOBODY;
  private begun = false;
  /** Whether anybody calls methods, and whether anybody hears that they are called. */
  private runs = false;
  private hearsBeginnings = false;
  private wallOffset: number | undefined = undefined;
  private attempts = 0;
  private retries = 0;
  /** The number of the newest attempt that has begun. */
  private newest = 0;
  /** The newest attempt that has failed. */
  private failed: AttemptEnded | undefined = undefined;
  /** What its newest value is: one that its breaker takes for a failure is one. */
  private given: 'success' | 'failure' = 'success';
  private verdict: { readonly attempt: Attempt; readonly verdict: Verdict } | undefined = undefined;
  /** What stands in for the call. */
  private substitute: 'fallback' | 'recovered' | 'refused' | undefined = undefined;

  /** @param first the attempt with which it begins. */
  constructor(
    private readonly events: EventBus,
    private readonly first: Attempt,
  ) {
    this.listeners = events.calls ?? [];
  }

  get name(): string {
    return this.first.course.target.callName;
  }

  get className(): string {
    return this.first.className;
  }

  get methodName(): string {
    return this.first.methodName;
  }

  get startedAt(): number {
    return this.wallOf(this.first.since);
  }

  /** It begins, at the moment at which its first attempt came. */
  begin(kind: ObservedCall['kind']): void {
    if (this.begun) return;
    this.begun = true;
    this.kind = kind;
    this.id = this.events.callBegun();
    const observers: CallObserver[] = [];
    for (const listener of this.listeners) {
      try {
        const observer = listener.begun(this);
        if (observer !== undefined) observers.push(observer);
      } catch (error) {
        this.events.reportListener(error);
      }
    }
    this.observers = observers;
    this.runs = observers.some(RUNS);
    this.hearsBeginnings = this.runs || observers.some(HEARS_BEGINNINGS);
  }

  /** The method of an attempt is called, or has been, before anybody knew what it would give. */
  attemptBegun(attempt: Attempt): AttemptBegun | undefined {
    const { number } = attempt;
    const isNew = number > this.newest;
    this.newest = number;
    if (!this.hearsBeginnings) return undefined;
    const { since, startedAt = since } = attempt;
    const begun = { number, startedAt: this.wallOf(startedAt), waitedMs: startedAt - since };
    if (isNew) this.tell(ATTEMPT_BEGUN, begun);
    return begun;
  }

  /** The method of an attempt is called, by `work`. */
  run<T>(attempt: Attempt, work: (attempt: Attempt) => T): T {
    const begun = this.attemptBegun(attempt);
    if (!this.runs || begun === undefined) return work(attempt);
    return this.observers.reduceRight<() => T>(
      (inside, observer) =>
        observer.run === undefined ? inside : () => runWithin(observer, begun, inside, this.events),
      () => work(attempt),
    )();
  }

  /** A breaker has judged an attempt; {@link attemptEnded} comes next. */
  judged(attempt: Attempt, verdict: Verdict): void {
    this.verdict = { attempt, verdict };
  }

  /**
   * An attempt has ended for the call.
   *
   * @param startedAt when its method was called; undefined: it never was.
   */
  attemptEnded(attempt: Attempt, failure: Failure | undefined, startedAt = attempt.startedAt): void {
    const now = this.clock.now();
    const outcome = this.outcomeOf(attempt, failure);
    const error = failure?.error;
    if (outcome === 'refused' && startedAt === undefined) this.refused(error);
    const cut = failure === undefined ? undefined : this.cutOf(attempt, error);
    const ended = new EndedAttempt(this, attempt, outcome, startedAt, now, error, cut);
    this.attempts++;
    if (failure !== undefined) this.failed = ended;
    else this.given = outcome === 'failure' ? 'failure' : 'success';
    this.tell(ATTEMPT_ENDED, ended);
  }

  /** An attempt begins to wait inside a policy. @returns what is to be told of the end of that. */
  waits(inside: Pick<WaitEnded, 'name' | 'policy'>): (granted: boolean) => void {
    const since = this.clock.now();
    return (granted) => {
      const wait = { ...inside, waitedMs: this.clock.now() - since, granted };
      this.tell(WAITED, wait);
    };
  }

  decided(decision: Decided): void {
    if (decision.type === 'retry') this.retries++;
    if (decision.type === 'fallback' || decision.type === 'recovered') this.substitute = decision.type;
    this.tell(DECIDED, decision);
  }

  /** Something stands in for it of which no policy tells. */
  substituted(as: 'fallback' | 'refused' = 'fallback'): void {
    this.substitute = as;
  }

  /** Its caller has got a value. */
  ended(call: Call): void {
    this.end(call, this.substitute ?? this.given, undefined, this.substitute !== undefined);
  }

  /** Its caller has got an error. */
  endedBy(call: Call, error: unknown): void {
    this.end(call, this.outcomeOfCall(call, error), error, true);
  }

  /** @param failed whether its attempts have come to nothing. */
  private end(call: Call, outcome: CallOutcome, error: unknown, failed: boolean): void {
    const durationMs = this.clock.now() - this.first.since;
    const cut = failed ? this.cutOfCall(call, error) : undefined;
    const ended = { outcome, durationMs, attempts: this.attempts, retries: this.retries, error, cut };
    this.tell(ENDED, ended);
    this.events.callEnded();
  }

  private cutOf(attempt: Attempt, error: unknown): Cut | undefined {
    const call = this.first.call as Call | undefined;
    const byCaller = call?.aborted === true && call.reason === attempt.reason;
    return cutOf(error, attempt.aborted ? attempt : undefined, byCaller);
  }

  /** What has cut a call as a whole, or else its last attempt. */
  private cutOfCall({ aborted, stopped, stopReason }: Call, error: unknown): Cut | undefined {
    return cutOf(error, stopped ? { reason: stopReason } : undefined, aborted) ?? this.failed?.cut;
  }

  private outcomeOf(attempt: Attempt, failure: Failure | undefined): AttemptOutcome {
    const verdict = this.verdict?.attempt === attempt ? this.verdict.verdict : undefined;
    this.verdict = undefined;
    if (failure === undefined) return verdict ?? 'success';
    const outcome = OUTCOMES[endOf(attempt, failure)];
    if (verdict === undefined || verdict === 'failure' || (outcome !== 'failure' && outcome !== 'client_error'))
      return outcome;
    return verdict === 'success' ? 'client_error' : 'ignored';
  }

  /** What its last attempt says, if the caller got the error of that. */
  private outcomeOfCall(call: Call, error: unknown): CallOutcome {
    const last = this.failed;
    if (last !== undefined && last.error === error && last.outcome !== 'ignored') return last.outcome;
    const { kind } = new Failure(error).judge(call.aborted, call.reason);
    return kind === 'answered' ? 'client_error' : kind;
  }

  private refused(error: unknown): void {
    // A wait that time or a shutdown has ended is told as such.
    if (!isRefusal(error) || error.code === 'TIMEOUT' || error.code === 'SHUTDOWN') return;
    const { instanceName: name, code, retryAfterMs, details } = error;
    const at = Math.round(this.clock.wallNow());
    this.decided({ type: 'refused', at, name, policy: error.policy as PolicyKey, code, retryAfterMs, details });
  }

  /** A moment of the monotonic clock as epoch ms: by one offset for all of a call, since the wall's clock ticks in whole ms. */
  wallOf(moment: number): number {
    return moment + (this.wallOffset ??= this.clock.wallNow() - this.clock.now());
  }

  private get clock(): Clock {
    return this.first.course.target.clock;
  }

  private tell<T>(telling: Telling<T>, what: T): void {
    for (const observer of this.observers) {
      try {
        telling(observer, what);
      } catch (error) {
        this.events.reportListener(error);
      }
    }
  }
}
