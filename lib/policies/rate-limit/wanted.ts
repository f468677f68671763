import type { Bucket } from './bucket.js';

/** What a call waits for, and how long it can. */
export interface Wanted {
  readonly bucket: Bucket;
  readonly cost: number;
  /** When it came. */
  readonly since: number;
  /** How long any call may wait, ms. */
  readonly boundMs: number;
  /** The latest moment at which this one may begin. */
  readonly latest: number;
  /** It is only told that it would have been turned away. */
  readonly metricsOnly: boolean;
}
