import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attempt } from '../kernel/attempt.js';
import { idempotencyKeyOf } from './idempotency-key.js';

/**
 * The running call as code far below the guarded method sees it.
 *
 * @publicApi
 */
export interface CurrentCall {
  /** Aborts when the attempt is cut. */
  readonly signal: AbortSignal;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** When nobody needs the answer any more, epoch ms; undefined if nothing bounds the call. */
  readonly deadline: number | undefined;
  /** Milliseconds until then; Infinity if nothing bounds the call. */
  timeLeft(): number;
  /**
   * By this a dependency knows a repetition, the same for all attempts of a call: that of the nearest call around that is
   * `@Idempotent()`; undefined if none is.
   */
  readonly idempotencyKey: string | undefined;
  /**
   * How old the oldest of the last good answers is, ms, that calls below this one were given so far (`lastGood` of
   * `@Fallback`); undefined: all were new.
   */
  readonly staleMs: number | undefined;
}

// Made when the first app asks for it: on Node 20 and 22 its mere existence makes every await in the process dearer.
let storage: AsyncLocalStorage<Attempt> | undefined;
let warned = false;
/** Whether anything is guarded in this process, so that there are calls to be known. */
let guards = false;

/** Something is guarded from now on. */
export function callsAreGuarded(): void {
  guards = true;
}

/** Warns once in this process that nobody knows the running call, where code asks for it. */
function warnOfNoContext(consequence: string): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`${consequence}: it needs ResilienceModule.forRoot({ callContext: true })`, 'BulwarkWarning');
}

/** Says once what does not end with a guarded call, since nobody knows the running call. Where nothing is guarded, all is well. */
export function warnOfUncut(what: string): void {
  if (storage !== undefined || !guards) return;
  warnOfNoContext(`${what} knows no call, so that no timeout ends what it has sent, and nothing is handed on`);
}

/** Lets {@link currentCall} know the running call from now on. */
export function enableCallContext(): void {
  storage ??= new AsyncLocalStorage();
}

/** The guarded call in which the running code was started. */
export function outerCall(): Attempt | undefined {
  return storage?.getStore();
}

/** Runs a piece of the guarded code, so that it knows its attempt where the app wants that. */
export function inCall<T>(attempt: Attempt, work: (attempt: Attempt) => T): T {
  if (storage === undefined || !attempt.course.target.callContext) return work(attempt);
  return storage.run(attempt, work, attempt);
}

/** Runs work inside `around`, which is no guarded call of its own. */
export function runAround<T>(around: Attempt, work: () => T): T {
  return storage === undefined ? work() : storage.run(around, work);
}

/**
 * The guarded call in which this code runs, anywhere below it: its signal, its attempt and the time that is left.
 *
 * It needs `forRoot({ callContext: true })`. Off by default, since following a call through every await costs
 * 300-440 ns a call, and on Node 20 and 22 doubles the cost of every await in the process. Without it, and outside
 * of guarded calls, the answer is undefined.
 *
 * @example
 * const response = await fetch(url, { signal: currentCall()?.signal });
 *
 * @publicApi
 */
export function currentCall(): CurrentCall | undefined {
  if (storage === undefined) {
    warnOfNoContext('currentCall() knows no call');
    return undefined;
  }
  const call = storage.getStore();
  return call === undefined ? undefined : describe(call);
}

function describe(call: Attempt): CurrentCall {
  const { clock } = call.course.target;
  const due = call.deadline;
  return {
    get signal() {
      return call.signal;
    },
    attempt: call.attempt,
    deadline: due === Infinity ? undefined : clock.wallNow() + (due - clock.now()),
    timeLeft: () => (due === Infinity ? Infinity : Math.max(0, due - clock.now())),
    get idempotencyKey() {
      return idempotencyKeyOf(call);
    },
    get staleMs() {
      return call.rare?.staleMs;
    },
  };
}
