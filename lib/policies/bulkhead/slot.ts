import { TimeoutException } from '../../errors/timeout.exception.js';
import { instanceOf } from '../../errors/foreign.js';
import type { Ending } from '../adaptive-limit/adaptive-limit.js';
import type { Call } from '../call.js';
import { Deadline, type DeadlineQueue } from '../deadline-queue.js';
import { judge } from '../outcome.js';
import type { PolicyEnvironment } from '../policy.js';
import { rejection } from '../rejection.js';

/** Why a slot is free again. */
export type Release = 'ended' | 'abandoned';

/** What a slot knows of its bulkhead. */
interface Slots {
  readonly environment: PolicyEnvironment;
  readonly measures: boolean;
  measured(call: Call, ending: Ending): void;
  released(call: Call, afterMs: number | undefined): void;
}

/** A slot in use. When the call is cut, a last limit begins for the work that goes on. */
export class Slot extends Deadline {
  #held = true;
  #measured: boolean;

  constructor(
    private readonly bulkhead: Slots,
    private readonly call: Call,
    private readonly abandonments: DeadlineQueue | undefined,
  ) {
    super();
    this.#measured = !bulkhead.measures;
    if (abandonments !== undefined || bulkhead.measures) call.onAbort(this.#onCut);
  }

  readonly free = <T>(value: T): T => {
    this.#measure('done');
    this.#release('ended');
    return value;
  };

  /** An answer that says no is an answer. */
  readonly fail = (error: unknown): PromiseLike<never> => {
    const { aborted, reason } = this.call;
    const answered = !this.#measured && judge(error, aborted, reason).kind === 'answered';
    this.#measure(answered ? 'done' : 'failed');
    this.#release('ended');
    return rejection(error);
  };

  expire(): void {
    this.#measure('failed');
    this.#release('abandoned');
  }

  readonly #onCut = (reason: unknown): void => {
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

  #release(release: Release): void {
    if (!this.#held) return;
    this.#held = false;
    this.abandonments?.remove(this);
    this.call.offAbort(this.#onCut);
    this.bulkhead.released(this.call, release === 'abandoned' ? this.abandonments?.ms : undefined);
  }
}
