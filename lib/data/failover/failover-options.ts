import type { ValueProvider } from '@nestjs/common';
import type { CircuitBreakerOptions } from '../../policies/circuit-breaker/circuit-breaker.options.js';
import type { DataFactoryRecipe } from '../port/data-recipe.js';
import type { DataService } from '../port/data.service.js';
import type { ReplicableDataService } from '../port/replicable-data.service.js';

/**
 * A store behind `failoverData`: a recipe without `inject`, such as `databaseData(...)`, which is opened and closed with
 * the service, or an open service, which belongs to whoever made it. Either must be a {@link ReplicableDataService}.
 *
 * @publicApi
 */
export type FailoverNode =
  ReplicableDataService | Omit<DataFactoryRecipe, 'inject'> | Pick<ValueProvider<DataService>, 'useValue'>;

/**
 * A store that is read when the primary cannot be.
 *
 * - `replica`: the database's own replication keeps it; it is only read, never written here.
 * - `mirror`: an asynchronous copy, kept here, of what this process has read from the primary and written to it.
 *
 * @publicApi
 */
export type FailoverStandby = FailoverReplica | FailoverMirror;

export interface FailoverReplica {
  replica: FailoverNode;
  mirror?: undefined;
}

export interface FailoverMirror {
  mirror: FailoverNode;
  replica?: undefined;
  /**
   * How many bytes of writes may wait in memory to be copied, at least 1. What comes while it is full is not copied, which
   * is an event.
   *
   * @default 16 MiB
   */
  maxPendingBytes?: number | undefined;
}

/**
 * When a node's breaker opens, and for how long; as in `CircuitBreakerOptions`.
 *
 * @publicApi
 */
export type FailoverBreakerOptions = Pick<CircuitBreakerOptions, 'trip' | 'resetTimeout'>;

/**
 * Where writes wait for the primary.
 *
 * @publicApi
 */
export interface FailoverQueueOptions {
  /**
   * The folder, relative to the working directory or absolute, created where it is missing. It belongs to one service at
   * a time and must outlive the process, and the pod: what was acknowledged may be nowhere else.
   */
  path: string;
  /** How many writes are replayed at the same time, from 1. @default 8 */
  concurrency?: number | undefined;
  /** How long the claim on the folder counts without a sign of life, in ms, as in `FileDataOptions`. @default 10_000 */
  lease?: number | undefined;
}

interface CommonOptions {
  /** The one store that is written. */
  primary: FailoverNode;
  /** What is read, in this order, when the primary cannot be. @default [] */
  standbys?: readonly FailoverStandby[] | undefined;
  /**
   * Where reads go.
   *
   * - `'primary'`: to the primary alone.
   * - `'fallback'`: to the first standby that answers, when the primary does not.
   * - `{ maxStaleness }`: as `'fallback'`, but only to a replica that lags at most that many ms behind. It is measured by
   *   a row that is written through the primary four times in that span. Mirrors are not read.
   *
   * @default 'primary'
   */
  reads?: 'primary' | 'fallback' | { maxStaleness: number } | undefined;
  /**
   * How long one operation on a node may take, in ms, above 0.
   *
   * @default 2_000, with `writes: 'queue'` 500
   */
  timeout?: number | undefined;
  /**
   * How long the trace of a delete is kept at least, in ms, above 0; it keeps a late write from bringing the key back.
   * An older one is removed when a read comes by it.
   *
   * @default 86_400_000 (24 h)
   */
  tombstones?: number | undefined;
  /**
   * The breaker that each node has of its own.
   *
   * @default opens after 5 failures in a row, or when half of at least 10 operations in 10 s have failed; for 1 s
   */
  breaker?: FailoverBreakerOptions | undefined;
}

interface RejectedWrites {
  /**
   * What becomes of a write while the primary cannot take it.
   *
   * - `'reject'`: it rejects with the reason.
   * - `'queue'`: it is kept on this machine's disk and replayed later; needs `queue`.
   *
   * @default 'reject'
   */
  writes?: 'reject' | undefined;
  queue?: undefined;
}

interface QueuedWrites {
  writes: 'queue';
  queue: FailoverQueueOptions;
}

/**
 * Options of `failoverData`.
 *
 * @publicApi
 */
export type FailoverDataOptions = CommonOptions & (RejectedWrites | QueuedWrites);
