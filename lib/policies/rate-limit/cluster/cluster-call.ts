import type { Attempt } from '../../../kernel/attempt.js';
import { LimitedCall, type LimitedPlaces } from '../limited-call.js';
import type { Wanted } from '../wanted.js';
import type { ClusterLine, InClusterLine } from './in-cluster-line.js';

/** A call that waits for the grant that is on its way, or, with `onLimit: 'queue'`, for its turn. */
export class ClusterCall extends LimitedCall implements InClusterLine {
  constructor(
    call: Attempt,
    wanted: Wanted,
    readonly patient: boolean,
    places: LimitedPlaces,
    private readonly line: ClusterLine,
  ) {
    super(call, wanted, places);
  }

  turnAway(error: Error): void {
    this.cut(error);
  }

  protected join(): void {
    this.line.join(this);
  }

  protected quit(): void {
    this.line.leave(this);
  }
}

/** Stands in line for a call that has gone on already, so that it counts as the others do. */
export class ShadowCall implements InClusterLine {
  constructor(
    readonly wanted: Wanted,
    readonly patient: boolean,
    private readonly line: ClusterLine,
  ) {}

  admit(): void {
    this.line.leave(this);
  }

  turnAway(): void {
    this.line.leave(this);
  }
}
