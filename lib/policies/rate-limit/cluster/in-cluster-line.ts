import type { Bucket } from '../bucket.js';

/** A call that waits for what the store of the cluster grants, or one of which is only told what would become of it. */
export interface InClusterLine {
  readonly bucket: Bucket;
  readonly cost: number;
  /** When it came. */
  readonly since: number;
  /** How long any call may wait, ms. */
  readonly boundMs: number;
  /** The latest moment at which it may begin. */
  readonly latest: number;
  /** Whether it waits for its turn; `false`: only for the answer that is on its way. */
  readonly patient: boolean;
  /** It is only told that it would have been turned away. */
  readonly metricsOnly: boolean;
  admit(): void;
  turnAway(error: Error): void;
}

/** Where it waits. */
export interface ClusterLine {
  join(call: InClusterLine): void;
  leave(call: InClusterLine): void;
}
