import { checkOptions } from '../../../kernel/options/check.js';
import { connectionShape, keyPrefix, checkConnection } from '../client/connection-check.js';
import type { EtcdConnection } from '../client/etcd-connection.js';

/**
 * Options of `etcdData`.
 *
 * @publicApi
 */
export interface EtcdDataOptions extends Omit<EtcdConnection, 'timeout'> {
  /**
   * What all keys of the app begin with; the data are under `<prefix>data/`. A user of etcd who may read and write what
   * begins with `<prefix>data` can do all that is needed.
   *
   * @default 'bulwark/'
   */
  prefix?: string;
  /**
   * How long an operation may take, ms, waiting and tries at other members included; `entries` for each page. It should
   * be longer than the cluster needs to elect a leader.
   *
   * @default 5_000
   */
  timeout?: number;
}

export type ResolvedEtcdDataOptions = EtcdDataOptions & Required<Pick<EtcdDataOptions, 'prefix' | 'timeout'>>;

const ETCD_DATA_DEFAULTS = { prefix: 'bulwark/', timeout: 5_000 } as const;

/** @throws ResilienceConfigurationError */
export function resolveEtcdDataOptions(options: EtcdDataOptions): ResolvedEtcdDataOptions {
  checkOptions<EtcdDataOptions>('etcdData', options, { ...connectionShape, prefix: keyPrefix });
  checkConnection('etcdData', options);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...ETCD_DATA_DEFAULTS, ...(Object.fromEntries(given) as unknown as EtcdDataOptions) });
}
