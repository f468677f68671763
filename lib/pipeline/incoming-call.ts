import { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';
import type { Clock, Timer } from '../kernel/clock.js';
import type { AbortListener } from '../kernel/audience.js';
import type { Origin } from '../kernel/origin.js';
import { INCOMING } from '../kernel/outcome/outcome.js';
import { Pipeline } from '../kernel/pipeline.js';
import type { Lifecycle } from '../kernel/policy.js';
import { TimeoutException } from '../errors/timeout.exception.js';
import { runAround } from './current-call.js';

/** How long a request may be under way to us, as far as that is allowed for, ms. */
const UNDER_WAY_MS = 100;

/** The client of a request has hung up: nobody hears what becomes of it. */
export class ClientGoneError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('the client has hung up');
  }
}

/** What comes in from outside, of one app. */
export class Incoming {
  readonly #course: Pipeline;

  constructor(
    readonly clock: Clock,
    lifecycle: Lifecycle,
  ) {
    const name = 'request';
    const target = {
      className: '',
      methodName: name,
      callName: name,
      clock,
      lifecycle,
      callContext: true,
      retries: false,
      fromOutside: true,
    };
    this.#course = new Pipeline({ target, work: () => Promise.resolve() });
  }

  /** A request has come. @param context what Nest knows of it. @param onStale told where it is answered with a last good answer. */
  begin(context?: unknown, onStale?: Origin['onStale']): IncomingCall {
    return new IncomingCall(new Attempt(this.#course, undefined, [], { context, onStale }), this.clock);
  }
}

/**
 * A request, message or event from outside, around everything that is called for it: guarded calls inherit its time limit,
 * and its end cuts them.
 */
export class IncomingCall {
  #timer: Timer | undefined;
  #expire: (() => void) | undefined;
  #over = false;
  #leave: (() => void) | undefined;

  constructor(
    private readonly attempt: Attempt,
    private readonly clock: Clock,
  ) {}

  /** Bounds it. @param since when its time began to run, on the monotonic clock. */
  limit(ms: number, since = this.clock.now()): void {
    const due = since + ms;
    callOf(this.attempt).patience = due;
    this.#expire = () => this.abort(expired(ms));
    const left = due - this.clock.now();
    if (left <= 0) return this.#expire();
    this.#timer = this.clock.setTimeout(this.#expire, Math.ceil(left));
    this.#timer.unref();
  }

  /** Whoever sent it makes it again where it fails: what is called for it does not, so that only one layer does. */
  leaveRetriesToCaller(): void {
    this.attempt.rarely().callerRetries = true;
  }

  /** Cuts all that is called for it. */
  abort(reason: unknown): void {
    if (!this.#over) this.attempt.abort(reason);
  }

  onAbort(listener: AbortListener): void {
    this.attempt.onAbort(listener);
  }

  offAbort(listener: AbortListener): void {
    this.attempt.offAbort(listener);
  }

  /** Runs `leave` when it is over. */
  whenOver(leave: () => void): void {
    if (this.#over) leave();
    else this.#leave = leave;
  }

  /**
   * Nobody waits for it any more, and what is called for it goes on: within the time that it has. Who leaves when hardly any
   * is left leaves because his time is over: it began before ours, by as long as the request was under way.
   */
  desert(): void {
    if (this.#timer === undefined) return this.end();
    this.#leave?.();
    const { patience } = callOf(this.attempt);
    if (patience - this.clock.now() < UNDER_WAY_MS) this.#expire?.();
  }

  /** It is answered: what still runs for it is bounded by nothing any more. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.attempt.settle();
    this.#leave?.();
  }

  /** Runs a piece of its work. */
  run<T>(work: () => T): T {
    return runAround(this.attempt, work);
  }
}

/** What comes before the time is over by less than this is late, ms: whoever was told of the time counts whole ms, and so do timers. */
const AS_GOOD_AS_OVER_MS = 2;

/**
 * The error that takes the place of a dependency's when the time that came from outside is over, or as good as over: such a
 * limit was handed on, so it may be over there just before it is here. Undefined: nothing has come from outside, or there is
 * time left.
 */
export function overFromOutside(attempt: Attempt): TimeoutException | undefined {
  let outermost = attempt;
  while (outermost.outer !== undefined) outermost = outermost.outer;
  const { fromOutside = false, clock } = outermost.course.target;
  if (!fromOutside || outermost.settled || outermost.deadline - clock.now() >= AS_GOOD_AS_OVER_MS) return undefined;
  return expired(outermost.deadline - outermost.since);
}

function expired(limitMs: number): TimeoutException {
  const message = `the time that the caller gave was over after ${Math.round(limitMs)} ms`;
  const details = { scope: INCOMING, limitMs };
  return new TimeoutException({ policy: 'timeout', instanceName: 'request', message, details });
}
