import type { Attempt } from '../../kernel/attempt.js';
import type { Lifecycle } from '../../kernel/policy.js';
import { Wait } from '../../kernel/wait.js';
import type { Bucket } from './bucket.js';
import type { Refusals } from './refusals.js';
import type { InLine, WaitingLines } from './waiting-lines.js';

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
}

/** Where a waiting call is known. */
export interface WaitingPlaces {
  readonly lines: WaitingLines;
  readonly refusals: Refusals;
  readonly lifecycle: Lifecycle;
}

/** A call in line, until its turn comes, it comes too late, or the call is cut. */
export class WaitingCall extends Wait implements InLine {
  readonly bucket: Bucket;
  readonly cost: number;
  readonly latest: number;

  constructor(
    call: Attempt,
    private readonly wait: Wanted,
    private readonly places: WaitingPlaces,
  ) {
    super(call, places.lifecycle);
    this.bucket = wait.bucket;
    this.cost = wait.cost;
    this.latest = wait.latest;
  }

  admit(): void {
    this.grant();
  }

  tooLate(turnAt: number, now: number): void {
    const { since, boundMs, latest } = this.wait;
    this.cut(this.places.refusals.tooLate(this, turnAt - since, turnAt - now, boundMs, latest - since));
  }

  expire(): void {
    // Its line looks after its time.
  }

  protected override get inside() {
    return { name: this.places.refusals.name, policy: 'rateLimit' } as const;
  }

  protected join(): void {
    this.places.lines.join(this);
  }

  protected quit(): void {
    this.places.lines.leave(this);
  }

  protected passOn(): void {
    // The turn is used up: time alone gives it back.
  }

  protected shutDownError(): Error {
    return this.places.refusals.shutDown();
  }
}
