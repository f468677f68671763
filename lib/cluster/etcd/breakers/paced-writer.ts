import type { Clock, Timer } from '../../../kernel/clock.js';

/** A second of pause at least, and no more than these, ms, while writes fail. */
const EVERY_MS = 1_000;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Keeps a text elsewhere that changes often: at once where the last write is a second ago, else when it is; one write at a
 * time, and nobody waits for it.
 */
export class PacedWriter {
  #put: ((text: string) => Promise<unknown>) | undefined;
  #written: string | undefined;
  #nextAt = -Infinity;
  #failures = 0;
  #timer: Timer | undefined;
  #writing: Promise<unknown> | undefined;
  #closed = false;

  /** @param read the text as it is to be now. */
  constructor(
    private readonly clock: Clock,
    private readonly read: () => string,
  ) {}

  /** Something may be other than it was written. It is read later, so this may be called from anywhere. */
  changed(): void {
    if (this.#closed || this.#put === undefined || this.#timer !== undefined || this.#writing !== undefined) return;
    const ms = Math.max(1, Math.ceil(this.#nextAt - this.clock.now()));
    this.#timer = this.clock.setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, ms);
    this.#timer.unref();
  }

  /** Writes all of it by `put` from now on; resolves when it is written once. @throws what `put` throws */
  async writeBy(put: (text: string) => Promise<unknown>): Promise<void> {
    this.#put = undefined;
    await this.#writing;
    if (this.#closed) return;
    const text = this.read();
    this.#nextAt = this.clock.now() + EVERY_MS;
    await put(text);
    this.#written = text;
    this.#put = put;
    this.#failures = 0;
    this.changed();
  }

  /** What was written is gone. */
  lost(): void {
    this.#written = undefined;
    this.changed();
  }

  /** There is nowhere to write to. */
  pause(): void {
    this.#put = undefined;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #write(): Promise<void> {
    const text = this.read();
    const put = this.#put;
    if (this.#closed || put === undefined || text === this.#written) return;
    this.#nextAt = this.clock.now() + EVERY_MS;
    // What becomes of it is not known until it resolves.
    this.#written = undefined;
    this.#writing = put(text).then(
      () => {
        this.#written = text;
        this.#failures = 0;
      },
      () => {
        this.#failures++;
        this.#nextAt = this.clock.now() + Math.min(LONGEST_PAUSE_MS, EVERY_MS * 2 ** this.#failures);
      },
    );
    await this.#writing;
    this.#writing = undefined;
    if (this.read() !== this.#written) this.changed();
  }
}
