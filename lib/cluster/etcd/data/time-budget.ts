import { abortable } from '../../../data/port/abortable.js';
import { DataUnavailableException } from '../../../data/port/errors.js';

/** How long an operation may still go on, and whether somebody still waits for it. */
export class TimeBudget {
  readonly #end: number;

  constructor(
    private readonly ms: number,
    readonly signal?: AbortSignal,
  ) {
    this.#end = performance.now() + ms;
  }

  /** ms. */
  get left(): number {
    return this.#end - performance.now();
  }

  /** Whether nothing more may be begun: the time is over, or the caller has gone. */
  get isOver(): boolean {
    return this.signal?.aborted === true || this.left <= 0;
  }

  /**
   * Waits for what has a time of its own.
   *
   * @throws DataUnavailableException where that is too long, and the signal's reason.
   */
  async wait<T>(work: Promise<T>): Promise<T> {
    const timeUp = AbortSignal.timeout(Math.max(1, Math.ceil(this.left)));
    try {
      return await abortable(abortable(work, this.signal), timeUp);
    } catch (error) {
      if (error !== timeUp.reason) throw error;
      throw new DataUnavailableException(`etcd did not answer within ${this.ms} ms`);
    }
  }
}
