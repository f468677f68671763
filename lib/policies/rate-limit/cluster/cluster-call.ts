import type { Attempt } from '../../../kernel/attempt.js';
import type { Lifecycle } from '../../../kernel/policy.js';
import { Wait } from '../../../kernel/wait.js';
import type { Bucket } from '../bucket.js';
import type { Refusals } from '../refusals.js';
import type { Wanted } from '../waiting-call.js';
import type { ClusterLine, InClusterLine } from './in-cluster-line.js';

/** Where a call waits that the cluster decides on. */
export interface ClusterPlaces {
  readonly line: ClusterLine;
  readonly refusals: Refusals;
  readonly lifecycle: Lifecycle;
}

/** A call that waits for the grant that is on its way, or, with `onLimit: 'queue'`, for its turn. */
export class ClusterCall extends Wait implements InClusterLine {
  readonly metricsOnly = false;
  readonly bucket: Bucket;
  readonly cost: number;
  readonly since: number;
  readonly boundMs: number;
  readonly latest: number;

  constructor(
    call: Attempt,
    wanted: Wanted,
    readonly patient: boolean,
    private readonly places: ClusterPlaces,
  ) {
    super(call, places.lifecycle);
    this.bucket = wanted.bucket;
    this.cost = wanted.cost;
    this.since = wanted.since;
    this.boundMs = wanted.boundMs;
    this.latest = wanted.latest;
  }

  admit(): void {
    this.grant();
  }

  turnAway(error: Error): void {
    this.cut(error);
  }

  expire(): void {
    // Its line looks after its time.
  }

  protected override get inside() {
    return { name: this.places.refusals.name, policy: 'rateLimit' } as const;
  }

  protected join(): void {
    this.places.line.join(this);
  }

  protected quit(): void {
    this.places.line.leave(this);
  }

  protected passOn(): void {
    // The unit is used up: time alone gives it back.
  }

  protected shutDownError(): Error {
    return this.places.refusals.shutDown();
  }
}

/** Stands in line for a call that has gone on already, so that it counts as the others do. */
export class ShadowCall implements InClusterLine {
  readonly metricsOnly = true;
  readonly bucket: Bucket;
  readonly cost: number;
  readonly since: number;
  readonly boundMs: number;
  readonly latest: number;

  constructor(
    wanted: Wanted,
    readonly patient: boolean,
    private readonly line: ClusterLine,
  ) {
    this.bucket = wanted.bucket;
    this.cost = wanted.cost;
    this.since = wanted.since;
    this.boundMs = wanted.boundMs;
    this.latest = wanted.latest;
  }

  admit(): void {
    this.line.leave(this);
  }

  turnAway(): void {
    this.line.leave(this);
  }
}
