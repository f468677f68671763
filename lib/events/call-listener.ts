import type { ResilienceEvent } from './resilience-event.js';

/** Hears of guarded calls. It hears all of a call, or nothing: whoever comes while a call runs hears of the next. */
export interface CallListener {
  /**
   * A call begins.
   *
   * @returns what hears the rest of it, one for all calls or one for each; undefined: nothing is to be heard of it.
   */
  begun(call: ObservedCall): CallObserver | undefined;
}

/** A guarded call, as its listeners know it. */
export interface ObservedCall {
  /** No two calls of an app have the same; the later, the higher. */
  readonly id: number;
  /**
   * The instance: the one name that the policies of the method were given, else `Class.method`; for `execute()` the name of
   * the set, for `fire()` that of the breaker.
   */
  readonly name: string;
  readonly className: string;
  readonly methodName: string;
  /** Whether another call of this request stands around it, an interceptor's, and says what the caller gets. */
  readonly inner: boolean;
  /** What it gives. */
  readonly kind: 'promise' | 'observable' | 'asyncIterable' | 'sync';
  /** When it came, epoch ms with fractions. */
  readonly startedAt: number;
}

/**
 * Hears a call to its end. All of it is told at once, where it happens: what throws is reported, and hurts nobody.
 *
 * Attempts that others share belong to the call that has begun them, and may end after it.
 */
export interface CallObserver {
  /** The method is called, after all waits. */
  attemptBegun?(attempt: AttemptBegun): void;
  /**
   * Calls the method of an attempt by `work()`, in a context of its own, say. Of an async iterable that is what opens it.
   * It may neither fail nor hold up anything; where it leaves `work` alone, that is called all the same.
   */
  run?(work: () => void, attempt: AttemptBegun): void;
  /** An attempt has ended for its call, be it that it never began; its work may go on. */
  attemptEnded?(attempt: AttemptEnded): void;
  /** An attempt was let through, or given up, after a wait for a turn. */
  waited?(wait: WaitEnded): void;
  /** A policy has decided what becomes of the call. */
  decided?(decision: Decided): void;
  /** The caller has its answer; it comes once, and last but for the attempts that go on for others. */
  ended?(end: CallEnded): void;
}

export interface AttemptBegun {
  /** From 1; no two attempts of a call have the same. */
  readonly number: number;
  /** When its method was called, epoch ms with fractions. */
  readonly startedAt: number;
  /** How long it waited for that, ms. */
  readonly waitedMs: number;
}

/**
 * How an attempt ended, as its breaker has judged it; without one, as a breaker without options would.
 * - `client_error`: the dependency worked and said no.
 * - `refused`: a policy turned it away, one inside its method included, or it did not get its turn in time.
 * - `aborted`: nobody wanted it any more.
 * - `ignored`: it says nothing of the dependency: taken out by `errorFilter`, or cut too soon.
 */
export type AttemptOutcome = 'success' | 'failure' | 'client_error' | 'refused' | 'aborted' | 'ignored';

/**
 * What has cut an attempt or a call: its time limit, its caller (whatever that one's reason), the end of the app, or the
 * faster attempt beside it.
 */
export type Cut = 'perAttempt' | 'total' | 'caller' | 'shutdown' | 'hedge';

export interface AttemptEnded {
  readonly number: number;
  readonly outcome: AttemptOutcome;
  /** When its method was called, epoch ms with fractions; undefined: it never was. */
  readonly startedAt: number | undefined;
  /** How long it waited for that, or in vain, ms. */
  readonly waitedMs: number;
  /** From the call of its method to the end, ms; undefined: it never began. */
  readonly durationMs: number | undefined;
  /** What it ended with, if that was an error. */
  readonly error: unknown;
  readonly cut: Cut | undefined;
}

/** A wait inside a policy. */
export interface WaitEnded {
  /** The instance. */
  readonly name: string;
  readonly policy: 'bulkhead' | 'rateLimit';
  readonly waitedMs: number;
  /** Whether its turn has come. */
  readonly granted: boolean;
}

/** What policies decide in the course of a call; a cut is told with the attempt and the call that it has ended. */
export type Decided = Extract<
  ResilienceEvent,
  { type: 'refused' | 'retry' | 'retrySuppressed' | 'hedge' | 'timeout' | 'fallback' | 'recovered' }
>;

/** What the caller got. An answer to a refusal, given for one call of `execute()`, is a `fallback`. */
export type CallOutcome = 'success' | 'failure' | 'client_error' | 'aborted' | 'refused' | 'fallback' | 'recovered';

export interface CallEnded {
  readonly outcome: CallOutcome;
  /** How long it took, waits included, ms. */
  readonly durationMs: number;
  /** How many attempts have ended, whether or not they had begun; 0 of a call that has joined the run of another. */
  readonly attempts: number;
  /** How many of them a retry has made. */
  readonly retries: number;
  /** What the caller got, if that was an error. */
  readonly error: unknown;
  readonly cut: Cut | undefined;
}
