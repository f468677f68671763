import { Audience, type Abortable, type AbortListener } from './audience.js';
import type { CallInfo } from './call-info.js';
import type { CourseOf, Surrounding, WaitingRoomOf } from './course.js';
import type { Linked } from './deadline-queue.js';
import { KinOf, type InsideOf } from './kin.js';
import type { Failure } from './outcome/failure.js';
import type { Origin } from './origin.js';
import { cutByShutdown } from './shut-down.js';

/** How far the work of an attempt has come. */
export enum Phase {
  Before,
  /** Its method has been called, and has not returned. */
  InMethod,
  GoesOn,
  Over,
}

export type Course = CourseOf<Attempt>;
export type WaitingRoom = WaitingRoomOf<Attempt>;
export type Inside = InsideOf<Attempt>;
type Kin = KinOf<Attempt>;

/**
 * One attempt, from the wrapper to the answer: who is called, its time, its end, its place in the queue of those under
 * the same time limit, and what the guards note. The first attempt stands for its call as long as nobody asks for more.
 *
 * It has no base class, and its constructor sets every property once: so V8 makes it in place, where a chain of
 * constructors, or fields that are first undefined, would cost as much as the guards.
 */
export class Attempt implements CallInfo, Abortable, Linked {
  /** The guards, the work and the decisions around it. */
  declare course: Course;
  declare readonly instance: unknown;
  declare readonly args: readonly unknown[];
  declare origin: Origin | undefined;
  declare readonly number: number;
  /** What it has in common with the other attempts of its call; undefined: nothing yet. */
  declare call: Surrounding | undefined;
  /** The guarded call that it runs in, or the attempt that it is a part of. */
  declare around: Attempt | undefined;
  /** What few attempts are. */
  declare kin: Kin | undefined;

  // ---- its time

  /** When it came, on the monotonic clock. */
  declare readonly since: number;
  /** When its method was called, where that was not at once. */
  declare begunAt: number | undefined;
  declare phase: Phase;
  /** @internal */ declare previous: Linked | undefined;
  /** @internal */ declare next: Linked | undefined;
  /** @internal */ declare queued: boolean;
  /** When its own time is over; set while it is queued. */
  declare due: number;

  // ---- its end

  declare aborted: boolean;
  declare reason: unknown;
  /** Whether a cut ends it for its caller, although its work goes on. */
  declare bounded: boolean;
  /** Whether it has ended for its caller. */
  declare settled: boolean;
  /** What it ended with, where that was an error. */
  declare failure: Failure | undefined;
  /** Settle the promise of an attempt that may end before its work does. */
  declare resolve: ((value: unknown) => void) | undefined;
  declare reject: ((error: unknown) => void) | undefined;
  /** @internal */ declare audience: Audience | undefined;

  // ---- what guards note

  /** By how many guards it has been let in. */
  declare admitted: number;
  /** The breaker that will judge it; undefined: none, or it has been judged. */
  declare breaker: WaitingRoom | undefined;
  /** In which state of the breaker it was let in. */
  declare epoch: number;
  /** For how many attempts its latency stands. */
  declare weight: number;
  /** What its work occupies for as long as it goes on. */
  declare slot: object | undefined;

  constructor(course: Course, instance: unknown, args: readonly unknown[], origin?: Origin, number = 1) {
    this.course = course;
    this.instance = instance;
    this.args = args;
    this.origin = origin;
    this.number = number;
    this.call = this.around = this.kin = undefined;
    this.since = course.target.clock.now();
    this.begunAt = this.previous = this.next = this.reason = undefined;
    this.failure = this.resolve = this.reject = this.audience = undefined;
    this.breaker = this.slot = undefined;
    this.phase = Phase.Before;
    this.due = this.admitted = this.epoch = this.weight = 0;
    this.queued = this.aborted = this.bounded = this.settled = false;
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

  /** When its method was called; undefined while it has not begun. */
  get startedAt(): number | undefined {
    return this.phase === Phase.Before ? undefined : (this.begunAt ?? this.since);
  }

  /** Whether its work has begun and not ended. */
  get running(): boolean {
    return this.phase === Phase.InMethod || this.phase === Phase.GoesOn;
  }

  /** Whether its method has returned, and its work goes on. */
  get goesOn(): boolean {
    return this.phase === Phase.GoesOn;
  }

  /** Whether its work runs already, as of a method that learns its kind: nothing may refuse it or let it wait. */
  get underway(): boolean {
    return this.kin?.underway === true;
  }

  /** Whether a stream has given an item: from then on it cannot be repeated. */
  get emitted(): boolean {
    return this.kin?.emitted === true;
  }

  /** Whether it is the probe of a half-open breaker: it must not wait. */
  get probe(): boolean {
    return this.kin?.probe === true;
  }

  /** The breaker that has let it in, and knows it while it waits; one that only watches has not. */
  get room(): WaitingRoom | undefined {
    return this.kin?.watched === true ? undefined : this.breaker;
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
    this.phase = Phase.InMethod;
    if (this.kin?.hasWaited === true) this.begunAt = this.course.target.clock.now();
    this.#pay(this.begunAt ?? this.since);
  }

  /** Its method has returned, and its work goes on. */
  goOn(): void {
    this.phase = Phase.GoesOn;
    this.audience?.goOn();
  }

  /** Its work has ended. */
  rest(): void {
    if (this.phase !== Phase.Before) this.phase = Phase.Over;
    this.audience?.delist();
  }

  /** It has answered: those beside it are told by what it is a part of. */
  tellWhole(value: unknown): void {
    if (this.kin?.isPart === true) this.around?.kin?.inside?.answered?.(this, value);
  }

  /** An item of its stream has come. */
  item(): void {
    this.relate().emitted = true;
    this.course.item(this);
    this.call?.item();
    this.kin?.inside?.item?.();
    if (this.kin?.isPart === true) this.around?.item();
  }

  /** What few attempts are, to be changed. */
  relate(): Kin {
    return (this.kin ??= new KinOf<Attempt>());
  }

  /** Pays for the first attempt; a whole begins with the first of its parts. */
  #pay(now: number): void {
    if (this.number === 1) this.course.budget?.earn(now);
    if (this.call !== undefined) this.call.begun = true;
    const { around } = this;
    if (this.kin?.isPart !== true || around === undefined || around.phase !== Phase.Before) return;
    around.begunAt = now;
    around.phase = Phase.GoesOn;
    around.#pay(now);
  }

  // ---- cutting it

  get signal(): AbortSignal {
    return this.#hear().signal;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.audience?.abort(reason);
    if (this.running && this.bounded && !this.settled) this.course.cutShort(this, reason);
    this.audience?.tell(reason);
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
    this.audience?.remove(listener);
  }

  /** Lets the end of a shutdown cut it from now on, although nobody has asked for its signal. */
  enlist(): void {
    this.#hear().enlist();
  }

  /** A shutdown needs to cut it no more. */
  delist(): void {
    this.audience?.delist();
  }

  #hear(): Audience {
    return (this.audience ??= new Audience(this, this.course.target.lifecycle));
  }
}
