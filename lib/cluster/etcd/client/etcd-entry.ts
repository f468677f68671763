/** A key of etcd, as it was at one revision. Revisions are whole numbers in text: they pass what a JavaScript number holds. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  /** The revision at which the key came into being. */
  readonly createRevision: string;
  /** The revision at which the value was put. */
  readonly modRevision: string;
  /** The lease that the key hangs on; undefined: none. */
  readonly lease: string | undefined;
}

/** What stood under a prefix at one revision. */
export interface EtcdSnapshot {
  readonly revision: string;
  /** In the order of their keys. */
  readonly entries: readonly EtcdEntry[];
}

/** Whether revision `one` came after `other`. */
export function isLater(one: string, other: string): boolean {
  return BigInt(one) > BigInt(other);
}
