import type { Call } from '../../kernel/call.js';
import type { DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Wait } from '../../kernel/wait.js';
import type { Place, WaitingLine } from './waiting-line.js';

/** How long a wait that nothing else bounds goes on while no slot comes back, ms. */
export const STALLED_MS = 30_000;

/** What a waiting call knows of its bulkhead. */
interface Desk {
  readonly environment: PolicyEnvironment;
  waitedInVain(ms: number): Error;
  stalled(): Error;
  shutDown(): Error;
}

/** Those who wait for the slots of a bulkhead, or for one that is lent. */
export interface Line {
  readonly calls: WaitingLine<QueuedCall>;
  /** When a slot came back last, on the monotonic clock. */
  readonly freedAt: number;
}

/** What bounds a wait: a time of its own, or that no slot comes back. */
export interface Patience {
  readonly queue: DeadlineQueue;
  readonly untilStalled: boolean;
}

/** A call that waits for its turn, until it comes, the wait gets too long, or the call is cut. */
export class QueuedCall extends Wait implements Place {
  /** @internal */ node: Place['node'] = undefined;

  constructor(
    private readonly bulkhead: Desk,
    private readonly line: Line,
    call: Call,
    readonly priority: number,
    private readonly patience: Patience | undefined,
    private readonly onTurn: () => void,
    onCut: (error: unknown) => void,
  ) {
    super(call, bulkhead.environment.lifecycle, onCut);
  }

  admit(): void {
    if (!this.over()) return;
    this.call.waited();
    this.onTurn();
  }

  expire(): void {
    const { bulkhead, line, patience } = this;
    if (patience?.untilStalled !== true) return this.cut(bulkhead.waitedInVain(patience?.queue.ms ?? 0));
    if (line.freedAt + STALLED_MS > bulkhead.environment.clock.now()) patience.queue.add(this, line.freedAt);
    else this.cut(bulkhead.stalled());
  }

  protected join(): void {
    this.line.calls.join(this);
    this.patience?.queue.add(this, this.bulkhead.environment.clock.now());
  }

  protected quit(): void {
    this.line.calls.leave(this);
    this.patience?.queue.remove(this);
  }

  protected shutDownError(): Error {
    return this.bulkhead.shutDown();
  }
}
