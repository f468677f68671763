import { instanceOf } from '../errors/foreign.js';
import type { ResilienceException } from '../errors/resilience.exception.js';
import {
  UnsubscribedError,
  type AbortListener,
  type AttemptObserver,
  type Call,
  type CallInfo,
  type Holding,
  type ItemTimer,
  type WaitingRoom,
} from '../kernel/call.js';
import type { Clock } from '../kernel/clock.js';
import type { Lifecycle, Running } from '../kernel/policy.js';
import { rejection } from '../kernel/rejection.js';
import { cutByShutdown } from '../kernel/shut-down.js';
import { followSignal, hasAborted, reasonOf } from './caller-signal.js';
import { runInCall } from './current-call.js';
import type { EarlyResult } from './learning.js';

/** What does not change from call to call of one guarded method. */
export interface CallTarget {
  readonly className: string;
  readonly methodName: string;
  readonly clock: Clock;
  /** That of the app. */
  readonly lifecycle: Lifecycle;
  /** Whether code below knows the running call. */
  readonly callContext: boolean;
}

/** Where a call comes from. */
export interface CallOrigin {
  readonly instance: unknown;
  readonly args: readonly unknown[];
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined;
  /** The guarded call that this one runs in. */
  readonly outer?: Call | undefined;
  /** The call that has begun this one for itself and others. */
  readonly startedBy?: Call | undefined;
  /** The ExecutionContext, in an interceptor. */
  readonly context?: unknown;
  readonly repeatable?: (() => boolean) | undefined;
  /** What is run, where the plan leaves it to the call. */
  readonly body?: ((call: PipelineCall) => unknown) | undefined;
  /** Answers a refusal of this one call. */
  readonly onRefused?: ((error: ResilienceException, call: CallInfo) => unknown) | undefined;
  /** Where an async iterable hands its items over. */
  readonly channel?: unknown;
  /** Where an Observable hands its items over. */
  readonly sink?: ItemSink | undefined;
  /** What the method has given already, for the first attempt. */
  readonly early?: EarlyResult | undefined;
}

/** Takes the items of a stream. */
export interface ItemSink {
  /** Whether the consumer has left. */
  readonly closed: boolean;
  next(item: unknown): void;
}

/**
 * A call, or one attempt of it. Calls form a tree: cutting one cuts those inside it.
 *
 * Its AbortSignal is made when somebody asks for it: an AbortController costs more than all policies together, and
 * most methods never look.
 */
export class PipelineCall implements Call, Running {
  probe = false;
  waitingRoom: WaitingRoom | undefined = undefined;
  waitingSince: number | undefined = undefined;
  observer: AttemptObserver | undefined = undefined;
  itemTimer: ItemTimer | undefined = undefined;
  slot: Holding | undefined = undefined;
  startedAt: number | undefined = undefined;
  emitted = false;
  ended = false;
  bounded = false;
  abortable = false;
  aborted = false;
  reason: unknown = undefined;
  #limit = Infinity;
  #left = false;
  readonly #attempt: number;
  #instant: number | undefined = undefined;
  #parent: PipelineCall | undefined;
  #child: PipelineCall | undefined = undefined;
  /** The shared run that it waits for. */
  #followed: Call | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #work: Promise<unknown> | undefined = undefined;
  #enlisted = false;
  // Nearly every call has one listener at most; only more than one needs a set.
  #listener: AbortListener | undefined = undefined;
  #moreListeners: Set<AbortListener> | undefined = undefined;

  constructor(
    /** @internal */ readonly target: CallTarget,
    /** @internal */ readonly origin: CallOrigin,
    parent?: PipelineCall,
    attempt = 1,
  ) {
    this.#attempt = attempt;
    this.#parent = parent;
    if (parent === undefined) return;
    this.abortable = parent.abortable;
    this.aborted = parent.aborted;
    this.reason = parent.reason;
  }

  /** The number of the attempt; of a call with several attempts, that of the last. */
  get attempt(): number {
    return (this.#child ?? this.#followed)?.attempt ?? this.#attempt;
  }

  get begun(): boolean {
    return this.startedAt !== undefined || this.#followed?.begun === true;
  }

  get around(): Call | undefined {
    return this.#parent ?? this.origin.outer;
  }

  get outer(): Call | undefined {
    const { outer, startedBy } = this.origin;
    return outer ?? startedBy;
  }

  get signalled(): boolean {
    const { signal, outer } = this.origin;
    return signal !== undefined || outer?.signalled === true;
  }

  get className(): string {
    return this.target.className;
  }

  get methodName(): string {
    return this.target.methodName;
  }

  get instance(): unknown {
    return this.origin.instance;
  }

  get args(): readonly unknown[] {
    return this.origin.args;
  }

  get context(): unknown {
    return this.origin.context;
  }

  get answersRefusals(): boolean {
    return this.origin.onRefused !== undefined;
  }

  get repeatable(): (() => boolean) | undefined {
    return this.origin.repeatable;
  }

  get underway(): boolean {
    return this.origin.early?.runs === true;
  }

  get deadline(): number {
    const { outer } = this.origin;
    const around = this.#parent?.deadline ?? (outer?.ended === false ? outer.deadline : Infinity);
    return around < this.#limit ? around : this.#limit;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort(this.reason);
      else if (this.#work !== undefined && !this.ended) {
        this.enlist();
        const over = (): void => this.delist();
        if (!this.bounded) this.#work.then(over, over);
      }
    }
    return this.#controller.signal;
  }

