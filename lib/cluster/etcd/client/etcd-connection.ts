/**
 * How to reach a cluster of etcd.
 *
 * @publicApi
 */
export interface EtcdConnection {
  /** Its members, such as `'http://127.0.0.1:2379'`; `https://` for TLS. */
  hosts: string | string[];
  /** The user of this app. @default none: a cluster without authentication */
  auth?: { username: string; password: string };
  /** The certificates of TLS, as PEM. @default those of the system, for `https://` */
  credentials?: { rootCertificate: Buffer; privateKey?: Buffer; certChain?: Buffer };
  /** How long one request may take, ms. @default 1_500 */
  timeout?: number;
}

export const ETCD_TIMEOUT_MS = 1_500;
