import type { RetrySuppressedEvent } from '../../events/resilience-event.js';
import { FasterAttemptError, type Call, type ItemTimer, type Next } from '../../kernel/call.js';
import { Deadline } from '../../kernel/deadline-queue.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import type { RetryBudget } from '../../kernel/retry-budget/retry-budget.js';
import { HedgeDelay, type Delay } from './hedge-delay.js';
import type { ResolvedHedge } from './hedge.options.js';

/** The clock is read again when a method begins. */
const TOLERANCE_MS = 5;

/** What a hedge needs to know of its neighbours in the pipeline. */
export interface HedgeSurroundings {
  readonly budget?: RetryBudget | undefined;
  /** Whether first attempts earn here, and not in a retry around it. */
  readonly earns?: boolean;
  /** Whether the breaker inside is closed for a call. */
  readonly closed?: ((call: Call) => boolean) | undefined;
}

/**
 * Begins a further attempt while the ones before it are without an answer. The first value wins, and the others are
 * cut. A failure brings none about: that is what a retry is for.
 *
 * @see https://research.google/pubs/the-tail-at-scale/ hedged requests
 */
export class HedgePolicy implements Policy {
  /** @internal */ readonly delay: HedgeDelay;

  constructor(
    /** @internal */ readonly name: string,
    /** @internal */ readonly options: ResolvedHedge,
    /** @internal */ readonly environment: PolicyEnvironment,
    /** @internal */ readonly surroundings: HedgeSurroundings = {},
  ) {
    this.delay = new HedgeDelay(options.after, environment);
  }

  execute(call: Call, next: Next): Promise<unknown> {
    return new Promise((resolve, reject) => new Race(this, call, next, resolve, reject).start());
  }
}

/** The attempts of one call, which run beside each other. */
class Race extends Deadline implements ItemTimer {
  readonly #delay: Delay | undefined;
  #first: Call | undefined;
  #running: Call[] = [];
  #begun = 0;
  #earned = false;
  #failed = false;
  #lastError: unknown = undefined;
  /** The attempt that gives the items of a stream. */
  #speaker: Call | undefined;
  #outer: ItemTimer | undefined;
  #settled = false;
  #wake: (() => void) | undefined;

  constructor(
    private readonly policy: HedgePolicy,
    private readonly call: Call,
    private readonly proceed: Next,
    private readonly onResolve: (value: unknown) => void,
    private readonly onReject: (error: unknown) => void,
  ) {
    super();
    this.#delay = policy.delay.at(call.instant());
  }

  start(): void {
    const now = this.call.instant();
    this.#first = this.#begin(this.call.attempt);
    this.#earn(this.#first);
    this.#wait(now);
  }

  expire(): void {
    this.#wake?.();
  }

  /** Nothing more begins. */
  override shutDown(): void {
    this.#delay?.queue.remove(this);
  }

