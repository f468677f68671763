/**
 * What a handler, predicate or key function learns about the call it is asked about.
 *
 * @publicApi
 */
export interface CallInfo<T = unknown> {
  /** The class of the instance that was called. */
  readonly className: string;
  readonly methodName: string;
  readonly args: readonly unknown[];
  readonly instance: T;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** Aborts when the attempt is cut: by a time limit, its caller or shutdown; never because it ended. */
  readonly signal: AbortSignal;
  /** In an interceptor: the ExecutionContext of the request. */
  readonly context?: unknown;
}

export type AbortListener = (reason: unknown) => void;

/**
 * A call on its way through the policies. Policies share it: the outer ones cut it, the inner ones tell what became
 * of it.
 */
export interface Call extends CallInfo {
  /** Latest moment of the monotonic clock at which an answer is of use; Infinity if nothing bounds it. */
  readonly deadline: number;
  /** Whether something outside this call's own policies can cut it. */
  readonly abortable: boolean;
  readonly aborted: boolean;
  /** Why it was cut. */
  readonly reason: unknown;
  /** When the method was called, on the monotonic clock; undefined while it has not begun. */
  readonly startedAt: number | undefined;
  /** Whether a stream has given an item: from then on the call cannot be repeated. */
  readonly emitted: boolean;
  /** Whether it is the probe of a half-open breaker: it must not wait for a slot. */
  probe: boolean;
  /** Where the call says that it waits for a slot, so that a tripping breaker can end the wait. */
  waitingRoom: WaitingRoom | undefined;
  /** When it began to wait for its turn outside its own time limit, which bounds that wait as well. */
  waitingSince: number | undefined;
  /**
   * Wants to be told how the attempt ends. A policy further in whose promise the answer will be anyway may take it from
   * here and tell it; else who has put it here listens to the promise, which costs a promise more.
   */
  observer: AttemptObserver | undefined;
  /** What its work occupies for as long as it goes on. */
  slot: Holding | undefined;
  /** Whether a signal of its caller's can cut it, or one of a call around it. */
  readonly signalled: boolean;
  /** Told about each item of a stream, so that a time limit can bound the next one. */
  itemTimer: ItemTimer | undefined;
  /** Whether the call itself has an answer to a refusal; then no fallback is asked for one. */
  readonly answersRefusals?: boolean;
  /** Whether its work runs already, as of a method that learns its kind: nothing may refuse it or let it wait. */
  readonly underway: boolean;
  /** Whether the caller allows a second attempt now; undefined: always. */
  readonly repeatable: (() => boolean) | undefined;
  /** The time, the same until the call has waited or begun. */
  instant(): number;
  /** Says that time has passed: the call has waited. */
  waited(): void;
  abort(reason: unknown): void;
  /** Bounds the call by `moment`, beside what bounds the calls around it; Infinity: no more. */
  limit(moment: number): void;
  /** Whether somebody further out will {@link end} it. */
  bounded: boolean;
  /** Whether it is over; what it has left running is not bound by it any more. */
  readonly ended: boolean;
  end(): void;
  /** Whether its method has been called, by itself or in a run that it shares. */
  readonly begun: boolean;
  /** The call that this one is a part of: the whole of an attempt, or the guarded call that it runs in. */
  readonly around: Call | undefined;
  /** The guarded call of another method that waits for this one: it runs in that, or was begun by it for several. */
  readonly outer: Call | undefined;
  /** A call of the same method and arguments that nothing around this one cuts or bounds. */
  separate(): Call;
  /** Says what its work is: at the end of a shutdown its signal, if anybody has asked for it, cuts what is not over. */
  runs<T>(work: Promise<T>): Promise<T>;
  /** Lets it tell of `run`, which it waits for, what it is asked itself. */
  follow(run: Call): void;
  /** A call inside this one, cut with it, which can be cut alone. */
  fork(attempt: number): Call;
  onAbort(listener: AbortListener): void;
  offAbort(listener: AbortListener): void;
}

/** Is told how an attempt ended, before anybody else hears of it. It throws nothing. */
export interface AttemptObserver {
  succeeded(value: unknown): void;
  failed(error: unknown): void;
}

/** Knows the calls that wait for a slot. */
export interface WaitingRoom {
  enter(call: Call): void;
  leave(call: Call): void;
}

/** A place that the work of a call holds. */
export interface Holding {
  /** The work stands still until the consumer of its items asks for another. */
  park(): void;
  /** It goes on. */
  resume(): void;
  /** The work has ended at once, with the consumer that has left: its promise tells so a few turns later. */
  leave(reason: unknown): void;
}

/** Bounds the time to each next item of a stream. */
export interface ItemTimer {
  /** The consumer wants an item, or the source owes the next one. */
  resume(): void;
  /** An item came: nothing is owed. */
  pause(): void;
}

/** Answers in place of an error: a value, a promise, or a {@link rejection}. */
export type Rescue = (error: unknown) => unknown;

/** The rest of the pipeline, seen from one policy. */
export interface Next {
  (call: Call): Promise<unknown>;
  /** The same as `next(call).then(undefined, rescue)`, where the next policy has it for less. */
  rescued?: (call: Call, rescue: Rescue) => Promise<unknown>;
}

/** The consumer of a stream has gone: nobody hears what becomes of the call. */
export class UnsubscribedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('the consumer of the stream has left');
  }
}

/** Another attempt of the same call has answered: nobody needs this one any more. */
export class FasterAttemptError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('another attempt of the same call was faster');
  }
}
