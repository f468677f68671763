import { DataConflictException } from '../port/errors.js';
import type { DataWrite } from '../port/replicable-data.service.js';
import type { TellFailover } from './failover-event.js';
import { KeyTurns } from '../port/key-turns.js';
import { isPermanent } from './node-error.js';
import type { PrimaryNode } from './primary-node.js';
import type { Replay } from './replay.js';
import type { VersionSource } from './version-source.js';
import type { WriteQueue } from './write-queue.js';

export interface WriterInit {
  readonly primary: PrimaryNode;
  readonly versions: VersionSource;
  /** Where writes go that the primary cannot take; undefined: nowhere. */
  readonly backlog: { readonly queue: WriteQueue; readonly replay: Replay } | undefined;
  readonly tell: TellFailover;
  /** Told of each write that the primary has now. */
  readonly onConfirmed: (write: DataWrite) => void;
}

/** How often a write that comes now is given a higher version when the primary has a higher one. */
const MAX_TRIES = 4;

/** Writes to the primary, and to the queue while the primary cannot; the writes of one key one after the other. */
export class Writer {
  readonly #turns = new KeyTurns();

  constructor(private readonly init: WriterInit) {}

  /** @param text JSON; undefined: the key is deleted. */
  put(
    key: string,
    text: string | undefined,
    ifVersion: string | null | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#turns.run(key, signal, async () => {
      if (ifVersion === undefined) return this.#write(key, text, undefined, signal);
      return this.#writeIf(key, text, ifVersion, signal);
    });
  }

  /** Whether the key was there; true too where nobody can be asked, since the delete has been accepted. */
  delete(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    return this.#turns.run(key, signal, async () => {
      const { primary, backlog } = this.init;
      let before = await backlog?.queue.lastWrite(key);
      try {
        before ??= await primary.run((service, inner) => service.lastWrite(key, { signal: inner }), signal);
      } catch (error) {
        if (!this.#mayQueue(error, signal)) throw error;
        await this.#queue(await this.#stamp(key, undefined), error);
        return true;
      }
      await this.#write(key, undefined, undefined, signal);
      return before?.text !== undefined;
    });
  }

  async #writeIf(
    key: string,
    text: string | undefined,
    ifVersion: string | null,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { versions, backlog } = this.init;
    if (ifVersion !== null) versions.observe(ifVersion);
    const queued = await backlog?.queue.lastWrite(key);
    if (queued !== undefined && backlog !== undefined) {
      try {
        await backlog.replay.deliver(key);
      } catch (error) {
        if (!this.#mayQueue(error, signal)) throw error;
        const version = queued.text === undefined ? null : queued.version;
        if (version !== ifVersion) throw new DataConflictException(key, ifVersion);
        return this.#queue(await this.#stamp(key, text), error);
      }
    }
    await this.#write(key, text, ifVersion, signal);
  }

  /**
   * Sends a write to the primary. A newer one that stands there came from a clock that is ahead, since this one comes
   * now: it is sent again under a higher version.
   */
  async #write(
    key: string,
    text: string | undefined,
    ifVersion: string | null | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { primary, versions, tell } = this.init;
    for (let tries = 1; ; tries++) {
      const write = await this.#stamp(key, text);
      let standing: string;
      try {
        standing = await primary.write((service, inner) => service.apply(write, { ifVersion, signal: inner }), signal);
      } catch (error) {
        // Repeated later, a guarded write would be a blind one.
        if (ifVersion !== undefined || !this.#mayQueue(error, signal)) throw error;
        // It may have arrived, so it is repeated under its own version.
        return this.#queue(write, error);
      }
      versions.observe(standing);
      if (standing === write.version) return this.#confirm(write);
      if (tries < MAX_TRIES) continue;
      await this.init.backlog?.queue.supersede(key);
      return tell({ type: 'conflict', key, version: write.version, winner: standing });
    }
  }

  async #confirm(write: DataWrite): Promise<void> {
    await this.init.backlog?.queue.supersede(write.key);
    this.init.onConfirmed(write);
  }

  async #queue(write: DataWrite, error: unknown): Promise<void> {
    const { backlog, tell } = this.init;
    if (backlog === undefined) throw error;
    await backlog.queue.add(write);
    tell({ type: 'queued', key: write.key, version: write.version, length: backlog.queue.length, error });
    backlog.replay.add(write.key);
  }

  #mayQueue(error: unknown, signal: AbortSignal | undefined): boolean {
    return this.init.backlog !== undefined && !isPermanent(error) && signal?.aborted !== true;
  }

  async #stamp(key: string, text: string | undefined): Promise<DataWrite> {
    return { key, text, version: await this.init.versions.next() };
  }
}