  /** An item of a stream came: its attempt has won, before any other can give one. */
  pause(): void {
    this.#outer?.pause();
    if (this.#speaker !== undefined) return;
    this.#speaker = this.#running.find(({ emitted }) => emitted);
    if (this.#speaker !== undefined) this.#cutAllBut(this.#speaker);
  }

  resume(): void {
    this.#outer?.resume();
  }

  /** The first attempt earns as soon as it has begun, at the latest when all is over. */
  #earn(first: Call): void {
    const { budget, earns } = this.policy.surroundings;
    if (this.#earned || budget === undefined || earns !== true || first.startedAt === undefined) return;
    this.#earned = true;
    if (first.attempt === 1) budget.earn(first.startedAt);
  }

  #begin(number: number): Call {
    const attempt = this.call.fork(number);
    // It can be cut alone, whatever is around.
    attempt.limit(Infinity);
    this.#running.push(attempt);
    this.#begun++;
    this.proceed(attempt).then(
      (value) => this.#onValue(attempt, value),
      (error: unknown) => this.#onError(attempt, error),
    );
    return attempt;
  }

  /** The next attempt begins in the context of the caller, as the first did: a timer knows nothing of it. */
  #wait(since: number): void {
    if (this.#delay === undefined) return;
    this.#delay.queue.add(this, since);
    void new Promise<void>((resolve) => (this.#wake = resolve)).then(() => this.#onDelay(this.#delay as Delay));
  }

  #onDelay({ ms }: Delay): void {
    const { call } = this;
    const { options, environment, surroundings } = this.policy;
    const { clock, events, lifecycle } = environment;
    if (this.#settled || this.#failed || call.aborted || call.emitted || lifecycle.closing) return;
    const now = clock.now();
    if (now >= call.deadline) return;
    const newest = this.#running.at(-1)?.startedAt;
    // What waits for its turn in this process would only wait twice; the time counts from the moment it began.
    if (newest === undefined || now - newest < ms - TOLERANCE_MS) return this.#wait(newest ?? now);
    if (surroundings.closed?.(call) === false) return;
    if (call.repeatable?.() === false) return this.#suppressed('notRepeatable');
    // The user's functions may have cut the call, or closed the app.
    if (call.aborted || lifecycle.closing) return;
    if (surroundings.budget?.take(now) === false) return this.#suppressed('budget');

    const attempt = call.attempt + 1;
    if (events.active) events.emit({ type: 'hedge', name: this.policy.name, policy: 'hedge', attempt, delayMs: ms });
    if (this.#begun === 1) this.#watch();
    this.#begin(attempt);
    if (this.#begun < options.maxAttempts) this.#wait(now);
  }

  /** From now on there are two: a cut of the call must reach both, and an item decides between them. */
  #watch(): void {
    const { call } = this;
    this.#outer = call.itemTimer;
    call.itemTimer = this;
    call.onAbort(this.#onCut);
  }

  #onValue(attempt: Call, value: unknown): void {
    if (!this.#settle()) return;
    this.#measure(attempt);
    this.#cutAllBut(attempt);
    this.onResolve(value);
  }

  #onError(attempt: Call, error: unknown): void {
    if (this.#settled || (this.#speaker !== undefined && this.#speaker !== attempt)) return;
    this.#running = this.#running.filter((other) => other !== attempt);
    if (attempt === this.#first || attempt.startedAt !== undefined) {
      if (attempt === this.#first && attempt.aborted) this.#measure(undefined);
      this.#failed = true;
      this.#lastError = error;
    } else this.policy.surroundings.budget?.giveBack();
    if (this.#running.length > 0 && this.#speaker === undefined) return;
    if (this.#settle()) this.onReject(this.#lastError);
  }

  /**
   * Latencies are those of first attempts, so that hedges do not make the percentile that calls for them. One that was
   * cut would have taken longer: it counts as far as it came, once it had outlasted the delay.
   */
  #measure(winner: Call | undefined): void {
    const { delay, environment } = this.policy;
    const first = this.#first;
    if (!delay.measures || first?.startedAt === undefined) return;
    const now = environment.clock.now();
    const ranMs = now - first.startedAt;
    const cut = winner === undefined || this.#running.includes(first);
    if (winner === first || (cut && ranMs >= (this.#delay?.ms ?? Infinity))) delay.record(ranMs, now);
  }

  #cutAllBut(winner: Call): void {
    if (this.#running.length < 2) return;
    const reason = new FasterAttemptError();
    for (const attempt of this.#running) if (attempt !== winner) attempt.abort(reason);
  }

  readonly #onCut = (reason: unknown): void => {
    for (const attempt of [...this.#running]) attempt.abort(reason);
  };

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#delay?.queue.remove(this);
    if (this.#begun > 1) this.call.offAbort(this.#onCut);
    if (this.#first !== undefined) this.#earn(this.#first);
    return true;
  }

  #suppressed(reason: RetrySuppressedEvent['reason']): void {
    const { name, environment } = this.policy;
    const { events } = environment;
    if (!events.hearsChanges) return;
    const made = { attempt: this.call.attempt, attempts: this.#begun };
    events.emitChange({ type: 'retrySuppressed', name, policy: 'hedge', ...made, reason, error: undefined });
  }
}
