import type { RetrySuppressedEvent } from '../../events/resilience-event.js';
import type { Attempt } from '../../kernel/attempt.js';
import { type Inside } from '../../kernel/attempt.js';
import { FasterAttemptError } from '../../kernel/call-info.js';
import { Deadline } from '../../kernel/deadline-queue.js';
import type { Inner, Junction } from '../../kernel/junction.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
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
  readonly closed?: ((attempt: Attempt) => boolean) | undefined;
}

/**
 * Begins a further attempt while the ones before it are without an answer. The first value wins, and the others are
 * cut. A failure brings none about: that is what a retry is for.
 *
 * @see https://research.google/pubs/the-tail-at-scale/ hedged requests
 */
export class Hedging implements Junction {
  /** @internal */ readonly delay: HedgeDelay;
  /** Earns by first attempts, unless a retry around it does. */
  readonly budget: RetryBudget | undefined;

  constructor(
    /** @internal */ readonly name: string,
    /** @internal */ readonly options: ResolvedHedge,
    /** @internal */ readonly environment: PolicyEnvironment,
    /** @internal */ readonly surroundings: HedgeSurroundings = {},
  ) {
    this.delay = new HedgeDelay(options.after, environment);
    this.budget = surroundings.earns === true ? surroundings.budget : undefined;
  }

  /** Lets attempts of `inner` run beside each other as one. */
  run(whole: Attempt, inner: Inner): Promise<unknown> {
    return new Promise((resolve, reject) => new Race(this, whole, inner, resolve, reject).start());
  }
}

/** Attempts that run beside each other, and are one to whatever is around them. */
class Race extends Deadline implements Inside {
  readonly #delay: Delay | undefined;
  #first: Attempt | undefined;
  #running: Attempt[] = [];
  #newest: Attempt | undefined;
  #begun = 0;
  #failed = false;
  #lastError: unknown = undefined;
  /** The attempt that gives the items of a stream. */
  #speaker: Attempt | undefined;
  #settled = false;
  #wake: (() => void) | undefined;

  constructor(
    private readonly policy: Hedging,
    private readonly whole: Attempt,
    private readonly inner: Inner,
    private readonly onResolve: (value: unknown) => void,
    private readonly onReject: (error: unknown) => void,
  ) {
    super();
    this.#delay = policy.delay.at(whole.since);
  }

  start(): void {
    this.whole.onAbort(this.#onCut);
    const number = this.whole.attempt;
    this.whole.rarely().inside = this;
    this.#begin(number);
    this.#wait(this.whole.since);
  }

  expire(): void {
    this.#wake?.();
  }

  /** Nothing more begins. */
  retire(): void {
    this.#delay?.queue.remove(this);
  }

  /** An item of a stream came: its attempt has won, before any other can give one. */
  item(): void {
    if (this.#speaker !== undefined) return;
    this.#speaker = this.#running.find(({ rare }) => rare?.emitted === true);
    if (this.#speaker !== undefined) this.#cutAllBut(this.#speaker);
  }

  get attempt(): number {
    return this.#newest?.number ?? this.whole.number;
  }

  get begun(): boolean {
    return this.whole.startedAt !== undefined;
  }

  #begin(number: number): void {
    const attempt = this.inner.part(this.whole, number);
    this.#newest = attempt;
    this.#first ??= attempt;
    this.#running.push(attempt);
    this.#begun++;
    this.inner.start(attempt).then(
      (value) => this.answered(attempt, value),
      (error: unknown) => this.#onError(attempt, error),
    );
  }

  /** The next attempt begins in the context of the caller, as the first did: a timer knows nothing of it. */
  #wait(since: number): void {
    if (this.#delay === undefined) return;
    this.#delay.queue.add(this, since);
    new Promise<void>((resolve) => (this.#wake = resolve))
      .then(() => this.#onDelay(this.#delay as Delay))
      .catch((fault: unknown) => this.#crashed(fault));
  }

  #crashed(fault: unknown): void {
    if (!this.#settle()) return;
    this.#onCut(fault);
    this.onReject(fault);
  }

  #onDelay({ ms }: Delay): void {
    const { whole } = this;
    const { options, environment, surroundings } = this.policy;
    const { clock, events, lifecycle } = environment;
    if (this.#settled || this.#failed || whole.aborted || whole.rare?.emitted === true || lifecycle.closing) return;
    const now = clock.now();
    if (now >= whole.deadline) return;
    const newest = this.#running.at(-1)?.startedAt;
    // What waits for its turn in this process would only wait twice; the time counts from the moment it began.
    if (newest === undefined || now - newest < ms - TOLERANCE_MS) return this.#wait(newest ?? now);
    if (surroundings.closed?.(whole) === false) return;
    if (whole.origin?.repeatable?.() === false) return this.#suppressed('notRepeatable');
    // The user's functions may have cut the call, or closed the app.
    if (whole.aborted || lifecycle.closing) return;
    if (surroundings.budget?.take(now) === false) return this.#suppressed('budget');

    const attempt = this.attempt + 1;
    if (events.active) {
      const body = { type: 'hedge', name: this.policy.name, policy: 'hedge', attempt, delayMs: ms } as const;
      events.emit(body, observationOf(whole));
    }
    this.#begin(attempt);
    if (this.#begun < options.maxAttempts) this.#wait(now);
  }

  answered(attempt: Attempt, value: unknown): void {
    if (!this.#settle()) return;
    this.#measure(attempt);
    this.#cutAllBut(attempt);
    this.onResolve(value);
  }

  #onError(attempt: Attempt, error: unknown): void {
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
  #measure(winner: Attempt | undefined): void {
    const { delay, environment } = this.policy;
    const first = this.#first;
    if (!delay.measures || first?.startedAt === undefined) return;
    const now = environment.clock.now();
    const ranMs = now - first.startedAt;
    const cut = winner === undefined || this.#running.includes(first);
    if (winner === first || (cut && ranMs >= (this.#delay?.ms ?? Infinity))) delay.record(ranMs, now);
  }

  #cutAllBut(winner: Attempt): void {
    if (this.#running.length < 2) return;
    const reason = new FasterAttemptError();
    for (const attempt of this.#running) if (attempt !== winner) attempt.abort(reason);
  }

  readonly #onCut = (reason: unknown): void => {
    for (const attempt of [...this.#running].reverse()) attempt.abort(reason);
  };

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#delay?.queue.remove(this);
    this.whole.offAbort(this.#onCut);
    return true;
  }

  #suppressed(reason: RetrySuppressedEvent['reason']): void {
    const { name, environment } = this.policy;
    const { events } = environment;
    if (!events.hearsChanges) return;
    const made = { attempt: this.attempt, attempts: this.#begun };
    const body = { type: 'retrySuppressed', name, policy: 'hedge', ...made, reason, error: undefined } as const;
    events.emitChange(body, observationOf(this.whole));
  }
}
