import { EventEmitter } from 'node:events';
import type { EtcdClient, PutCondition } from '../../lib/cluster/etcd/client/etcd-client.js';
import type { EtcdEntry, EtcdSnapshot } from '../../lib/cluster/etcd/client/etcd-entry.js';

interface FakeWatch {
  readonly prefix: string;
  readonly watcher: EventEmitter & { cancel(): Promise<void> };
}

/** A cluster of etcd in memory. It answers at once, or, while it is away, not at all. */
export class FakeEtcd {
  readonly entries = new Map<string, EtcdEntry>();
  /** How long each lease that was asked for lives, s. */
  readonly leases: number[] = [];
  /** Nothing is held back. */
  readonly start = undefined;
  /** How many puts have come. */
  puts = 0;
  /** `'refuses'`: every request fails; `'hangs'`: none ever ends. */
  away: 'refuses' | 'hangs' | undefined = undefined;
  /** Told after each put was done: what it throws comes instead of the answer. */
  afterPut: ((key: string) => void) | undefined = undefined;
  /** When a lease was granted or renewed last, by `performance.now()`. */
  renewedAt = -Infinity;
  #revision = 1;
  #lease = 0;
  readonly #alive = new Set<string>();
  readonly #watches = new Set<FakeWatch>();

  /** @param timeout how long one request may take, ms. */
  constructor(readonly timeout = 1_500) {}

  /** As the parts of the library know it. */
  get client(): EtcdClient {
    return this as unknown as EtcdClient;
  }

  async get(key: string): Promise<EtcdEntry | undefined> {
    await this.#answer();
    return this.entries.get(key);
  }

  async list(prefix: string): Promise<EtcdSnapshot> {
    await this.#answer();
    const entries = [...this.entries.values()].filter(({ key }) => key.startsWith(prefix));
    return { revision: String(this.#revision), entries };
  }

  async put(key: string, value: string, lease?: string): Promise<string> {
    this.puts++;
    await this.#answer();
    return this.#write(key, value, lease);
  }

  async putIf(key: string, value: string, condition: PutCondition, lease?: string): Promise<string | undefined> {
    await this.#answer();
    return this.#holds(key, condition) ? this.#write(key, value, lease) : undefined;
  }

  async deleteIf(key: string, condition: PutCondition): Promise<boolean> {
    await this.#answer();
    return this.#holds(key, condition) && this.remove(key);
  }

  async delete(key: string): Promise<boolean> {
    await this.#answer();
    return this.remove(key);
  }

  lease(seconds: number) {
    this.leases.push(seconds);
    const id = String(++this.#lease);
    let revoked = false;
    const grant = async (): Promise<string> => {
      await this.#answer();
      this.#alive.add(id);
      this.renewedAt = performance.now();
      return id;
    };
    const keepaliveOnce = async (): Promise<void> => {
      await this.#answer();
      revoked = !this.#alive.has(id);
      if (revoked) throw new Error('requested lease not found');
      this.renewedAt = performance.now();
    };
    const revoke = async (): Promise<void> => {
      await this.#answer();
      this.expire(id);
    };
    const nothing = (): undefined => undefined;
    return { on: nothing, release: nothing, revoked: () => revoked, grant, revoke, keepaliveOnce };
  }

  /** Ends a lease, with all that hangs on it. */
  expire(id: string): void {
    this.#alive.delete(id);
    for (const { key, lease } of [...this.entries.values()]) if (lease === id) this.remove(key);
  }

  changesFrom(prefix: string): FakeWatch['watcher'] {
    const cancel = async (): Promise<void> => void this.#watches.delete(watch);
    const watch = { prefix, watcher: Object.assign(new EventEmitter(), { cancel }) };
    this.#watches.add(watch);
    return watch.watcher;
  }

  /** Somebody else puts a key. */
  write(key: string, value: string, lease?: string): string {
    const modRevision = String(++this.#revision);
    const createRevision = this.entries.get(key)?.createRevision ?? modRevision;
    const entry = { key, value, createRevision, modRevision, lease };
    this.entries.set(key, entry);
    this.#tell('Put', entry);
    return modRevision;
  }

  /** Somebody else deletes a key, or its lease ends. */
  remove(key: string): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    this.entries.delete(key);
    this.#tell('Delete', { ...entry, value: '', modRevision: String(++this.#revision) });
    return true;
  }

  /** Every watch loses its connection. */
  disconnect(): void {
    for (const { watcher } of this.#watches) watcher.emit('disconnected', new Error('no member answers'));
    this.#watches.clear();
  }

  /** The revision of the newest change. */
  get revision(): string {
    return String(this.#revision);
  }

  /** How many watches there are. */
  get watches(): number {
    return this.#watches.size;
  }

  /** The apps that use it close it; it stays. */
  close(): void {
    // Nothing is open.
  }

  /** A request of the library puts a key. */
  #write(key: string, value: string, lease?: string): string {
    if (lease !== undefined && !this.#alive.has(lease)) throw new Error('requested lease not found');
    const revision = this.write(key, value, lease);
    this.afterPut?.(key);
    return revision;
  }

  #holds(key: string, { modRevision, fence }: PutCondition): boolean {
    const at = this.entries.get(key)?.modRevision ?? null;
    if (modRevision !== undefined && modRevision !== at) return false;
    return fence === undefined || this.entries.get(fence.key)?.createRevision === fence.createRevision;
  }

  #tell(type: string, { key, value, createRevision, modRevision, lease = '0' }: EtcdEntry): void {
    const kv = {
      key: Buffer.from(key),
      value: Buffer.from(value),
      create_revision: createRevision,
      mod_revision: modRevision,
      lease,
    };
    for (const { prefix, watcher } of [...this.#watches])
      if (key.startsWith(prefix)) watcher.emit('data', { events: [{ type, kv }] });
  }

  async #answer(): Promise<void> {
    if (this.away === 'hangs') await new Promise(() => undefined);
    if (this.away === 'refuses') throw new Error('no member answers');
  }
}
