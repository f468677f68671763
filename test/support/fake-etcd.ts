import { EventEmitter } from 'node:events';
import type { EtcdClient, PutCondition } from '../../lib/cluster/etcd/client/etcd-client.js';
import type { EtcdEntry, EtcdSnapshot } from '../../lib/cluster/etcd/client/etcd-entry.js';

/** A store of one process that behaves as etcd does for the client of the library, as far as its parts use it. */
export class FakeEtcd {
  readonly timeout = 50;
  readonly #entries = new Map<string, EtcdEntry>();
  readonly #watchers = new Set<FakeWatcher>();
  readonly #leases = new Set<string>();
  #revision = 1;
  #nextLease = 100;
  /** When a lease was granted or renewed last, by `performance.now()`. */
  renewedAt = -Infinity;
  /** While it is set every request rejects with it. */
  away: Error | undefined;
  /** Told before each put, which may still be refused by it. */
  beforePut: ((key: string) => void) | undefined;
  /** Told after each put was done: what it throws comes instead of the answer. */
  afterPut: ((key: string) => void) | undefined;

  /** What the parts of the library take for their client. */
  get client(): EtcdClient {
    return this as unknown as EtcdClient;
  }

  get revision(): string {
    return String(this.#revision);
  }

  async get(key: string): Promise<EtcdEntry | undefined> {
    await this.#asked();
    return this.#entries.get(key);
  }

  async list(prefix: string): Promise<EtcdSnapshot> {
    await this.#asked();
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    entries.sort((one, other) => (one.key < other.key ? -1 : 1));
    return { revision: this.revision, entries };
  }

  async put(key: string, value: string, lease?: string): Promise<string> {
    await this.#asked();
    return this.#put(key, value, lease);
  }

  async putIf(key: string, value: string, condition: PutCondition, lease?: string): Promise<string | undefined> {
    await this.#asked();
    return this.#holds(key, condition) ? this.#put(key, value, lease) : undefined;
  }

  async delete(key: string): Promise<boolean> {
    await this.#asked();
    return this.#delete(key);
  }

  async deleteIf(key: string, condition: PutCondition): Promise<boolean> {
    await this.#asked();
    return this.#holds(key, condition) && this.#delete(key);
  }

  lease(_seconds: number) {
    const id = String(this.#nextLease++);
    let revoked = false;
    return {
      on: () => undefined,
      grant: async () => {
        await this.#asked();
        this.#leases.add(id);
        this.renewedAt = performance.now();
        return id;
      },
      keepaliveOnce: async () => {
        await this.#asked();
        if (this.#leases.has(id)) return void (this.renewedAt = performance.now());
        revoked = true;
        throw new Error('requested lease not found');
      },
      revoke: async () => {
        revoked = true;
        await this.#asked();
        this.expire(id);
      },
      release: () => (revoked = true),
      revoked: () => revoked,
    };
  }

  /** Ends a lease, with all that hangs on it. */
  expire(lease: string): void {
    this.#leases.delete(lease);
    for (const { key, lease: own } of [...this.#entries.values()]) if (own === lease) this.#delete(key);
  }

  changesFrom(prefix: string, _revision: string): FakeWatcher {
    const watcher = new FakeWatcher(prefix, () => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    return watcher;
  }

  /** Ends every watch, as a lost connection does. */
  disconnect(): void {
    for (const watcher of [...this.#watchers]) watcher.emit('disconnected', new Error('the connection is lost'));
  }

  /** The apps that use it close it; it stays. */
  close(): void {
    // Nothing is open.
  }

  /** How many watches there are. */
  get watches(): number {
    return this.#watchers.size;
  }

  async #asked(): Promise<void> {
    await Promise.resolve();
    if (this.away !== undefined) throw this.away;
  }

  #holds(key: string, { modRevision, fence }: PutCondition): boolean {
    const at = this.#entries.get(key)?.modRevision ?? null;
    if (modRevision !== undefined && modRevision !== at) return false;
    return fence === undefined || this.#entries.get(fence.key)?.createRevision === fence.createRevision;
  }

  #put(key: string, value: string, lease: string | undefined): string {
    this.beforePut?.(key);
    if (lease !== undefined && !this.#leases.has(lease)) throw new Error('requested lease not found');
    const revision = String(++this.#revision);
    const createRevision = this.#entries.get(key)?.createRevision ?? revision;
    const entry = { key, value, createRevision, modRevision: revision, lease };
    this.#entries.set(key, entry);
    this.#tell('Put', entry);
    this.afterPut?.(key);
    return revision;
  }

  #delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#tell('Delete', { ...entry, value: '', modRevision: String(++this.#revision) });
    return true;
  }

  #tell(type: 'Put' | 'Delete', { key, value, createRevision, modRevision, lease = '0' }: EtcdEntry): void {
    const kv = {
      key: Buffer.from(key),
      value: Buffer.from(value),
      create_revision: createRevision,
      mod_revision: modRevision,
      lease,
    };
    for (const watcher of [...this.#watchers])
      if (key.startsWith(watcher.prefix)) watcher.emit('data', { events: [{ type, kv }] });
  }
}

class FakeWatcher extends EventEmitter {
  constructor(
    readonly prefix: string,
    private readonly gone: () => void,
  ) {
    super();
  }

  cancel(): Promise<void> {
    this.gone();
    return Promise.resolve();
  }
}
