import type { Attempt } from '../../kernel/attempt.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Wait } from '../../kernel/wait.js';
import type { BulkheadRefusals } from './bulkhead-refusals.js';
import { STALLED_MS, type Patience } from './patience.js';
import type { Place, WaitingLine } from './waiting-line.js';

/** Whose slot is lent, one attempt at a time. */
export interface Lender {
  readonly loans: { readonly out: boolean };
}

/** What a waiting attempt knows of its bulkhead. */
export interface Desk {
  readonly name: string;
  readonly environment: PolicyEnvironment;
  /** Hands a slot over, or lends that of `lender`. */
  handOver(attempt: Attempt, lender: Lender | undefined): void;
  /** Takes back the slot of an attempt that has not begun. */
  takeBack(attempt: Attempt): void;
}

/** Those who wait for the slots of a bulkhead, or for one that is lent. */
export interface Line {
  readonly calls: WaitingLine<QueuedAttempt>;
  /** When a slot came back last, on the monotonic clock. */
  readonly freedAt: number;
}

/** An attempt that waits for its turn, until it comes, the wait gets too long, or the attempt is cut. */
export class QueuedAttempt extends Wait implements Place {
  /** @internal */ node: Place['node'] = undefined;

  constructor(
    private readonly bulkhead: Desk,
    private readonly refusals: BulkheadRefusals,
    private readonly line: Line,
    private readonly attempt: Attempt,
    readonly priority: number,
    private readonly patience: Patience | undefined,
    private readonly lender: Lender | undefined,
  ) {
    super(attempt, bulkhead.environment.lifecycle);
  }

  /** Its turn has come: the slot is its own from now on. */
  admit(): void {
    if (this.grant()) this.bulkhead.handOver(this.attempt, this.lender?.loans.out === false ? this.lender : undefined);
  }

  expire(): void {
    const { bulkhead, refusals, line, patience } = this;
    if (patience?.untilStalled !== true) return this.cut(refusals.waitedInVain(patience?.queue.ms ?? 0));
    if (line.freedAt + STALLED_MS > bulkhead.environment.clock.now()) patience.queue.add(this, line.freedAt);
    else this.cut(refusals.stalled());
  }

  protected override get inside() {
    return { name: this.bulkhead.name, policy: 'bulkhead' } as const;
  }

  protected join(): void {
    this.line.calls.join(this);
    this.patience?.queue.add(this, this.bulkhead.environment.clock.now());
  }

  protected quit(): void {
    this.line.calls.leave(this);
    this.patience?.queue.remove(this);
  }

  protected passOn(): void {
    this.bulkhead.takeBack(this.attempt);
  }

  protected shutDownError(): Error {
    return this.refusals.shutDown();
  }
}
