import { abortable } from './abortable.js';
import { DataClosedException } from './errors.js';

/** Lets a service's operations in while it is open, and closes it once they have ended. */
export class OperationGate {
  #running = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /**
   * @param service how messages call the service.
   * @param translate gives the error of an operation as the callers of the service get it.
   */
  constructor(
    private readonly service: string,
    private readonly translate: (error: unknown) => unknown = (error) => error,
  ) {}

  /** @throws DataClosedException from the moment when {@link close} was called. */
  assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new DataClosedException(`${this.service} is closed; expected no call after close()`);
    }
  }

  /** Runs one operation. An abort cuts the caller's wait, while {@link close} still waits for the work itself. */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    signal?.throwIfAborted();
    return abortable(this.#counted(work), signal);
  }

  /** Waits for what runs, then calls `release`; every further call gets the first one's promise. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#idle()
      .then(release)
      .catch((error: unknown) => {
        throw this.translate(error);
      });
    return this.#closing;
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } catch (error) {
      throw this.translate(error);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  #idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle = resolve));
  }
}