  /**
   * The time, read once for everything that happens to the call in one go: a reading of the clock costs as much as a
   * policy does.
   */
  instant(): number {
    return (this.#instant ??= this.target.clock.now());
  }

  /** Notes that time has passed since the call was last looked at. */
  waited(): void {
    this.#instant = undefined;
  }

  /** Runs a piece of the guarded code, so that it knows its call where the app wants that. */
  run<T>(work: (call: PipelineCall) => T): T {
    return this.target.callContext ? runInCall(this, () => work(this)) : work(this);
  }

  /** Notes that the method begins now. */
  begin(): void {
    const now = this.instant();
    this.#instant = undefined;
    this.startedAt = now;
    for (let outer = this.#parent; outer !== undefined && outer.startedAt === undefined; outer = outer.#parent)
      outer.startedAt = now;
  }

  /** Notes an item of a stream, and that the consumer's turn has come. */
  emit(): void {
    this.emitted = true;
    this.itemTimer?.pause();
    this.#parent?.emit();
  }

  abort(reason: unknown): void {
    if (this.aborted) {
      // Even what stands in for a call that was cut ends when its consumer leaves.
      if (!instanceOf(reason, UnsubscribedError)) return;
      this.#left = true;
      this.#child?.abort(reason);
      return;
    }
    this.aborted = true;
    this.reason = reason;
    this.#left = instanceOf(reason, UnsubscribedError);
    this.delist();
    this.#controller?.abort(reason);
    this.#child?.abort(reason);
    const listener = this.#listener;
    const more = this.#moreListeners;
    this.#listener = this.#moreListeners = undefined;
    listener?.(reason);
    if (more !== undefined) for (const one of more) one(reason);
  }

  limit(moment: number): void {
    this.abortable = true;
    this.#limit = moment;
  }

  fork(attempt: number): PipelineCall {
    // An attempt that is over is not cut any more, so the newest child is the only one that counts; whoever lets two run
    // beside each other cuts the older ones itself.
    return (this.#child = new PipelineCall(this.target, this.origin, this, attempt));
  }

  /** Takes in a call that began before this one: this one bounds and cuts it from now on. */
  adopt(early: PipelineCall): void {
    this.#child = early;
    early.#parent = this;
    early.slot = this.slot;
    if (this.aborted) early.abort(this.reason);
  }

  separate(): PipelineCall {
    return new PipelineCall(this.target, { ...this.origin, signal: undefined, outer: undefined, startedBy: this });
  }

  follow(run: Call): void {
    this.#followed = run;
  }

  end(): void {
    this.ended = true;
    this.bounded = false;
    this.delist();
  }

  runs<T>(work: Promise<T>): Promise<T> {
    this.#work = work;
    // The only call inside an attempt is one that it has adopted.
    const watched = this.#controller !== undefined || this.#child !== undefined;
    if (!watched || this.aborted) return work;
    this.enlist();
    // Nobody else listens to the promise that is not given on, so that a caller who drops his is told of it.
    return this.bounded
      ? work
      : work.then(
          (value) => (this.delist(), value),
          (error) => (this.delist(), rejection(error)),
        );
  }

  /** Lets the end of a shutdown cut it from now on. */
  enlist(): void {
    this.#enlisted = true;
    this.target.lifecycle.enlist(this);
  }

  /** It is over, or was cut. */
  delist(): void {
    if (!this.#enlisted) return;
    this.#enlisted = false;
    this.target.lifecycle.delist(this);
  }

  shutDown(): void {
    this.abort(cutByShutdown(this));
  }

  /** A call for what stands in for this one: it goes on although this one was cut. */
  substitute(): PipelineCall {
    const call = this.fork(this.attempt);
    // When the consumer has left, nobody is there to answer.
    if (this.#left) return call;
    call.aborted = false;
    call.reason = undefined;
    return call;
  }

  onAbort(listener: AbortListener): void {
    if (this.aborted) return listener(this.reason);
    if (this.#listener === undefined) this.#listener = listener;
    else (this.#moreListeners ??= new Set()).add(listener);
  }

  offAbort(listener: AbortListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#moreListeners?.delete(listener);
  }

  /**
   * Lets the caller's signal and the guarded call around this one cut it.
   *
   * @returns a function that lets go of both; undefined where there is neither.
   */
  attach(): (() => void) | undefined {
    const { signal, outer } = this.origin;
    if (signal === undefined && outer === undefined) return undefined;
    this.abortable = true;
    const cut = (reason: unknown): void => this.abort(reason);
    const gone = hasAborted(signal);
    if (gone) this.abort(reasonOf(signal));
    const leaveSignal = signal === undefined || gone ? undefined : followSignal(signal, cut);
    outer?.onAbort(cut);
    return () => {
      leaveSignal?.();
      outer?.offAbort(cut);
    };
  }
}
