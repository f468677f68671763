import { instanceOf } from '../../errors/foreign.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import type { Ending } from '../../kernel/adaptive-limit/adaptive-limit.js';
import type { Attempt } from '../../kernel/attempt.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Loans } from './loans.js';

/** What a slot knows of its bulkhead. */
interface Slots {
  readonly environment: PolicyEnvironment;
  readonly measures: boolean;
  measured(attempt: Attempt, ending: Ending): void;
  /** @param abandoned whether the work goes on. */
  freed(attempt: Attempt, abandoned: boolean): void;
  abandoned(afterMs: number): void;
  /** Work that went on without a slot has ended. */
  abandonedEnded(): void;
}

/**
 * A slot in use, its own attempt's or on loan from one around it. When the attempt is cut, or the consumer of its items
 * does not come back, a last limit begins for what goes on.
 */
export class Slot extends Deadline {
  #held = true;
  #givenBack = false;
  #abandoned = false;
  #measured: boolean;
  #loans: Loans | undefined = undefined;

  /** @param lender whose slot it is; undefined: its own. */
  constructor(
    private readonly bulkhead: Slots,
    private readonly attempt: Attempt,
    private readonly abandonments: DeadlineQueue | undefined,
    private readonly lender: Slot | undefined,
  ) {
    super();
    // The time of an inner attempt is in that of the outer one.
    this.#measured = lender !== undefined || !bulkhead.measures;
    lender?.loans.lend();
  }

  /** Whether it is one of `bulkhead`, and its attempt is at work. */
  isHeldIn(bulkhead: object): boolean {
    return this.#held && this.bulkhead === bulkhead;
  }

  /** To whom it is lent, and who waits for that. */
  get loans(): Loans {
    return (this.#loans ??= new Loans(() => {
      if (!this.#held) this.#giveBack(false);
    }));
  }

  /** Its attempt has ended for its caller. */
  settled(failure: Failure | undefined): void {
    const { attempt } = this;
    if (attempt.running) this.#cut(attempt.reason);
    else this.#end(failure);
  }

  /** The work has ended. */
  released(failure: Failure | undefined): void {
    this.#end(failure);
    this.#release(false);
    if (this.#abandoned) this.bulkhead.abandonedEnded();
  }

  expire(): void {
    this.#measure('failed');
    this.#release(true);
  }

  park(): void {
    if (this.#held && !this.queued) this.abandonments?.add(this, this.bulkhead.environment.clock.now());
  }

  resume(): void {
    // What was cut has no more time.
    if (!this.attempt.aborted) this.abandonments?.remove(this);
  }

  #end(failure: Failure | undefined): void {
    if (this.#measured) return;
    const { aborted, reason } = this.attempt;
    // An answer that says no is an answer.
    const done = failure === undefined || failure.judge(aborted, reason).kind === 'answered';
    this.#measure(done ? 'done' : 'failed');
  }

  #cut(reason: unknown): void {
    this.abandonments?.remove(this);
    this.abandonments?.add(this, this.bulkhead.environment.clock.now());
    // What took all its time has told how slow it is, whether or not the work goes on.
    // The limit of several attempts says nothing of one.
    if (instanceOf(reason, TimeoutException)) this.#measure(reason.details?.scope === 'perAttempt' ? 'cut' : 'failed');
  }

  #measure(ending: Ending): void {
    if (this.#measured || !this.#held) return;
    this.#measured = true;
    this.bulkhead.measured(this.attempt, ending);
  }

  #release(abandoned: boolean): void {
    if (!this.#held) return;
    this.#held = false;
    try {
      this.abandonments?.remove(this);
    } finally {
      // What its attempt has left running on a loan still takes the place.
      if (abandoned || this.#loans === undefined || this.#loans.none) this.#giveBack(abandoned);
    }
  }

  #giveBack(abandoned: boolean): void {
    if (this.#givenBack) return;
    this.#givenBack = true;
    this.#abandoned = abandoned;
    if (abandoned && this.abandonments !== undefined) this.bulkhead.abandoned(this.abandonments.ms);
    if (this.lender === undefined) this.bulkhead.freed(this.attempt, abandoned);
    else this.lender.loans.giveBack(this.bulkhead.environment.clock.now());
  }
}

/** The slot of `bulkhead` that an attempt around `attempt` holds, the nearest one. */
export function slotAround(attempt: Attempt, bulkhead: object): Slot | undefined {
  for (let { outer } = attempt; outer !== undefined; outer = outer.outer)
    if (instanceOf(outer.slot, Slot) && outer.slot.isHeldIn(bulkhead)) return outer.slot;
  return undefined;
}
