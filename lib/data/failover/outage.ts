import type { Clock } from '../../kernel/clock.js';
import type { Breaker } from '../../policies/circuit-breaker/breaker.js';
import type { NodeDownEvent, TellFailover } from './failover-event.js';

/** Follows a breaker and tells when it takes a node out, and when it lets it in again. */
export class Outage {
  #since: number | undefined;
  #error: unknown;

  constructor(
    breaker: Breaker,
    private readonly node: string,
    private readonly reason: NodeDownEvent['reason'],
    private readonly clock: Clock,
    private readonly tell: TellFailover,
  ) {
    // Of what it counts, a breaker tells a failure before it judges it.
    breaker.on('failure', (error: unknown) => this.note(error));
    breaker.on('open', () => this.#begin());
    breaker.on('close', () => this.#end());
  }

  /** Whether the node is out, a probe that runs included. */
  get lasts(): boolean {
    return this.#since !== undefined;
  }

  /** Takes note of what went wrong last. */
  note(error: unknown): void {
    this.#error = error;
  }

  #begin(): void {
    // A breaker opens again after each probe that failed.
    if (this.#since !== undefined) return;
    this.#since = this.clock.now();
    this.tell({ type: 'nodeDown', node: this.node, reason: this.reason, error: this.#error });
  }

  #end(): void {
    if (this.#since === undefined) return;
    const downMs = this.clock.now() - this.#since;
    this.#since = undefined;
    this.tell({ type: 'nodeUp', node: this.node, downMs });
  }
}
