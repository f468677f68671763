import type { ResilienceException } from '../errors/resilience.exception.js';
import { Abortable } from './abortable.js';
import type { CallInfo } from './call-info.js';
import type { Clock } from './clock.js';
import type { Failure } from './outcome/failure.js';
import type { Lifecycle } from './policy.js';

/** What does not change from call to call of one guarded method. */
export interface Target {
  readonly className: string;
  readonly methodName: string;
  readonly clock: Clock;
  /** That of the app. */
  readonly lifecycle: Lifecycle;
  /** Whether code below knows the running call. */
  readonly callContext: boolean;
}

/** The way that an attempt takes through its guards, as the attempt knows it. */
export interface Course {
  readonly target: Target;
  /** Is paid for each first attempt that has begun; undefined: nobody. */
  readonly budget: { earn(startedAt: number): void } | undefined;
  /** The error of an attempt whose own time is over. */
  expired(attempt: Attempt): Error;
  /** Ends an attempt for its caller, while its work goes on. */
  cutShort(attempt: Attempt, reason: unknown): void;
  /** Its work has ended at once, with the consumer that has left. */
  abandoned(attempt: Attempt): void;
  /** An item of its stream has come. */
  item(attempt: Attempt): void;
  /** The consumer of its stream, or whoever pushes, owes or wants the next item. */
  wanted(attempt: Attempt): void;
  /** Nobody asks for the next item. */
  parked(attempt: Attempt): void;
}

/** What a call was begun with, beside its arguments. */
export interface Origin {
  /** The ExecutionContext, in an interceptor. */
  readonly context?: unknown;
  /** Whether the caller allows another attempt now. @default always */
  readonly repeatable?: (() => boolean) | undefined;
  /** What is run, where the plan leaves it to the call. */
  readonly body?: ((attempt: Attempt) => unknown) | undefined;
  /** Answers a refusal of this one call. */
  readonly onRefused?: ((error: ResilienceException, call: CallInfo) => unknown) | undefined;
  /** Where the items of a stream go. */
  readonly sink?: unknown;
  /** An attempt that has begun before the others: the first of those that run takes its place. */
  readonly early?: { take(): Attempt | undefined } | undefined;
}

/** The call of an attempt, as far as the attempt needs it; see call.ts. */
export interface Surrounding {
  readonly abortable: boolean;
  /** What bounds all attempts of the call together. */
  readonly bound: number;
  begun: boolean;
  item(): void;
}

/** What runs inside an attempt in place of a method: attempts beside each other, or a run that others share. */
export interface Inside {
  /** The number of the newest attempt. */
  readonly attempt: number;
  readonly begun: boolean;
  item?(): void;
}

/** Knows the attempts that wait, so that it can end their waits. */
export interface WaitingRoom {
  enter(attempt: Attempt): void;
  leave(attempt: Attempt): void;
}

/**
 * One attempt, from the wrapper to the answer: who is called, its time, its end, its place in the queue of those under
 * the same time limit, and what the guards note. The first attempt stands for its call as long as nobody asks for more.
 */
export class Attempt extends Abortable implements CallInfo {
  /** What it has in common with the other attempts of its call; undefined: nothing yet. */
  call: Surrounding | undefined = undefined;
  /** The guarded call that it runs in, or the attempt that it is a part of. */
  around: Attempt | undefined = undefined;
  /** Whether it is one of several that make up the attempt around it. */
  isPart = false;
  /** The caller that has begun it for itself and others, of a run that is shared. */
  startedBy: Attempt | undefined = undefined;
  inside: Inside | undefined = undefined;
  /** When it came, on the monotonic clock. */
  readonly since: number;
  /** When its method was called; undefined while it has not begun. */
  startedAt: number | undefined = undefined;
  hasWaited = false;
  /** What its method has given already, before anybody knew what it would be. */
  given: { readonly value: unknown } | undefined = undefined;
  /** Whether its work runs already, as of a method that learns its kind: nothing may refuse it or let it wait. */
  underway = false;
  /** Whether a cut ends it for its caller, although its work goes on. */
  bounded = false;
  /** Whether it has ended for its caller. */
  settled = false;
  /** Whether a stream has given an item: from then on it cannot be repeated. */
  emitted = false;
  /** By how many guards it has been let in. */
  admitted = 0;
  /** What it ended with, where that was an error. */
  failure: Failure | undefined = undefined;
  /** Settle the promise of an attempt that may end before its work does. */
  resolve: ((value: unknown) => void) | undefined = undefined;
  reject: ((error: unknown) => void) | undefined = undefined;

  // ---- what guards note

  /** The breaker that has let it in, and knows it while it waits. */
  room: WaitingRoom | undefined = undefined;
  /** In which state of the breaker it was let in. */
  epoch = 0;
  /** For how many attempts its latency stands. */
  weight = 0;
  /** The breaker that will judge it; undefined: none, or it has been judged. */
  breaker: object | undefined = undefined;
  /** Whether the breaker's `errorFilter` has taken it out of all counts. */
  filtered = false;
  /** Whether it is the probe of a half-open breaker: it must not wait. */
  probe = false;
  /** What its work occupies for as long as it goes on. */
  slot: object | undefined = undefined;

  constructor(
    public course: Course,
    readonly instance: unknown,
    readonly args: readonly unknown[],
    public origin: Origin | undefined = undefined,
    readonly number = 1,
  ) {
    super();
    this.since = course.target.clock.now();
  }

  get className(): string {
    return this.course.target.className;
  }

  get methodName(): string {
    return this.course.target.methodName;
  }

  get context(): unknown {
    return this.origin?.context;
  }

  /** Its number; of one that is made up of several, that of the newest. */
  get attempt(): number {
    return this.inside?.attempt ?? this.number;
  }

  /** Latest moment of the monotonic clock at which an answer is of use; Infinity if nothing bounds it. */
  get deadline(): number {
    const own = this.queued ? this.due : Infinity;
    const ofCall = this.call === undefined ? Infinity : this.call.bound;
    const { around } = this;
    const outer = around === undefined || around.settled ? Infinity : around.deadline;
    return Math.min(own, ofCall, outer);
  }

  /** The guarded call of another method that waits for it: the one that it runs in, or that has begun it for several. */
  get outer(): Attempt | undefined {
    return this.around ?? this.startedBy;
  }

  protected get lifecycle(): Lifecycle {
    return this.course.target.lifecycle;
  }

  /** Its method begins now. */
  begin(): void {
    this.#beginAt(this.hasWaited ? this.course.target.clock.now() : this.since);
    this.work();
  }

  /** Its time is over. */
  expire(): void {
    this.abort(this.course.expired(this));
  }

  /** An item of its stream has come. */
  item(): void {
    this.emitted = true;
    this.course.item(this);
    this.call?.item();
    this.inside?.item?.();
    if (this.isPart) this.around?.item();
  }

  protected override stop(reason: unknown): void {
    if (this.running && this.bounded && !this.settled) this.course.cutShort(this, reason);
    this.tell(reason);
  }

  #beginAt(now: number): void {
    this.startedAt = now;
    if (this.number === 1) this.course.budget?.earn(now);
    if (this.call !== undefined) this.call.begun = true;
    const { around } = this;
    if (this.isPart && around !== undefined && around.startedAt === undefined) around.#beginAt(now);
  }
}
