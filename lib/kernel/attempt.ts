import { Audience, type Abortable, type AbortListener } from './audience.js';
import type { CallInfo } from './call-info.js';
import type { Linked } from './deadline-queue.js';
import type { Failure } from './outcome/failure.js';
import type { Origin } from './origin.js';
import { cutByShutdown } from './shut-down.js';
import type { Target } from './target.js';

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
  /** One of the attempts inside has given a value, and has not given back yet what it held. */
  answered?(attempt: Attempt, value: unknown): void;
  item?(): void;
}

/** What few attempts are: part of others, shared, or begun before anybody knew what their method gives. */
export interface Kin {
  /** Whether it is one of several that make up the attempt around it. */
  isPart: boolean;
  /** The caller that has begun it for itself and others, of a run that is shared. */
  startedBy: Attempt | undefined;
  inside: Inside | undefined;
  /** What its method has given already, before anybody knew what it would be. */
  given: { readonly value: unknown } | undefined;
  /** Whether its work runs already. */
  underway: boolean;
  /** The attempt that has begun before all of this, and takes the place of the innermost one. */
  early: { take(): Attempt | undefined } | undefined;
}

/** Knows the attempts that wait, so that it can end their waits. */
export interface WaitingRoom {
  enter(attempt: Attempt): void;
  leave(attempt: Attempt): void;
}

/**
 * One attempt, from the wrapper to the answer: who is called, its time, its end, its place in the queue of those under
 * the same time limit, and what the guards note. The first attempt stands for its call as long as nobody asks for more.
 *
 * It has no base class, and one constructor that sets every property: so V8 makes it in place, where a chain of
 * constructors would cost as much as the guards.
 */
export class Attempt implements CallInfo, Abortable, Linked {
  /** What it has in common with the other attempts of its call; undefined: nothing yet. */
  call: Surrounding | undefined;
  /** The guarded call that it runs in, or the attempt that it is a part of. */
  around: Attempt | undefined;
  /** What few attempts are. */
  kin: Kin | undefined;

  // ---- its time

  /** When it came, on the monotonic clock. */
  readonly since: number;
  /** When its method was called; undefined while it has not begun. */
  startedAt: number | undefined;
  hasWaited: boolean;
  /** @internal */ previous: Linked | undefined;
  /** @internal */ next: Linked | undefined;
  /** @internal */ queued: boolean;
  /** When its own time is over. */
  due: number;

  // ---- its end

  aborted: boolean;
  reason: unknown;
  /** Whether its work has begun and not ended. */
  running: boolean;
  goesOn: boolean;
  /** Whether a cut ends it for its caller, although its work goes on. */
  bounded: boolean;
  /** Whether it has ended for its caller. */
  settled: boolean;
  /** Whether a stream has given an item: from then on it cannot be repeated. */
  emitted: boolean;
  /** What it ended with, where that was an error. */
  failure: Failure | undefined;
  /** Settle the promise of an attempt that may end before its work does. */
  resolve: ((value: unknown) => void) | undefined;
  reject: ((error: unknown) => void) | undefined;
  #audience: Audience | undefined;

  // ---- what guards note

  /** By how many guards it has been let in. */
  admitted: number;
  /** The breaker that will judge it; undefined: none, or it has been judged. */
  breaker: object | undefined;
  /** The breaker that has let it in, and knows it while it waits. */
  room: WaitingRoom | undefined;
  /** In which state of the breaker it was let in. */
  epoch: number;
  /** For how many attempts its latency stands. */
  weight: number;
  /** Whether it is the probe of a half-open breaker: it must not wait. */
  probe: boolean;
  /** Whether the breaker's `errorFilter` has taken it out of all counts. */
  filtered: boolean;
  /** What its work occupies for as long as it goes on. */
  slot: object | undefined;

  constructor(
    public course: Course,
    readonly instance: unknown,
    readonly args: readonly unknown[],
    public origin: Origin | undefined = undefined,
    readonly number = 1,
  ) {
    this.call = this.around = this.kin = undefined;
    this.since = course.target.clock.now();
    this.startedAt = undefined;
    this.previous = this.next = undefined;
    this.due = 0;
    this.hasWaited = this.queued = this.aborted = this.running = this.goesOn = false;
    this.bounded = this.settled = this.emitted = this.probe = this.filtered = false;
    this.reason = this.failure = this.resolve = this.reject = this.#audience = undefined;
    this.admitted = this.epoch = this.weight = 0;
    this.breaker = this.room = this.slot = undefined;
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
    return this.kin?.inside?.attempt ?? this.number;
  }

  /** Whether its work runs already, as of a method that learns its kind: nothing may refuse it or let it wait. */
  get underway(): boolean {
    return this.kin?.underway === true;
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
    return this.around ?? this.kin?.startedBy;
  }

  /** Its method begins now. */
  begin(): void {
    this.running = true;
    this.#beginAt(this.hasWaited ? this.course.target.clock.now() : this.since);
  }

  /** Its method has returned, and its work goes on. */
  goOn(): void {
    this.goesOn = true;
    this.#audience?.goOn();
  }

  /** Its work has ended. */
  rest(): void {
    this.running = this.goesOn = false;
    this.#audience?.delist();
  }

  /** It has answered: those beside it are told by what it is a part of. */
  tellWhole(value: unknown): void {
    if (this.kin?.isPart === true) this.around?.kin?.inside?.answered?.(this, value);
  }

  /** An item of its stream has come. */
  item(): void {
    this.emitted = true;
    this.course.item(this);
    this.call?.item();
    this.kin?.inside?.item?.();
    if (this.kin?.isPart === true) this.around?.item();
  }

  /** What few attempts are, to be changed. */
  relate(): Kin {
    return (this.kin ??= {
      isPart: false,
      startedBy: undefined,
      inside: undefined,
      given: undefined,
      underway: false,
      early: undefined,
    });
  }

  #beginAt(now: number): void {
    this.startedAt = now;
    if (this.number === 1) this.course.budget?.earn(now);
    if (this.call !== undefined) this.call.begun = true;
    const { around } = this;
    if (this.kin?.isPart === true && around !== undefined && around.startedAt === undefined) around.#beginAt(now);
  }

  // ---- cutting it

  get signal(): AbortSignal {
    return this.#hear().signal;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#audience?.abort(reason);
    if (this.running && this.bounded && !this.settled) this.course.cutShort(this, reason);
    this.#audience?.tell(reason);
  }

  /** Its time is over. */
  expire(): void {
    this.abort(this.course.expired(this));
  }

  shutDown(): void {
    this.abort(cutByShutdown(this));
  }

  retire(): void {
    // The app has shut down: it has its time all the same.
  }

  onAbort(listener: AbortListener): void {
    if (this.aborted) listener(this.reason);
    else this.#hear().add(listener);
  }

  offAbort(listener: AbortListener): void {
    this.#audience?.remove(listener);
  }

  /** Lets the end of a shutdown cut it from now on, although nobody has asked for its signal. */
  enlist(): void {
    this.#hear().enlist();
  }

  /** A shutdown needs to cut it no more. */
  delist(): void {
    this.#audience?.delist();
  }

  #hear(): Audience {
    return (this.#audience ??= new Audience(this, this.course.target.lifecycle));
  }
}
