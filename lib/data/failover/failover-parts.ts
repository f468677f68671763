import type { Logger } from '@nestjs/common';
import type { Subject } from 'rxjs';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { DataWrite } from '../port/replicable-data.service.js';
import type { FailoverEvent, FailoverNodeStatus, FailoverStatus, TellFailover } from './failover-event.js';
import { GuardedNode } from './guarded-node.js';
import { Heartbeat } from './heartbeat.js';
import { Mirror } from './mirror.js';
import { sourceOf } from './node-source.js';
import { PrimaryNode } from './primary-node.js';
import type { Standby } from './reader.js';
import { Reader } from './reader.js';
import { Replay } from './replay.js';
import type { ResolvedFailoverOptions } from './resolve-options.js';
import type { Report, Surroundings } from './surroundings.js';
import { breakerEnvironment } from './surroundings.js';
import { TombstoneSweep } from './tombstone-sweep.js';
import type { VersionSource } from './version-source.js';
import { KeptVersionSource, versionSource } from './version-source.js';
import { WriteQueue } from './write-queue.js';
import { Writer } from './writer.js';

/** The stores, before anything is read or written. */
class Nodes {
  readonly environment: PolicyEnvironment;
  readonly primary: PrimaryNode;
  readonly standbys: readonly Standby[];
  readonly all: readonly GuardedNode[];

  constructor(options: ResolvedFailoverOptions, surroundings: Surroundings, report: Report, tell: TellFailover) {
    this.environment = breakerEnvironment(surroundings, report);
    const { timeout, breaker } = options;
    const common = { timeout, breaker, environment: this.environment, tell };
    const source = sourceOf("option 'primary'", options.primary);
    this.primary = new PrimaryNode({ name: 'primary', source, ...common });
    this.standbys = options.standbys.map(({ name, kind, node, maxPendingBytes }) => ({
      kind,
      maxPendingBytes,
      node: new GuardedNode({ name, source: sourceOf(`${name}.${kind}`, node), ...common }),
    }));
    this.all = [this.primary, ...this.standbys.map(({ node }) => node)];
  }

  /** @throws what the first of those says that cannot be used at all. */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.all.map((node) => node.start()));
    for (const result of started) if (result.status === 'rejected') throw result.reason;
  }

  async close(): Promise<void> {
    try {
      await closeAll(this.all);
    } finally {
      this.environment.lifecycle.dispose();
    }
  }
}

/** What a failover service is put together from. */
export class FailoverParts {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly #replay: Replay | undefined;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #mirrors: readonly Mirror[];
  readonly #sweep: TombstoneSweep;

