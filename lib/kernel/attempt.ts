import { ABORTED, BEGUN, BOUNDED, GOES_ON, IN_METHOD, QUEUED, SETTLED } from './attempt-state.js';
import { Audience, type Abortable, type AbortListener } from './audience.js';
import type { CallInfo } from './call-info.js';
import type { CourseOf, Surrounding, WaitingRoomOf } from './course.js';
import type { Linked } from './deadline-queue.js';
import type { Origin } from './origin.js';
import type { Failure } from './outcome/failure.js';
import { RareOf, type InsideOf } from './rare.js';
import { cutByShutdown } from './shut-down.js';

export type Course = CourseOf<Attempt>;
export type WaitingRoom = WaitingRoomOf<Attempt>;
export type Inside = InsideOf<Attempt>;
type Rare = RareOf<Attempt>;

/**
 * One attempt, from the wrapper to the answer: who is called, its time, its end, its place in the queue of those under
 * the same time limit, and what the guards note. The first attempt stands for its call as long as nobody asks for more.
 *
 * What it costs is memory: every property of it is written and collected with each call. So it has few, no base class,
 * and a constructor that sets each of them once; flags share a number, and what few attempts need lies apart.
 */
export class Attempt implements CallInfo, Abortable, Linked {
  /** The guards, the work and the decisions around it. */
  declare course: Course;
  declare readonly instance: unknown;
  declare readonly args: readonly unknown[];
  declare origin: Origin | undefined;
  /** What it has in common with the other attempts of its call; undefined: nothing yet. */
  declare call: Surrounding | undefined;
  /** What few attempts need. */
  declare rare: Rare | undefined;
  /** When it came, on the monotonic clock. */
  declare readonly since: number;
  /** @internal */ declare previous: Linked | undefined;
  /** @internal */ declare next: Linked | undefined;
  /** When its own time is over; set while it is queued. */
  declare due: number;
  /** How far it has come, and what has become of it: a phase and flags in one number. */
  declare private state: number;
  /** The error that it ended with. */
  declare failure: Failure | undefined;
  /** Settles the promise of an attempt that may end before its work does. */
  declare resolve: ((end: unknown) => void) | undefined;

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
    this.call = this.rare = this.previous = this.next = undefined;
    this.since = course.target.clock.now();
    this.due = undefined as never;
    this.failure = this.resolve = this.breaker = this.slot = undefined;
    this.state = this.admitted = this.epoch = this.weight = 0;
    if (number !== 1) this.rarely().number = number;
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
    return this.rare?.inside?.attempt ?? this.number;
  }

  get number(): number {
    return this.rare === undefined ? 1 : this.rare.number;
  }

  /** The guarded call that it runs in, or the attempt that it is a part of. */
  get around(): Attempt | undefined {
    return this.rare?.around;
  }

  /** When its method was called; undefined while it has not begun. */
  get startedAt(): number | undefined {
    return (this.state & BEGUN) === 0 ? undefined : (this.rare?.begunAt ?? this.since);
  }

  /** Whether its work has begun and not ended. */
  get running(): boolean {
    return (this.state & (IN_METHOD | GOES_ON)) !== 0;
  }

  /** Whether its method has returned, and its work goes on. */
  get goesOn(): boolean {
    return (this.state & GOES_ON) !== 0;
  }

  /** @internal */
  get queued(): boolean {
    return (this.state & QUEUED) !== 0;
  }

  set queued(queued: boolean) {
    this.state = queued ? this.state | QUEUED : this.state & ~QUEUED;
  }

  get aborted(): boolean {
    return (this.state & ABORTED) !== 0;
  }

  get reason(): unknown {
    return this.rare?.reason;
  }

  /** Whether a cut ends it for its caller, although its work goes on. */
  get bounded(): boolean {
    return (this.state & BOUNDED) !== 0;
  }

  /** A cut ends it for its caller from now on. */
  bind(): void {
    this.state |= BOUNDED;
  }

  /** Whether it has ended for its caller. */
  get settled(): boolean {
    return (this.state & SETTLED) !== 0;
  }

  settle(): void {
    this.state |= SETTLED;
  }

  /** The breaker that has let it in, and knows it while it waits; one that only watches has not. */
  get room(): WaitingRoom | undefined {
    return this.rare?.watched === true ? undefined : this.breaker;
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
    return this.around ?? this.rare?.startedBy;
  }

  /** Its method begins now. */
  begin(): void {
    this.state |= BEGUN | IN_METHOD;
    const { rare } = this;
    if (rare?.hasWaited === true) rare.begunAt = this.course.target.clock.now();
    if (rare !== undefined || this.call !== undefined) this.pay(rare?.begunAt ?? this.since);
    else this.course.budget?.earn(this.since);
  }

  /** Its method has returned, and its work goes on. */
  goOn(): void {
    this.state = (this.state & ~IN_METHOD) | GOES_ON;
    this.rare?.audience?.goOn();
  }

  /** Its work has ended. */
  rest(): void {
    this.state &= ~(IN_METHOD | GOES_ON);
    this.rare?.audience?.delist();
  }

  /** What few attempts need, made for it. */
  rarely(): Rare {
    return (this.rare ??= new RareOf<Attempt>());
  }

  /** Pays for the first attempt; a whole begins with the first of its parts. */
  private pay(now: number): void {
    if (this.number === 1) this.course.budget?.earn(now);
    if (this.call !== undefined) this.call.begun = true;
    const { around } = this;
    if (this.rare?.isPart !== true || around === undefined || (around.state & BEGUN) !== 0) return;
    around.rarely().begunAt = now;
    around.state |= BEGUN | GOES_ON;
    around.pay(now);
  }

  // ---- cutting it

  get signal(): AbortSignal {
    return this.hear().signal;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.state |= ABORTED;
    const rare = this.rarely();
    rare.reason = reason;
    rare.audience?.abort(reason);
    if (this.running && this.bounded && !this.settled) this.course.cutShort(this, reason);
    rare.audience?.tell(reason);
  }

  expire(): void {
    this.abort(this.course.expired(this));
  }

  shutDown(): void {
    this.abort(cutByShutdown(this));
  }

  onAbort(listener: AbortListener): void {
    return this.aborted ? listener(this.reason) : this.hear().add(listener);
  }

  offAbort(listener: AbortListener): void {
    this.rare?.audience?.remove(listener);
  }

  /** Lets the end of a shutdown cut it from now on, although nobody has asked for its signal. */
  enlist(): void {
    this.hear().enlist();
  }

  /** A shutdown needs to cut it no more. */
  delist(): void {
    this.rare?.audience?.delist();
  }

  private hear(): Audience {
    return (this.rarely().audience ??= new Audience(this, this.course.target.lifecycle));
  }
}
