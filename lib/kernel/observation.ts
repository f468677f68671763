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
import { endOf } from './attempt-end.js';
import type { Attempt } from './attempt.js';
import type { Call } from './call.js';
import type { Clock } from './clock.js';
import { cutOf } from './cut.js';
import { EndedAttempt, outcomeOf, type Verdict } from './ended-attempt.js';
import { Failure } from './outcome/failure.js';
import { tellRefusal } from './refused.js';
import { ATTEMPT_BEGUN, ATTEMPT_ENDED, DECIDED, ENDED, NOBODY, runWithin, WAITED, type Telling } from './tellings.js';

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
  /** When its newest attempt ended. */
  private endedAt: number | undefined = undefined;
  /** Whether its caller has got what it came to; the attempts of a retry lie inside each other. */
  private over = false;
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

  get inner(): boolean {
    return this.first.course.target.inner === true;
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
        if (observer === undefined) continue;
        observers.push(observer);
        if (observer.run !== undefined) this.runs = this.hearsBeginnings = true;
        else if (observer.attemptBegun !== undefined) this.hearsBeginnings = true;
      } catch (error) {
        this.events.reportListener(error);
      }
    }
    this.observers = observers;
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
    if (outcome === 'refused' && startedAt === undefined) tellRefusal(this, error, this.clock);
    const cut = failure === undefined ? undefined : this.cutOf(attempt, error);
    const ended = new EndedAttempt(this, attempt, outcome, startedAt, now, error, cut);
    this.attempts++;
    this.endedAt = now;
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
    if (this.substitute === undefined) this.end(call, this.given, undefined, false, this.endedAt);
    else this.end(call, this.substitute, undefined, true);
  }

  /** Its caller has got an error. */
  endedBy(call: Call, error: unknown): void {
    this.end(call, this.outcomeOfCall(call, error), error, true);
  }

  /** @param failed whether its attempts have come to nothing. */
  private end(call: Call, outcome: CallOutcome, error: unknown, failed: boolean, at = this.clock.now()): void {
    if (this.over) return;
    this.over = true;
    const durationMs = at - this.first.since;
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
    return failure === undefined ? (verdict ?? 'success') : outcomeOf(endOf(attempt, failure), verdict);
  }

  /** What its last attempt says, if the caller got the error of that. */
  private outcomeOfCall(call: Call, error: unknown): CallOutcome {
    const last = this.failed;
    if (last !== undefined && last.error === error && last.outcome !== 'ignored') return last.outcome;
    const { kind } = new Failure(error).judge(call.aborted, call.reason);
    return kind === 'answered' ? 'client_error' : kind;
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
