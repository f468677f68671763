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
import { endOf, type AttemptEnd } from './attempt-end.js';
import type { Attempt } from './attempt.js';
import type { Call } from './call.js';
import type { Clock } from './clock.js';
import { cutOf } from './cut.js';
import { Failure } from './outcome/failure.js';

/** How an attempt ended, where no breaker has a word. */
const OUTCOMES: Readonly<Record<AttemptEnd, AttemptOutcome>> = {
  refused: 'refused',
  lost: 'aborted',
  notBegun: 'ignored',
  shutDown: 'aborted',
  left: 'success',
  aborted: 'aborted',
  answered: 'client_error',
  failure: 'failure',
};

/** What a breaker says of an attempt. */
export type Verdict = 'success' | 'failure' | 'ignored';

/**
 * One call that somebody observes, from its beginning to its end. Those who listen at its start hear all of it; it is
 * made for them alone.
 */
export class Observation implements HeardCall {
  readonly #listeners: readonly CallListener[];
  readonly #clock: Clock;
  /** What a moment of the clock lacks to one of the wall's: the same for all of a call, since that one ticks in whole ms. */
  readonly #wallOffset: number;
  #observers: readonly CallObserver[] = [];
  #begun = false;
  #attempts = 0;
  #retries = 0;
  /** The number of the newest attempt that has begun. */
  #newest = 0;
  /** The newest attempt that has failed. */
  #failed: AttemptEnded | undefined = undefined;
  /** What its newest value is: one that its breaker takes for a failure is one. */
  #given: 'success' | 'failure' = 'success';
  #judged: { readonly attempt: Attempt; readonly verdict: Verdict } | undefined = undefined;
  /** What stands in for the call. */
  #substitute: 'fallback' | 'recovered' | undefined = undefined;

  /** @param first the attempt with which it begins. */
  constructor(
    private readonly events: EventBus,
    private readonly first: Attempt,
  ) {
    this.#listeners = events.calls ?? [];
    this.#clock = first.course.target.clock;
    this.#wallOffset = this.#clock.wallNow() - this.#clock.now();
  }

  /** It begins, at the moment at which its first attempt came. */
  begin(kind: ObservedCall['kind']): void {
    if (this.#begun) return;
    this.#begun = true;
    const { events, first } = this;
    const { className, methodName, since } = first;
    const { callName: name } = first.course.target;
    const call = { id: events.callBegun(), name, className, methodName, kind, startedAt: this.#wallOf(since) };
    this.#observers = this.#listeners.flatMap((listener) => {
      let observer: CallObserver | undefined;
      events.tell((told) => (observer = listener.begun(told)), call);
      return observer ?? [];
    });
  }

