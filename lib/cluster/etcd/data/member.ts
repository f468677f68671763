import type { Etcd3 } from 'etcd3';
import { endOf, entryOf, isText, keyAfter } from '../client/etcd-client.js';
import type { EtcdConnection } from '../client/etcd-connection.js';
import type { EtcdEntry } from '../client/etcd-entry.js';
import { openEtcd } from '../client/open-etcd.js';
import type { EtcdFence } from './data-fenced.exception.js';

/** A change of one key, under conditions. */
export interface Change {
  readonly key: string;
  /** undefined: the key is deleted. */
  readonly value: string | undefined;
  /** The revision of the value that must be there; null: none; undefined: whatever is there. */
  readonly modRevision?: string | null | undefined;
  readonly fences: readonly EtcdFence[];
}

/** What became of a change. */
export type Changed =
  | { readonly applied: true; readonly deleted: boolean }
  /** `lost` is the first fence that does not stand; none: the key itself is not as it was to be. */
  | { readonly applied: false; readonly lost: EtcdFence | undefined };

/** Some of the keys under a prefix, as they were at one revision. */
export interface Page {
  readonly revision: string;
  readonly entries: readonly EtcdEntry[];
  /** Where the next page begins; undefined: there is none. */
  readonly next: Buffer | undefined;
}

/** One member of a cluster. Each request is made once, and takes at most `ms`. */
export class Member {
  readonly #etcd: Etcd3;

  constructor(host: string, connection: Omit<EtcdConnection, 'hosts' | 'timeout'>, timeout: number) {
    this.#etcd = openEtcd({ ...connection, hosts: host }, timeout);
  }

  /** What the cluster agrees on: a member that is cut off does not answer. */
  async get(key: string, ms: number): Promise<EtcdEntry | undefined> {
    const { kvs } = await this.#etcd.get(key).options(within(ms)).exec();
    return kvs[0] && entryOf(kvs[0]);
  }

  /** @param revision as of when; undefined: the newest. */
  async page(
    prefix: string,
    from: string | Buffer,
    limit: number,
    revision: string | undefined,
    ms: number,
  ): Promise<Page> {
    const range = this.#etcd
      .getAll()
      .inRange({ start: from, end: endOf(prefix) })
      .limit(limit)
      .options(within(ms));
    const { kvs, header, more } = await (revision === undefined ? range : range.revision(revision)).exec();
    const last = kvs.at(-1);
    return {
      revision: revision ?? header.revision,
      entries: kvs.filter(isText).map(entryOf),
      next: more && last !== undefined ? keyAfter(last) : undefined,
    };
  }

  async change({ key, value, modRevision, fences }: Change, ms: number): Promise<Changed> {
    const change = value === undefined ? this.#etcd.delete().key(key) : this.#etcd.put(key).value(value);
    const [first, ...others] = [
      ...fences.map((fence) => [fence.key, 'Create', fence.createRevision] as const),
      ...(modRevision === null ? [[key, 'Create', 0] as const] : []),
      ...(typeof modRevision === 'string' ? [[key, 'Mod', modRevision] as const] : []),
    ];
    if (first === undefined) return applied(await change.options(within(ms)).exec());
    let when = this.#etcd.if(first[0], first[1], '==', first[2]);
    for (const [other, target, revision] of others) when = when.and(other, target, '==', revision);
    const { succeeded, responses } = await when
      .then(change)
      .else(...fences.map((fence) => this.#etcd.get(fence.key)))
      .options(within(ms))
      .commit();
    if (succeeded) return applied(responses[0]?.response_delete_range);
    const lost = fences.find(
      (fence, i) => responses[i]?.response_range?.kvs[0]?.create_revision !== fence.createRevision,
    );
    return { applied: false, lost };
  }

  /**
   * Deletes a key and puts another one in its place; the same as often as it is done.
   *
   * @returns the revision at which that one came into being.
   */
  async replace(old: string | undefined, key: string, lease: string, ms: number): Promise<string | undefined> {
    // No key has a modification before the first revision.
    const { responses } = await this.#etcd
      .if(key, 'Mod', '>', -1)
      .then(
        ...(old === undefined ? [] : [this.#etcd.delete().key(old)]),
        this.#etcd.put(key).value('').lease(lease),
        this.#etcd.get(key),
      )
      .options(within(ms))
      .commit();
    return responses.at(-1)?.response_range?.kvs[0]?.create_revision;
  }

  /** A lease that nobody renews. */
  async grant(seconds: number, ms: number): Promise<string> {
    return (await this.#etcd.leaseClient.leaseGrant({ TTL: seconds }, within(ms))).ID;
  }

  /** Ends a lease, and all that hangs on it. */
  async revoke(lease: string, ms: number): Promise<void> {
    await this.#etcd.leaseClient.leaseRevoke({ ID: lease }, within(ms));
  }

  /** What is wrong with the cluster, by what this member knows: alarms. */
  async complaints(ms: number): Promise<readonly string[]> {
    const { errors } = await this.#etcd.maintenance.status(within(ms));
    return errors;
  }

  close(): void {
    this.#etcd.close();
  }
}

const within = (ms: number): { deadline: number } => ({ deadline: Date.now() + Math.max(1, Math.ceil(ms)) });

function applied(answer: object | undefined): Changed {
  return { applied: true, deleted: answer !== undefined && 'deleted' in answer && answer.deleted !== '0' };
}
