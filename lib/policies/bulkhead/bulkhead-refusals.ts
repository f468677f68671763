import { BulkheadFullException } from '../../errors/bulkhead-full.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { STALLED_MS } from './patience.js';

/** The numbers of a bulkhead as they are. */
export interface BulkheadNumbers {
  readonly name: string;
  readonly active: number;
  readonly limit: number;
  readonly waiting: number;
  readonly options: { readonly maxQueue: number; readonly mode: 'normal' | 'metricsOnly' };
}

/** Builds the errors of a bulkhead, and tells of them. */
export class BulkheadRefusals {
  constructor(
    private readonly bulkhead: BulkheadNumbers,
    private readonly environment: PolicyEnvironment,
  ) {}

  queueFull(waiting: number): BulkheadFullException {
    return this.#full(`${waiting} wait already, limit ${this.bulkhead.options.maxQueue}`);
  }

  wouldBeFull(waiting: number): void {
    this.#full(`${waiting} would wait already, limit ${this.bulkhead.options.maxQueue}`);
  }

  notForProbes(): BulkheadFullException {
    return this.#full('a probe of a half-open breaker does not wait');
  }

  displaced(): BulkheadFullException {
    return this.#full('a more important call took its place in the queue');
  }

  waitedInVain(ms: number): BulkheadFullException {
    return this.#full(`no slot came free within ${ms} ms`);
  }

  stalled(): BulkheadFullException {
    return this.#full(
      `no slot came back for ${STALLED_MS / 1_000} s, and nothing else bounds the wait: those who hold the slots may wait ` +
        'for it themselves, in methods that share this bulkhead and call each other; expected forRoot({ callContext: true }), ' +
        'by which an inner call runs on the slot of the outer one, or a maxWait (Infinity: as long as it takes)',
    );
  }

  /** A call whose turn cannot come before its time is over is better told at once. */
  hopeless(expectedMs: number, allowedMs: number): BulkheadFullException {
    return this.#full(
      `a slot is expected in ${Math.round(expectedMs)} ms, and the call can wait ${Math.round(allowedMs)} ms`,
      expectedMs,
    );
  }

  shutDown(): ShutdownException {
    const { name } = this.bulkhead;
    const message = `${name} was waiting for a slot: the app is shutting down`;
    return new ShutdownException({ policy: 'bulkhead', instanceName: name, message });
  }

  #full(why: string, retryAfterMs?: number): BulkheadFullException {
    const { name, active, limit: maxConcurrent, waiting, options } = this.bulkhead;
    const { maxQueue, mode } = options;
    const details = { active, maxConcurrent, waiting, maxQueue };
    const { events } = this.environment;
    if (events.active) {
      events.emit({
        type: 'refused',
        name,
        policy: 'bulkhead',
        code: 'BULKHEAD_FULL',
        retryAfterMs,
        details,
        ...(mode === 'metricsOnly' ? { metricsOnly: true } : {}),
      });
    }
    return new BulkheadFullException({
      policy: 'bulkhead',
      instanceName: name,
      message: `bulkhead ${name} is full: ${active} of ${maxConcurrent} run; ${why}`,
      retryAfterMs,
      details,
    });
  }
}