  /** The method of an attempt is called, or has been, before anybody knew what it would give. */
  attemptBegun(attempt: Attempt): AttemptBegun {
    const { number, since, startedAt = since } = attempt;
    const begun = { number, startedAt: this.#wallOf(startedAt), waitedMs: startedAt - since };
    if (number > this.#newest) this.#tell((observer) => observer.attemptBegun?.(begun));
    this.#newest = number;
    return begun;
  }

  /** The method of an attempt is called, by `work`. */
  run<T>(attempt: Attempt, work: () => T): T {
    const begun = this.attemptBegun(attempt);
    return this.#observers.reduceRight<() => T>(
      (inside, observer) => (observer.run === undefined ? inside : () => this.#within(observer, begun, inside)),
      work,
    )();
  }

  /** Work is called once, whatever the observer makes of it. */
  #within<T>(observer: CallObserver, begun: AttemptBegun, work: () => T): T {
    let result: { readonly value: T } | { readonly error: unknown } | undefined;
    const once = (): void => {
      if (result !== undefined) return;
      try {
        result = { value: work() };
      } catch (error) {
        result = { error };
      }
    };
    this.events.tell((told) => observer.run?.(once, told), begun);
    once();
    const end = result as unknown as { readonly value: T } | { readonly error: unknown };
    if ('error' in end) throw end.error;
    return end.value;
  }

  /** A breaker has judged an attempt; {@link attemptEnded} comes next. */
  judged(attempt: Attempt, verdict: Verdict): void {
    this.#judged = { attempt, verdict };
  }

  /**
   * An attempt has ended for the call.
   *
   * @param startedAt when its method was called; undefined: it never was.
   */
  attemptEnded(attempt: Attempt, failure: Failure | undefined, startedAt = attempt.startedAt): void {
    const { number, since } = attempt;
    const now = this.#clock.now();
    const outcome = this.#outcomeOf(attempt, failure);
    const error = failure?.error;
    if (outcome === 'refused' && startedAt === undefined) this.#refused(error);
    const ended: AttemptEnded = {
      number,
      outcome,
      startedAt: startedAt === undefined ? undefined : this.#wallOf(startedAt),
      waitedMs: (startedAt ?? now) - since,
      durationMs: startedAt === undefined ? undefined : now - startedAt,
      error,
      cut: failure === undefined ? undefined : this.#cutOf(attempt, error),
    };
    this.#attempts++;
    if (failure !== undefined) this.#failed = ended;
    else this.#given = outcome === 'failure' ? 'failure' : 'success';
    this.#tell((observer) => observer.attemptEnded?.(ended));
  }

  /** An attempt begins to wait inside a policy. @returns what is to be told of the end of that. */
  waits(inside: Pick<WaitEnded, 'name' | 'policy'>): (granted: boolean) => void {
    const since = this.#clock.now();
    return (granted) => {
      const wait = { ...inside, waitedMs: this.#clock.now() - since, granted };
      this.#tell((observer) => observer.waited?.(wait));
    };
  }

  decided(decision: Decided): void {
    if (decision.type === 'retry') this.#retries++;
    if (decision.type === 'fallback' || decision.type === 'recovered') this.#substitute = decision.type;
    this.#tell((observer) => observer.decided?.(decision));
  }

  /** Something stands in for it of which no policy tells. */
  substituted(): void {
    this.#substitute = 'fallback';
  }

  /** Its caller has got a value. */
  ended(call: Call): void {
    this.#end(call, this.#substitute ?? this.#given, undefined, this.#substitute !== undefined);
  }

  /** Its caller has got an error. */
  endedBy(call: Call, error: unknown): void {
    this.#end(call, this.#outcomeOfCall(call, error), error, true);
  }

  /** @param failed whether its attempts have come to nothing. */
  #end(call: Call, outcome: CallOutcome, error: unknown, failed: boolean): void {
    const durationMs = this.#clock.now() - this.first.since;
    const cut = failed ? this.#cutOfCall(call, error) : undefined;
    const ended = { outcome, durationMs, attempts: this.#attempts, retries: this.#retries, error, cut };
    this.#tell((observer) => observer.ended?.(ended));
    this.events.callEnded();
  }

  #cutOf(attempt: Attempt, error: unknown): Cut | undefined {
    const call = this.first.call as Call | undefined;
    const byCaller = call?.aborted === true && call.reason === attempt.reason;
    return cutOf(error, attempt.aborted ? attempt : undefined, byCaller);
  }

  /** What has cut a call as a whole, or else its last attempt. */
  #cutOfCall({ aborted, stopped, stopReason }: Call, error: unknown): Cut | undefined {
    return cutOf(error, stopped ? { reason: stopReason } : undefined, aborted) ?? this.#failed?.cut;
  }

  #outcomeOf(attempt: Attempt, failure: Failure | undefined): AttemptOutcome {
    const verdict = this.#judged?.attempt === attempt ? this.#judged.verdict : undefined;
    this.#judged = undefined;
    if (failure === undefined) return verdict ?? 'success';
    const outcome = OUTCOMES[endOf(attempt, failure)];
    if (verdict === undefined || verdict === 'failure' || (outcome !== 'failure' && outcome !== 'client_error'))
      return outcome;
    return verdict === 'success' ? 'client_error' : 'ignored';
  }

  /** What its last attempt says, if the caller got the error of that. */
  #outcomeOfCall(call: Call, error: unknown): CallOutcome {
    const last = this.#failed;
    if (last !== undefined && last.error === error && last.outcome !== 'ignored') return last.outcome;
    const { kind } = new Failure(error).judge(call.aborted, call.reason);
    return kind === 'answered' ? 'client_error' : kind;
  }

  #refused(error: unknown): void {
    // A wait that time or a shutdown has ended is told as such.
    if (!isRefusal(error) || error.code === 'TIMEOUT' || error.code === 'SHUTDOWN') return;
    const { instanceName: name, code, retryAfterMs, details } = error;
    const at = Math.round(this.#wallOf(this.#clock.now()));
    this.decided({ type: 'refused', at, name, policy: error.policy as PolicyKey, code, retryAfterMs, details });
  }

  #wallOf(moment: number): number {
    return moment + this.#wallOffset;
  }

  #tell(what: (observer: CallObserver) => void): void {
    for (const observer of this.#observers) this.events.tell(what, observer);
  }
}
