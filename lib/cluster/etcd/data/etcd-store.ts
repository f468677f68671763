import { textOf } from '../../../data/port/error-text.js';
import { DataUnavailableException } from '../../../data/port/errors.js';
import type { EtcdEntry } from '../client/etcd-entry.js';
import type { EtcdFence } from './data-fenced.exception.js';
import type { ResolvedEtcdDataOptions } from './etcd-data-options.js';
import { isOutOfSpace, isRevisionGone, isUnknown } from './etcd-faults.js';
import type { Changed, Page } from './member.js';
import { Members } from './members.js';
import type { TimeBudget } from './time-budget.js';
import { WriteGuard } from './write-guard.js';

/** How many entries are read at once: of values as large as can be, what a slow network brings within one try. */
const PAGE = 8;

/** A write of one key. */
export interface Write {
  readonly key: string;
  /** JSON text; undefined: the key is deleted. */
  readonly text: string | undefined;
  readonly modRevision?: string | null | undefined;
  readonly fence?: EtcdFence | undefined;
}

/** The data in a cluster, under the names that the app gives them. */
export class EtcdStore {
  readonly #members: Members;
  readonly #guard: WriteGuard;
  readonly #prefix: string;

  constructor(options: ResolvedEtcdDataOptions) {
    this.#members = Members.of(options);
    this.#prefix = `${options.prefix}data/`;
    this.#guard = new WriteGuard(this.#members, `${options.prefix}data-guards/`, options.timeout);
  }

  find(key: string, budget: TimeBudget): Promise<EtcdEntry | undefined> {
    return this.#members.ask(budget, (member, ms) => member.get(this.#prefix + key, ms));
  }

  /**
   * Writes a key. One without conditions is tried again where nobody knows what became of it; one with conditions is
   * not, since it would meet its own result.
   *
   * @throws DataUnavailableException where it may have been applied, and may not.
   */
  async write(write: Write, budget: TimeBudget): Promise<Changed> {
    const isConditional = write.modRevision !== undefined || write.fence !== undefined;
    if (budget.isOver)
      throw new DataUnavailableException('etcd: the time was over before the earlier writes of the key were');
    for (;;) {
      const guard = await this.#guardOf(write, budget);
      try {
        const changed = await this.#tryWrite(write, guard, budget);
        if (changed.applied || guard === undefined || changed.lost !== guard) return changed;
        this.#guard.break(guard);
      } catch (error) {
        if (!isUnknown(error)) throw error;
        if (guard !== undefined) this.#guard.break(guard);
        if (isConditional || budget.isOver) throw outcomeUnknown(write, error);
      }
    }
  }

  /**
   * A page of the entries whose keys begin with `prefix`, in byte order.
   *
   * @param next where the page before has ended; undefined: this is the first one.
   * @param revision that of the page before. Where etcd has it no more, the page is of the newest.
   */
  async page(
    prefix: string,
    next: Buffer | undefined,
    revision: string | undefined,
    budget: TimeBudget,
  ): Promise<Page> {
    const all = this.#prefix + prefix;
    try {
      return await this.#members.ask(budget, (member, ms) => member.page(all, next ?? all, PAGE, revision, ms));
    } catch (error) {
      if (revision === undefined || !isRevisionGone(error)) throw error;
      return this.page(prefix, next, undefined, budget);
    }
  }

  /** The app's name of an entry. */
  nameOf({ key }: EtcdEntry): string {
    return key.slice(this.#prefix.length);
  }

  /** @throws DataUnavailableException where the cluster does not agree on anything, or has raised an alarm. */
  async ping(budget: TimeBudget): Promise<void> {
    const complaints = await this.#members.ask(budget, async (member, ms) => {
      await member.get(this.#prefix, ms);
      return member.complaints(ms);
    });
    if (complaints.length === 0) return;
    throw new DataUnavailableException(`etcd has raised an alarm: ${complaints.join('; ')}`);
  }

  async close(): Promise<void> {
    await this.#guard.close();
    this.#members.close();
  }

  async #guardOf({ text }: Write, budget: TimeBudget): Promise<EtcdFence | undefined> {
    try {
      return await this.#guard.current(budget);
    } catch (error) {
      // A delete makes room, and nothing can be put meanwhile that it could meet.
      if (text === undefined && isOutOfSpace(error)) return undefined;
      throw error;
    }
  }

  #tryWrite(
    { key, text, modRevision, fence }: Write,
    guard: EtcdFence | undefined,
    budget: TimeBudget,
  ): Promise<Changed> {
    const fences = [guard, fence].filter((one) => one !== undefined);
    const change = { key: this.#prefix + key, value: text, modRevision, fences };
    return this.#members.ask(
      budget,
      (member, ms) => member.change(change, ms),
      (error) => !isUnknown(error),
    );
  }
}

function outcomeUnknown({ key, text }: Write, cause: unknown): DataUnavailableException {
  const what = text === undefined ? 'deleted' : 'written';
  return new DataUnavailableException(
    `etcd did not say whether the data key ${JSON.stringify(key)} was ${what}, and it may or may not have been: ${textOf(cause)}`,
    { cause },
  );
}
