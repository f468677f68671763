import type { Wanted } from '../wanted.js';

/** A call that waits for what the store of the cluster grants, or one of which is only told what would become of it. */
export interface InClusterLine {
  readonly wanted: Wanted;
  /** Whether it waits for its turn; `false`: only for the answer that is on its way. */
  readonly patient: boolean;
  admit(): void;
  turnAway(error: Error): void;
}

/** Where it waits. */
export interface ClusterLine {
  join(call: InClusterLine): void;
  leave(call: InClusterLine): void;
}
