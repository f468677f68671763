import { TimeoutException } from '../../errors/timeout.exception.js';
import type { Call } from '../call.js';
import { Deadline, type DeadlineQueue } from '../deadline-queue.js';
import { judge } from '../outcome.js';
import type { PolicyEnvironment } from '../policy.js';

/** What a slot knows of its bulkhead. */
interface Slots {
  readonly environment: PolicyEnvironment;
  readonly measures: boolean;
  measured(call: Call, whole: boolean, atLeastMs: number): void;
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

  readonly free = (): void => this.#free(false, true);

  /** An answer that says no is an answer; any other error came too soon to tell how long the work takes. */
  readonly fail = (error: unknown): void => {
    const { aborted, reason } = this.call;
    this.#free(false, !this.#measured && judge(error, aborted, reason).kind === 'answered');
  };

  expire(): void {
    this.#free(true, false);
  }

  readonly #onCut = (reason: unknown): void => {
    this.abandonments?.add(this, this.bulkhead.environment.clock.now());
    // What took all its time has told how slow it is, whether or not the work goes on.
    if (reason instanceof TimeoutException) this.#measure(false, limitOf(reason));
  };

  #measure(whole: boolean, atLeastMs = 0): void {
    if (this.#measured) return;
    this.#measured = true;
    this.bulkhead.measured(this.call, whole, atLeastMs);
  }

  #free(abandoned: boolean, whole: boolean): void {
    if (!this.#held) return;
    this.#held = false;
    this.#measure(whole);
    this.abandonments?.remove(this);
    this.call.offAbort(this.#onCut);
    this.bulkhead.released(this.call, abandoned ? this.abandonments?.ms : undefined);
  }
}

/** What one attempt may take at most; the limit of several says nothing of one. */
function limitOf({ details }: TimeoutException): number {
  return details?.scope === 'perAttempt' && typeof details.limitMs === 'number' ? details.limitMs : 0;
}
