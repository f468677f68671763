import { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';
import type { Clock, Timer } from '../kernel/clock.js';
import type { AbortListener } from '../kernel/audience.js';
import { INCOMING } from '../kernel/outcome/outcome.js';
import { Pipeline } from '../kernel/pipeline.js';
import type { Lifecycle } from '../kernel/policy.js';
import { TimeoutException } from '../errors/timeout.exception.js';
import { runAround } from './current-call.js';

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
    };
    this.#course = new Pipeline({ target, work: () => Promise.resolve() });
  }

  /** A request has come. @param context what Nest knows of it. */
  begin(context?: unknown): IncomingCall {
    return new IncomingCall(new Attempt(this.#course, undefined, [], { context }), this.clock);
  }
}

/**
 * A request, message or event from outside, around everything that is called for it: guarded calls inherit its time limit,
 * and its end cuts them.
 */
export class IncomingCall {
  #timer: Timer | undefined;
  #over = false;
  #leave: (() => void) | undefined;

  constructor(
    private readonly attempt: Attempt,
    private readonly clock: Clock,
  ) {}

  /** Bounds it. @param ms from now. */
  limit(ms: number): void {
    callOf(this.attempt).patience = this.clock.now() + ms;
    const expire = (): void => this.abort(expired(ms));
    if (ms <= 0) return expire();
    this.#timer = this.clock.setTimeout(expire, Math.ceil(ms));
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

function expired(limitMs: number): TimeoutException {
  const message = `the time that the caller gave was over after ${Math.round(limitMs)} ms`;
  const details = { scope: INCOMING, limitMs };
  return new TimeoutException({ policy: 'timeout', instanceName: 'request', message, details });
}
