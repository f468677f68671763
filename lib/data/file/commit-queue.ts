import { outsideCalls } from '../port/outside-calls.js';
import type { VersionClock } from '../port/version-clock.js';
import type { Change, PendingChange } from './change.js';
import { CommitBatch } from './commit-batch.js';
import type { EntryStore } from './entry-store.js';
import type { Journal } from './journal.js';
import { RecordBuffer } from './record-buffer.js';

/** Brings changes into the journal, in the order of the calls: all that wait at the same time share one sync. */
export class CommitQueue {
  readonly #records = new RecordBuffer();
  #waiting: PendingChange[] = [];
  #between: (() => Promise<void>)[] = [];
  #working: Promise<void> | undefined;

  /** @param onCommit called after each commit. */
  constructor(
    private readonly store: EntryStore,
    private readonly clock: VersionClock,
    private readonly journal: Journal,
    private readonly onCommit: () => void,
  ) {}

  /** Resolves once the change is durable, as {@link PendingChange.resolve} says. */
  submit(change: Change, signal: AbortSignal | undefined): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, signal, resolve, reject });
      this.#wake();
    });
  }

  /** Runs `work` between two commits. */
  between<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#between.push(() => work().then(resolve, reject));
      this.#wake();
    });
  }

  /** Resolves once nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  #wake(): void {
    this.#working ??= outsideCalls(() => this.#work());
  }

  async #work(): Promise<void> {
    // The calls of this turn of the loop are still on their way in.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#between.length > 0) {
      for (const work of this.#between.splice(0)) await work();
      if (this.#waiting.length > 0) await this.#commit();
    }
    this.#working = undefined;
  }

  async #commit(): Promise<void> {
    const { journal } = this;
    let failure: { error: unknown } | undefined;
    if (journal.isSuspect) {
      await journal.rotate(this.store.version).catch((error: unknown) => (failure = { error }));
    }
    const batch = this.#nextBatch();
    if (failure !== undefined) return batch.fail(failure.error);
    let offset = 0;
    try {
      if (batch.count > 0) offset = await journal.append(this.#records.bytes, this.#records.length, batch.count);
    } catch (error) {
      return batch.fail(error);
    }
    batch.acknowledge(offset);
    this.onCommit();
  }

  #nextBatch(): CommitBatch {
    const batch = new CommitBatch(this.store, this.clock, this.#records, this.journal.file, this.journal.sequence);
    let taken = 0;
    for (const pending of this.#waiting) {
      if (batch.isFull) break;
      batch.add(pending);
      taken += 1;
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    return batch;
  }
}