  private constructor(
    options: ResolvedFailoverOptions,
    private readonly surroundings: Surroundings,
    private readonly nodes: Nodes,
    private readonly queue: WriteQueue | undefined,
    private readonly versions: VersionSource,
    private readonly events: Subject<FailoverEvent>,
    tell: TellFailover,
  ) {
    const { primary, standbys } = nodes;
    const { reads, queue: queueOptions } = options;
    this.#mirrors = standbys
      .filter(({ kind }) => kind === 'mirror')
      .map(({ node, maxPendingBytes }) => new Mirror(node, maxPendingBytes, surroundings, tell));
    const copy = (write: DataWrite): void => {
      for (const mirror of this.#mirrors) mirror.add(write);
    };
    const mirrored = this.#mirrors.map(({ node }) => node);
    this.#sweep = new TombstoneSweep(options.tombstones, primary, mirrored, () => surroundings.clock.wallNow());
    const replicas = standbys.filter(({ kind }) => kind === 'replica');
    if (typeof reads !== 'string') {
      const measured = replicas.map(({ node }) => node);
      this.#heartbeat = new Heartbeat(reads.maxStaleness, primary, measured, versions, surroundings.clock);
    }
    const readable = reads === 'primary' ? [] : reads === 'fallback' ? standbys : replicas;
    this.reader = new Reader({
      primary,
      standbys: readable,
      heartbeat: this.#heartbeat,
      queue,
      versions,
      onRead: (write) => {
        copy(write);
        if (queue?.has(write.key) !== true) this.#sweep.saw(write);
      },
    });
    const shared = { primary, versions, tell, onConfirmed: copy };
    if (queue !== undefined && queueOptions !== undefined) {
      this.#replay = new Replay({ ...shared, queue, concurrency: queueOptions.concurrency, surroundings });
    }
    const replay = this.#replay;
    this.writer = new Writer({ ...shared, backlog: queue && replay && { queue, replay } });
  }

  /** Opens all that the options ask for, or nothing. */
  static async open(
    options: ResolvedFailoverOptions,
    surroundings: Surroundings,
    report: Report,
    logger: Logger,
    events: Subject<FailoverEvent>,
  ): Promise<FailoverParts> {
    const { clock } = surroundings;
    const wallNow = (): number => clock.wallNow();
    const tell: TellFailover = (event) => events.next({ ...event, at: wallNow() });
    const nodes = new Nodes(options, surroundings, report, tell);
    let queue: WriteQueue | undefined;
    try {
      await nodes.start();
      queue = options.queue && (await openQueue(options.queue, surroundings, wallNow));
      const versions = queue ? await KeptVersionSource.open(queue.pending, wallNow) : versionSource(wallNow);
      if (queue?.newestFound !== undefined) versions.observe(queue.newestFound);
      if (queue && queue.length > 0) logger.warn(`the queue holds ${queue.length} writes of an earlier life`);
      const parts = new FailoverParts(options, surroundings, nodes, queue, versions, events, tell);
      parts.#start();
      return parts;
    } catch (error) {
      await nodes.close().catch(() => undefined);
      await queue?.close().catch(() => undefined);
      throw error;
    }
  }

  get primary(): PrimaryNode {
    return this.nodes.primary;
  }

  status(): FailoverStatus {
    const { primary, standbys } = this.nodes;
    const oldestSince = this.queue?.oldestSince;
    return {
      nodes: [
        {
          name: primary.name,
          role: 'primary',
          state: primary.isDown ? 'down' : primary.isReadOnly ? 'readOnly' : 'up',
        },
        ...standbys.map((standby) => this.#statusOf(standby)),
      ],
      queueLength: this.queue?.length ?? 0,
      oldestQueuedMs:
        oldestSince === undefined ? undefined : Math.max(0, this.surroundings.clock.wallNow() - oldestSince),
    };
  }

  async close(): Promise<void> {
    const mirrors = this.#mirrors.map((mirror) => mirror.stop());
    await Promise.all([this.#heartbeat?.stop(), this.#replay?.stop(), this.#sweep.stop(), ...mirrors]);
    await this.versions.close();
    try {
      await closeAll([this.nodes, ...(this.queue === undefined ? [] : [this.queue])]);
    } finally {
      this.events.complete();
    }
  }

  #start(): void {
    // A node that came back for one caller is there for all.
    this.events.subscribe((event) => {
      if (event.type !== 'nodeUp') return;
      if (event.node === this.primary.name) this.#replay?.wake();
      for (const mirror of this.#mirrors) if (mirror.node.name === event.node) mirror.wake();
    });
    this.#replay?.start();
    this.#heartbeat?.start();
  }

  #statusOf({ node, kind }: Standby): FailoverNodeStatus {
    const state = node.isDown ? 'down' : 'up';
    if (kind === 'replica') {
      return { name: node.name, role: kind, state, stalenessMs: this.#heartbeat?.stalenessOf(node) };
    }
    const pending = this.#mirrors.find((mirror) => mirror.node === node)?.pending;
    return { name: node.name, role: kind, state, pending };
  }
}

function openQueue(
  { path, lease }: NonNullable<ResolvedFailoverOptions['queue']>,
  { openFolder }: Surroundings,
  wallNow: () => number,
): Promise<WriteQueue> {
  return WriteQueue.open(path, (folder) => openFolder(folder, lease), wallNow);
}

/** Closes all; where some fail, the first of them says why. */
async function closeAll(all: readonly { close(): Promise<void> }[]): Promise<void> {
  const closed = await Promise.allSettled(all.map((one) => one.close()));
  for (const result of closed) if (result.status === 'rejected') throw result.reason;
}
