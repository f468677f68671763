import { AsyncResource } from 'node:async_hooks';
import type { Logger } from '@nestjs/common';
import type { Change } from './change.js';
import type { PendingChange } from './commit-batch.js';
import { CommitBatch } from './commit-batch.js';
import type { EntryStore } from './entry-store.js';
import type { Journal } from './journal.js';

/** Below this size, in bytes, a journal is not worth a rewrite. */
const SMALL_JOURNAL = 1024 * 1024;

/** Brings changes into the journal, in the order of the calls: all that wait at the same time share one sync. */
export class CommitQueue {
  #waiting: PendingChange[] = [];
  #working: Promise<void> | undefined;
  /** The journal's size, in bytes, from which on it is looked at for garbage. */
  #compactAt = SMALL_JOURNAL;
  /** The worker outlives the call that woke it, and must not keep that call's request context alive. */
  readonly #context = new AsyncResource('BulwarkCommitQueue');

  constructor(
    private readonly store: EntryStore,
    private readonly journal: Journal,
    private readonly logger: Logger,
  ) {}

  /** Resolves once the change is durable, to the result of its verdict. */
  submit(change: Change, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, signal, resolve, reject });
      this.#working ??= this.#context.runInAsyncScope(() => this.#work());
    });
  }

  /** Resolves once nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Rewrites the journal where at least half of it is garbage. A failure costs no data, only room. */
  async compact(): Promise<void> {
    if (this.journal.size < this.#compactAt || this.journal.size < 2 * this.store.size) return;
    try {
      await this.journal.rewrite(this.store.frames());
    } catch (error) {
      this.logger.warn(`${this.journal.file} could not be compacted: ${String(error)}`);
    }
    this.#compactAt = Math.max(SMALL_JOURNAL, 2 * this.journal.size);
  }

  async #work(): Promise<void> {
    // The calls of this turn of the loop are still on their way in.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#commit(this.#nextBatch());
      await this.compact();
    }
    this.#working = undefined;
  }

  #nextBatch(): CommitBatch {
    const batch = new CommitBatch(this.store);
    let taken = 0;
    for (const pending of this.#waiting) {
      if (batch.isFull) break;
      batch.add(pending);
      taken += 1;
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  async #commit(batch: CommitBatch): Promise<void> {
    try {
      const frame = batch.frame();
      if (frame !== undefined) await this.journal.append(frame, () => this.store.frames());
    } catch (error) {
      batch.fail(this.journal.file, error);
      return;
    }
    batch.acknowledge();
  }
}
