import { textOf } from '../port/error-text.js';
import { DataUnavailableException } from '../port/errors.js';
import type { DataWrite } from '../port/replicable-data.service.js';
import type { GuardedNode } from './guarded-node.js';
import type { Heartbeat } from './heartbeat.js';
import { mergeWrites } from './merge-writes.js';
import { isPermanent } from './node-error.js';
import type { PrimaryNode } from './primary-node.js';
import { isReserved } from './reserved-key.js';
import type { VersionSource } from './version-source.js';
import type { WriteQueue } from './write-queue.js';

/** A node that may be read in place of the primary. */
export interface Standby {
  readonly kind: 'replica' | 'mirror';
  readonly node: GuardedNode;
  readonly maxPendingBytes: number;
}

export interface ReaderInit {
  readonly primary: PrimaryNode;
  /** Empty: only the primary is read. */
  readonly standbys: readonly Standby[];
  /** Undefined: a standby may lag behind as far as it likes. */
  readonly heartbeat: Heartbeat | undefined;
  readonly queue: WriteQueue | undefined;
  readonly versions: VersionSource;
  /** Told of each write that was read from the primary. */
  readonly onRead: (write: DataWrite) => void;
}

/** Reads the queue, then the primary, then, where that is wanted, the standbys. */
export class Reader {
  constructor(private readonly init: ReaderInit) {}

  /** The last write of a key, a delete too. */
  async lastWrite(key: string, signal?: AbortSignal): Promise<DataWrite | undefined> {
    const { primary, queue } = this.init;
    const queued = await queue?.lastWrite(key);
    if (queued !== undefined) return queued;
    try {
      const found = await lastWriteOf(primary, key, signal);
      if (found !== undefined) this.#seen(found);
      return found;
    } catch (error) {
      return this.#fromStandby(error, signal, async (standby) => {
        const found = await lastWriteOf(standby.node, key, signal);
        // What a mirror does not have may be there nevertheless: this process has never read it.
        if (found !== undefined || standby.kind === 'replica') return { value: found };
        throw new DataUnavailableException(`The ${standby.node.name} of failoverData has no copy of this key`);
      });
    }
  }

  /** The last writes of the keys that begin with `prefix`, in byte order. */
  async *writes(prefix: string, signal?: AbortSignal): AsyncGenerator<DataWrite, void, undefined> {
    const { queue } = this.init;
    // What is queued now may be replayed before its turn comes, so the keys are kept from the start.
    const queuedKeys = queue?.keysFrom(prefix) ?? [];
    const latest = (key: string): Promise<DataWrite | undefined> => this.lastWrite(key, signal);
    for await (const write of mergeWrites(this.#stored(prefix, signal), queuedKeys, latest)) {
      if (!isReserved(write.key)) yield write;
    }
  }

  /** Those of the first store that gives the first of them; from then on there is no way back. */
  async *#stored(prefix: string, signal: AbortSignal | undefined): AsyncGenerator<DataWrite, void, undefined> {
    const { primary } = this.init;
    const begin = async (node: GuardedNode): Promise<[GuardedNode, AsyncIterator<DataWrite>, Step]> => {
      const [iterator, first] = await node.run(async (service) => {
        const all = service.writes({ prefix, signal })[Symbol.asyncIterator]();
        return [all, await all.next()] as const;
      }, signal);
      return [node, iterator, first];
    };
    const [node, iterator, first] = await begin(primary).catch((error: unknown) =>
      this.#fromStandby(error, signal, async (standby) => ({ value: await begin(standby.node) })),
    );
    try {
      for (let step = first; step.done !== true; step = await node.run(() => iterator.next(), signal)) {
        if (node === primary) this.#seen(step.value);
        yield step.value;
      }
    } finally {
      // Not waited for: it may hang where the node does.
      void iterator.return?.().catch(() => undefined);
    }
  }

  /** Reads the first standby that answers and is fresh enough; where none is, the primary's error stands. */
  async #fromStandby<T>(
    primaryError: unknown,
    signal: AbortSignal | undefined,
    read: (standby: Standby) => Promise<{ value: T }>,
  ): Promise<T> {
    const { standbys, heartbeat } = this.init;
    if (isPermanent(primaryError) || standbys.length === 0) throw primaryError;
    const problems: unknown[] = [primaryError];
    for (const standby of standbys) {
      signal?.throwIfAborted();
      try {
        if (heartbeat === undefined || (await heartbeat.isFresh(standby.node, signal))) {
          return (await read(standby)).value;
        }
        problems.push(new DataUnavailableException(`The ${standby.node.name} of failoverData lags too far behind`));
      } catch (error) {
        problems.push(error);
      }
    }
    signal?.throwIfAborted();
    throw new DataUnavailableException(`No node of failoverData can be read: ${problems.map(textOf).join('; ')}`, {
      cause: new AggregateError(problems),
    });
  }

  #seen(write: DataWrite): void {
    this.init.versions.observe(write.version);
    this.init.onRead(write);
  }
}

type Step = IteratorResult<DataWrite, unknown>;

function lastWriteOf(node: GuardedNode, key: string, signal?: AbortSignal): Promise<DataWrite | undefined> {
  return node.run((service, inner) => service.lastWrite(key, { signal: inner }), signal);
}
