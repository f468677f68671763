/** The state and the moment in which an attempt was admitted. */
export interface Permit {
  readonly epoch: number;
  readonly since: number;
  /** For how many attempts its latency stands; 0: nobody needs to know it. */
  readonly weight: number;
}

/** The weight of a call that may not begin; of one that goes on all the same, whose latency stands for itself. */
export const REFUSED = -1;

/** What is known of an attempt that failed. */
export interface Failure {
  readonly latencyMs: number;
  readonly error: unknown;
  readonly timedOut: boolean;
  /** What may say how long the dependency asks to be left alone. It is looked at only where that matters. */
  readonly answer: unknown;
  readonly args: readonly unknown[];
}
