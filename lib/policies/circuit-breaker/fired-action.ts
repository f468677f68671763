import { promiseOf } from '../../errors/foreign.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { Attempt } from './attempt-outcome.js';

/** An action that was fired by hand: it belongs to no method, and only the breaker's own `timeout` can cut it. */
export class FiredAction extends Deadline implements Attempt {
  readonly className = '';
  readonly instance = undefined;
  readonly attempt = 1;
  readonly emitted = false;
  readonly #controller = new AbortController();
  #reject: ((error: unknown) => void) | undefined;

  constructor(
    readonly methodName: string,
    readonly args: readonly unknown[],
    readonly startedAt: number,
    private readonly limitMs: number | false,
  ) {
    super();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.signal.aborted;
  }

  get reason(): unknown {
    return this.signal.reason as unknown;
  }

  /** @param limit the actions under the same time limit; undefined: there is none. */
  run<R>(action: () => R | PromiseLike<R>, limit: DeadlineQueue | undefined): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#reject = reject;
      limit?.add(this, this.startedAt);
      promiseOf(action()).then(resolve as (value: unknown) => void, reject);
    }).finally(() => limit?.remove(this));
  }

  expire(): void {
    const { methodName: instanceName, limitMs } = this;
    const message = `${instanceName} gave no answer within ${String(limitMs)} ms`;
    this.#controller.abort(new TimeoutException({ policy: 'timeout', instanceName, message, details: { limitMs } }));
    this.#reject?.(this.reason);
  }
}
