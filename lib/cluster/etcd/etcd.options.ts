import type { EtcdConnection } from './client/etcd-connection.js';

/**
 * How an app is one of many. Everything but `hosts` is off by default.
 *
 * @publicApi
 */
export interface ResilienceEtcdOptions extends EtcdConnection {
  /** What all keys of the app begin with; apps that share a prefix are one fleet. @default 'bulwark/' */
  prefix?: string;
  /**
   * Whether rules come from the key `<prefix>rules`; they go before those of a file. Each process applies a new set within a
   * moment of chance below `spread`, ms, so that a bad one does not meet all at once. @default false; `true`: 5_000
   */
  rules?: boolean | { spread: number };
  /**
   * Whether breakers tell and hear each other. `'advise'`: where enough processes have opened one, the next counted failure
   * opens it here; `'follow'`: it opens here for at most its own reset time. @default 'off'
   */
  breakers?: 'off' | 'advise' | 'follow';
  /** Which share of the live processes that called a breaker must have opened it, above 0 to 1; at least two. @default 0.5 */
  quorum?: number;
  /** Whether commands of operators are heard. @default false */
  commands?: boolean;
  /**
   * As which service this process is found, and where. When the app closes it is taken out first, and goes on to serve for
   * `drain` ms, 1_000 by default, while the others hear of it. @default it is not registered
   */
  discovery?: { service: string; address: string; drain?: number };
  /** A folder that keeps the last good rules and commands, so that the app starts without etcd. @default memory alone */
  cacheDir?: string;
  /** How long what hangs on the life of a process outlives it, s: for tests, since below 15 it is lost too easily. @internal */
  ttl?: number;
}

export const ETCD_DEFAULTS = {
  prefix: 'bulwark/',
  rules: false,
  breakers: 'off',
  quorum: 0.5,
  commands: false,
  ttl: 15,
} as const satisfies Partial<ResilienceEtcdOptions>;

/** The longest that a process waits before it applies a new set of rules, ms. */
export const RULES_SPREAD_MS = 5_000;

/** How long a process serves on after it was taken out of those that are found, ms. */
export const DRAIN_MS = 1_000;
