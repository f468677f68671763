import type { Etcd3, Lease } from 'etcd3';
import { isUtf8 } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import { ETCD_TIMEOUT_MS, type EtcdConnection } from './etcd-connection.js';
import type { EtcdEntry, EtcdSnapshot } from './etcd-entry.js';
import { openEtcd } from './open-etcd.js';

/** How many entries one answer holds. */
const PAGE = 16;

/** How long the start of an app may take to fail, ms, after it has asked etcd first. */
const START_MS = 1_000;

/** What must hold of a key for a put. */
export interface PutCondition {
  /** The revision of its value as it was read; `null`: the key is not there. */
  readonly modRevision?: string | null;
  /** A key that must still be the one that came into being at this revision: a fence. */
  readonly fence?: { readonly key: string; readonly createRevision: string } | undefined;
}

/**
 * All that Bulwark asks of etcd. Each request has a deadline, since the client has none and hangs with a member that
 * hangs; none is repeated, since one that was committed and whose answer came late would be made twice.
 */
export class EtcdClient {
  readonly #etcd: Etcd3;
  readonly #timeout: number;
  #start: Promise<void> | undefined;
  #started = false;
  #errors = 0;

  /** It connects when it is first asked; a cluster that is away is no error here. */
  constructor(connection: EtcdConnection) {
    this.#timeout = connection.timeout ?? ETCD_TIMEOUT_MS;
    this.#etcd = openEtcd(connection, this.#timeout);
  }

  /** How long one request may take, ms. */
  get timeout(): number {
    return this.#timeout;
  }

  /**
   * Resolves a moment after it was first asked for; undefined when that is past. A stream keeps a process alive, and Nest tells
   * nobody of a start that fails: what is not urgent opens none before, so that such a process can end.
   */
  get start(): Promise<void> | undefined {
    if (this.#started) return undefined;
    return (this.#start ??= delay(START_MS, undefined, { ref: false }).then(() => void (this.#started = true)));
  }

  /** How many requests have failed. */
  get errors(): number {
    return this.#errors;
  }

  async get(key: string): Promise<EtcdEntry | undefined> {
    const { kvs } = await this.#ask(this.#etcd.get(key).exec());
    const [found] = kvs;
    return found === undefined ? undefined : entryOf(found);
  }

  /** What stands under a prefix, all of it at one revision. @param page how many entries one answer holds. */
  async list(prefix: string, page = PAGE): Promise<EtcdSnapshot> {
    const entries: EtcdEntry[] = [];
    let revision: string | undefined;
    for (let from: Buffer | string = prefix; ;) {
      const range = this.#etcd
        .getAll()
        .inRange({ start: from, end: endOf(prefix) })
        .limit(page);
      const { kvs, header, more } = await this.#ask((revision === undefined ? range : range.revision(revision)).exec());
      revision ??= header.revision;
      entries.push(...kvs.filter(isText).map(entryOf));
      const last = kvs.at(-1);
      if (!more || last === undefined) return { revision, entries };
      from = keyAfter(last);
    }
  }

  /** @returns the revision at which it was put. */
  async put(key: string, value: string, lease?: string): Promise<string> {
    const put = this.#etcd.put(key).value(value);
    const { header } = await this.#ask((lease === undefined ? put : put.lease(lease)).exec());
    return header.revision;
  }

  /**
   * Puts a value if a condition holds at that moment.
   *
   * @returns the revision at which it was put; undefined: the condition did not hold.
   */
  async putIf(key: string, value: string, condition: PutCondition, lease?: string): Promise<string | undefined> {
    const put = this.#etcd.put(key).value(value);
    const { succeeded, header } = await this.#ask(
      this.#when(key, condition)
        .then(lease === undefined ? put : put.lease(lease))
        .commit(),
    );
    return succeeded ? header.revision : undefined;
  }

  /** @returns whether the key was there. */
  async delete(key: string): Promise<boolean> {
    const { deleted } = await this.#ask(this.#etcd.delete().key(key).exec());
    return deleted !== '0';
  }

  /** Deletes a key if a condition holds. @returns whether it did, and the key was there. */
  async deleteIf(key: string, condition: PutCondition): Promise<boolean> {
    const { succeeded } = await this.#ask(this.#when(key, condition).then(this.#etcd.delete().key(key)).commit());
    return succeeded;
  }

  /** A lease that nobody renews yet. @param seconds its time to live, whole and from 1. */
  lease(seconds: number): Lease {
    return this.#etcd.lease(seconds, { autoKeepAlive: false });
  }

  /** Hears changes under a prefix from a revision on, in their order; see {@link KeyWatch} for one that goes on for ever. */
  changesFrom(prefix: string, revision: string): ReturnType<ReturnType<Etcd3['watch']>['watcher']> {
    return this.#etcd
      .watch()
      .inRange({ start: prefix, end: endOf(prefix) })
      .startRevision(revision)
      .watcher();
  }

  close(): void {
    this.#etcd.close();
  }

  async #ask<T>(request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      this.#errors++;
      throw error;
    }
  }

  #when(key: string, { modRevision, fence }: PutCondition) {
    const [first, ...others] = [
      ...(modRevision === null ? [{ key, target: 'Create', value: 0 } as const] : []),
      ...(typeof modRevision === 'string' ? [{ key, target: 'Mod', value: modRevision } as const] : []),
      ...(fence === undefined ? [] : [{ key: fence.key, target: 'Create', value: fence.createRevision } as const]),
    ];
    if (first === undefined) throw new TypeError('expected a condition');
    let when = this.#etcd.if(first.key, first.target, '==', first.value);
    for (const { key: other, target, value } of others) when = when.and(other, target, '==', value);
    return when;
  }
}

/** A key-value pair as it comes over the wire. */
export interface WireEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly create_revision: string;
  readonly mod_revision: string;
  readonly lease: string;
}

/** Whether the key is a text. Others are none of ours: as texts they could not be told apart, nor asked for. */
export function isText({ key }: Pick<WireEntry, 'key'>): boolean {
  return isUtf8(key);
}

/** The first key that may come behind another one. */
export function keyAfter({ key }: Pick<WireEntry, 'key'>): Buffer {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

export function entryOf({ key, value, create_revision, mod_revision, lease }: WireEntry): EtcdEntry {
  return {
    key: key.toString(),
    value: value.toString(),
    createRevision: create_revision,
    modRevision: mod_revision,
    lease: lease === '0' ? undefined : lease,
  };
}

/** The first key after all those that begin with `prefix`. */
export function endOf(prefix: string): Buffer | string {
  const bytes = Buffer.from(prefix);
  for (let last = bytes.length - 1; last >= 0; last--) {
    const byte = bytes[last] as number;
    if (byte === 0xff) continue;
    const end = bytes.subarray(0, last + 1);
    end[last] = byte + 1;
    return end;
  }
  // There is none: etcd takes a zero byte for "to the end".
  return '\0';
}
