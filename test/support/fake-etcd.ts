import { EventEmitter } from 'node:events';
import type { EtcdClient, PutCondition } from '../../lib/cluster/etcd/client/etcd-client.js';
import type { EtcdEntry, EtcdSnapshot } from '../../lib/cluster/etcd/client/etcd-entry.js';

interface FakeWatch {
  readonly prefix: string;
  readonly watcher: EventEmitter & { cancel(): Promise<void> };
}

/** A cluster of etcd in memory. It answers at once, or, while it is away, not at all. */
export class FakeEtcd {
  readonly timeout = 1_500;
  readonly entries = new Map<string, EtcdEntry>();
  /** How long each lease that was asked for lives, s. */
  readonly leases: number[] = [];
  /** How many puts have come. */
  puts = 0;
  /** `'refuses'`: every request fails; `'hangs'`: none ever ends. */
  away: 'refuses' | 'hangs' | undefined = undefined;
  #revision = 1;
  #lease = 0;
  readonly #watches = new Set<FakeWatch>();

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
    return this.write(key, value, lease);
  }

  async putIf(key: string, value: string, { modRevision }: PutCondition): Promise<string | undefined> {
    await this.#answer();
    return (this.entries.get(key)?.modRevision ?? null) === modRevision ? this.write(key, value) : undefined;
  }

  async delete(key: string): Promise<boolean> {
    await this.#answer();
    return this.remove(key);
  }

  lease(seconds: number) {
    this.leases.push(seconds);
    const id = String(++this.#lease);
    const grant = async (): Promise<string> => {
      await this.#answer();
      return id;
    };
    const revoke = async (): Promise<void> => {
      await this.#answer();
      for (const { key, lease } of [...this.entries.values()]) if (lease === id) this.remove(key);
    };
    const nothing = (): undefined => undefined;
    return { on: nothing, release: nothing, revoked: () => false, grant, revoke, keepaliveOnce: () => this.#answer() };
  }

  changesFrom(prefix: string): FakeWatch['watcher'] {
    const watcher = Object.assign(new EventEmitter(), { cancel: () => Promise.resolve() });
    this.#watches.add({ prefix, watcher });
    return watcher;
  }

  /** Somebody else puts a key. */
  write(key: string, value: string, lease?: string): string {
    const modRevision = String(++this.#revision);
    const createRevision = this.entries.get(key)?.createRevision ?? modRevision;
    const entry = { key, value, createRevision, modRevision, lease };
    this.entries.set(key, entry);
    this.#tell('Put', key, value, modRevision);
    return modRevision;
  }

  /** Somebody else deletes a key, or its lease ends. */
  remove(key: string): boolean {
    const wasThere = this.entries.delete(key);
    if (wasThere) this.#tell('Delete', key, '', String(++this.#revision));
    return wasThere;
  }

  /** Every watch loses its connection. */
  disconnect(): void {
    for (const { watcher } of this.#watches) watcher.emit('disconnected', new Error('no member answers'));
    this.#watches.clear();
  }

  #tell(type: string, key: string, value: string, revision: string): void {
    const kv = {
      key: Buffer.from(key),
      value: Buffer.from(value),
      create_revision: '1',
      mod_revision: revision,
      lease: '0',
    };
    for (const { prefix, watcher } of this.#watches)
      if (key.startsWith(prefix)) watcher.emit('data', { events: [{ type, kv }] });
  }

  async #answer(): Promise<void> {
    if (this.away === 'hangs') await new Promise(() => undefined);
    if (this.away === 'refuses') throw new Error('no member answers');
  }
}
