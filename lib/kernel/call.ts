import { instanceOf } from '../errors/foreign.js';
import { Audience, type Abortable, type AbortListener } from './audience.js';
import { Attempt, type Course } from './attempt.js';
import type { Surrounding } from './course.js';
import { UnsubscribedError, type CallInfo } from './call-info.js';
import { followSignal, hasAborted, reasonOf } from './caller-signal.js';
import { Deadline } from './deadline-queue.js';
import { cutByShutdown } from './shut-down.js';

/** Bounds all attempts of a call together. */
export interface CallLimit {
  /** The error of a call whose time is over. */
  expired(call: Call): Error;
  /** The call needs it no more. */
  end(call: Call): void;
}

/**
 * What the attempts of one call have in common: who may cut them all, the time that bounds them together. Handlers see
 * it, since they answer for the whole call. It is made when somebody first asks for it.
 *
 * Two things end it inside: its caller, who cuts it, and its total limit, which leaves whole what stands in for it.
 */
export class Call extends Deadline implements CallInfo, Abortable, Surrounding {
  /** Its newest attempt. */
  current: Attempt;
  aborted = false;
  reason: unknown = undefined;
  /** Whether what stands in for it goes on. */
  goesOn = false;
  /** Whether its attempts and the pauses between them have been ended, and why. */
  stopped = false;
  stopReason: unknown = undefined;
  /** Whether something outside can cut it. */
  abortable = false;
  /** Whether its caller has a signal that can cut it. */
  signalled = false;
  limit: CallLimit | undefined = undefined;
  /** The most patient of those who wait for it, of a run that is shared. */
  patience = Infinity;
  /** How many attempts were made; those beside each other inside one count for nothing here. */
  made = 1;
  /** What those hear who observe it; see observation.ts. */
  observation: object | undefined = undefined;
  /** By which the dependency knows a repetition of it; made when it is first asked for. */
  idempotencyKey: string | undefined = undefined;
  /** What its retries note. */
  series: unknown = undefined;
  #begun: boolean;
  #left = false;
  #substitute: Attempt | undefined = undefined;
  #letGo: (() => void) | undefined = undefined;
  #audience: Audience | undefined = undefined;

  constructor(first: Attempt) {
    super();
    this.current = first;
    this.#begun = first.startedAt !== undefined;
  }

  get className(): string {
    return this.current.className;
  }

  get methodName(): string {
    return this.current.methodName;
  }

  get instance(): unknown {
    return this.current.instance;
  }

  get args(): readonly unknown[] {
    return this.current.args;
  }

  get context(): unknown {
    return this.current.context;
  }

  /** The number of its newest attempt. */
  get attempt(): number {
    return this.current.attempt;
  }

  /** Whether a method of it has been called, be it in a run that it shares. */
  get begun(): boolean {
    return this.#begun || this.current.rare?.inside?.begun === true;
  }

  set begun(begun: boolean) {
    this.#begun = begun;
  }

  get bound(): number {
    return Math.min(this.queued ? this.due : Infinity, this.patience);
  }

  /** Latest moment of the monotonic clock at which another attempt is of use. */
  get deadline(): number {
    const { around } = this.current;
    const outer = around === undefined || around.settled ? Infinity : around.deadline;
    return Math.min(this.bound, outer);
  }

  get answersRefusals(): boolean {
    return this.current.origin?.onRefused !== undefined;
  }

  /** Aborts when the call is cut by its caller or shutdown: not by a time limit, which leaves whole what stands in for it. */
  get signal(): AbortSignal {
    return this.#hear().signal;
  }

  /** Lets its caller's signal and the guarded call around it cut it, until {@link letGo}. */
  follow(signal: AbortSignal | undefined, around: Attempt | undefined): void {
    this.abortable = true;
    this.signalled = signal !== undefined;
    const cut: AbortListener = (reason) => this.abort(reason);
    const gone = hasAborted(signal);
    if (gone) this.abort(reasonOf(signal));
    const leave = signal === undefined || gone ? undefined : followSignal(signal, cut);
    around?.onAbort(cut);
    this.#letGo = () => {
      leave?.();
      around?.offAbort(cut);
    };
  }

  letGo(): void {
    this.#letGo?.();
  }

  abort(reason: unknown): void {
    const isGone = instanceOf(reason, UnsubscribedError);
    // Even what stands in for a call that was cut ends when its consumer leaves.
    if (isGone) this.#left = true;
    if (!this.aborted || isGone) this.#substitute?.abort(reason);
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#audience?.abort(reason);
    this.#stop(reason);
  }

  shutDown(): void {
    this.abort(cutByShutdown(this));
  }

  /** Its total time is over. */
  expire(): void {
    if (this.aborted || this.limit === undefined) return;
    let reason: unknown;
    try {
      reason = this.limit.expired(this);
    } catch (fault) {
      reason = fault;
    }
    this.#stop(reason);
  }

  onAbort(listener: AbortListener): void {
    if (this.stopped) listener(this.stopReason);
    else this.#hear().add(listener);
  }

  offAbort(listener: AbortListener): void {
    this.#audience?.remove(listener);
  }

  done(): void {
    this.limit?.end(this);
  }

  /** Its next attempt. */
  nextAttempt(): Attempt {
    this.made++;
    const before = this.current;
    const attempt = new Attempt(before.course, before.instance, before.args, before.origin, before.attempt + 1);
    attempt.call = this;
    if (before.rare !== undefined) {
      const { around, isPart, startedBy } = before.rare;
      Object.assign(attempt.rarely(), { around, isPart, startedBy });
    }
    this.current = attempt;
    // The user's functions may have cut the call while they were asked.
    if (this.stopped) attempt.abort(this.stopReason);
    return attempt;
  }

  /** What stands in for it: an attempt that goes on although the call was cut, unless its consumer has left. */
  substitute(course: Course = this.current.course): Attempt {
    const { instance, args, origin, attempt } = this;
    const substitute = new Attempt(course, instance, args, origin, attempt);
    // Nothing bounds it, and no guard has let it in.
    substitute.settle();
    if (this.#left) substitute.abort(this.reason);
    return (this.#substitute = substitute);
  }

  /** Runs what stands in for it: at the end of a shutdown its signal, if anybody has asked for it, cuts it. */
  runs<T>(answer: Promise<T>): Promise<T> {
    this.goesOn = true;
    this.#hear().goOn();
    const over = (): void => {
      this.goesOn = false;
      this.#audience?.delist();
    };
    answer.then(over, over);
    return answer;
  }

  /** Those who want to know when it is cut: most calls have none. */
  #hear(): Audience {
    return (this.#audience ??= new Audience(this, this.current.course.target.lifecycle));
  }

  #stop(reason: unknown): void {
    if (this.stopped) return;
    this.stopped = true;
    this.stopReason = reason;
    this.#audience?.tell(reason);
    // An attempt that is over is not cut any more.
    if (this.current.running || !this.current.settled) this.current.abort(reason);
  }

  get origin() {
    return this.current.origin;
  }
}

/** Whether the signal of a caller can cut an attempt, or that of a guarded call around it. */
export function isSignalled(attempt: Attempt | undefined): boolean {
  for (let outer = attempt; outer !== undefined; outer = outer.around)
    if ((outer.call as Call | undefined)?.signalled === true) return true;
  return false;
}

/** The call of an attempt, made when it is first asked for. */
export function callOf(attempt: Attempt): Call {
  return (attempt.call ??= new Call(attempt)) as Call;
}
