/**
 * What has become of a key of etcd.
 *
 * @publicApi
 */
export interface EtcdChange {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** Undefined: it was deleted. */
  readonly value: string | undefined;
  /** The revision at which it happened, a whole number in text; of a deletion that nobody saw, a later one. */
  readonly revision: string;
}
