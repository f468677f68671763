import { TimeoutException } from '../../errors/timeout.exception.js';
import { instanceOf } from '../../errors/foreign.js';
import type { Ending } from '../../kernel/adaptive-limit/adaptive-limit.js';
import type { Call, Holding } from '../../kernel/call.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import { judge } from '../../kernel/outcome/outcome.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { rejection } from '../../kernel/rejection.js';
import { Loans } from './loans.js';

/** What a slot knows of its bulkhead. */
interface Slots {
  readonly environment: PolicyEnvironment;
  readonly measures: boolean;
  measured(call: Call, ending: Ending): void;
  /** @param abandoned whether the work goes on. */
  released(call: Call, abandoned: boolean): void;
  abandoned(afterMs: number): void;
}

/**
 * A slot in use, its own call's or on loan from a call around it. When the call is cut, or the consumer of its items does
 * not come back, a last limit begins for what goes on.
 */
export class Slot extends Deadline implements Holding {
  #held = true;
  #givenBack = false;
  #measured: boolean;
  #loans: Loans | undefined;

  /** @param lender whose slot it is; undefined: its own. */
  constructor(
    private readonly bulkhead: Slots,
    private readonly call: Call,
    private readonly abandonments: DeadlineQueue | undefined,
    private readonly lender: Slot | undefined,
  ) {
    super();
    // The time of an inner call is in that of the outer one.
    this.#measured = lender !== undefined || !bulkhead.measures;
    if (abandonments !== undefined || !this.#measured) call.onAbort(this.#onCut);
    lender?.loans.lend();
  }

  /** Whether it is one of `bulkhead`, and its call is at work. */
  isHeldIn(bulkhead: object): boolean {
    return this.#held && this.bulkhead === bulkhead;
  }

  /** To whom it is lent, and who waits for that. */
  get loans(): Loans {
    return (this.#loans ??= new Loans(() => {
      if (!this.#held) this.#giveBack(false);
    }));
  }

  readonly free = <T>(value: T): T => {
    this.#measure('done');
    this.#release(false);
    return value;
  };

  /** An answer that says no is an answer. */
  readonly fail = (error: unknown): PromiseLike<never> => {
    this.leave(error);
    return rejection(error);
  };

  leave(error: unknown): void {
    const { aborted, reason } = this.call;
    const answered = !this.#measured && judge(error, aborted, reason).kind === 'answered';
    this.#measure(answered ? 'done' : 'failed');
    this.#release(false);
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
    if (!this.call.aborted) this.abandonments?.remove(this);
  }

  readonly #onCut = (reason: unknown): void => {
    this.abandonments?.remove(this);
    this.abandonments?.add(this, this.bulkhead.environment.clock.now());
    // What took all its time has told how slow it is, whether or not the work goes on.
    // The limit of several attempts says nothing of one.
    if (instanceOf(reason, TimeoutException)) this.#measure(reason.details?.scope === 'perAttempt' ? 'cut' : 'failed');
  };

  #measure(ending: Ending): void {
    if (this.#measured || !this.#held) return;
    this.#measured = true;
    this.bulkhead.measured(this.call, ending);
  }

  #release(abandoned: boolean): void {
    if (!this.#held) return;
    this.#held = false;
    this.abandonments?.remove(this);
    this.call.offAbort(this.#onCut);
    // What its call has left running on a loan still takes the place.
    if (abandoned || this.#loans === undefined || this.#loans.none) this.#giveBack(abandoned);
  }

  #giveBack(abandoned: boolean): void {
    if (this.#givenBack) return;
    this.#givenBack = true;
    if (abandoned && this.abandonments !== undefined) this.bulkhead.abandoned(this.abandonments.ms);
    if (this.lender === undefined) this.bulkhead.released(this.call, abandoned);
    else this.lender.loans.giveBack(this.bulkhead.environment.clock.now());
  }
}

/** The slot of `bulkhead` that a call around `call` holds, the nearest one. */
export function slotAround(call: Call, bulkhead: object): Slot | undefined {
  for (let { outer } = call; outer !== undefined; outer = outer.outer)
    if (instanceOf(outer.slot, Slot) && outer.slot.isHeldIn(bulkhead)) return outer.slot;
  return undefined;
}
