import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { Breaker } from '../../policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../policies/circuit-breaker/trip/consecutive-failures.js';
import { DataReadOnlyException } from '../port/errors.js';
import type { GuardedNodeInit, NodeWork } from './guarded-node.js';
import { GuardedNode, RESET_MS } from './guarded-node.js';
import { isReadOnly } from './node-error.js';
import { Outage } from './outage.js';

/**
 * The store that is written. One that says it takes no writes is no primary: further writes are refused at once, but for
 * one now and then that asks again. It still is read.
 */
export class PrimaryNode extends GuardedNode {
  readonly #writes: Breaker;
  readonly #readOnly: Outage;

  constructor(init: GuardedNodeInit) {
    super(init);
    const { breaker, environment, tell, name } = init;
    this.#writes = new Breaker(
      new BreakerCore({
        name: `failoverData ${name}, writes`,
        options: {
          ...CIRCUIT_BREAKER_DEFAULTS,
          rollingPercentilesEnabled: false,
          trip: consecutiveFailures(1),
          resetTimeout: breaker.resetTimeout ?? RESET_MS,
          timeout: false,
          errorFilter: (error: unknown) => !isReadOnly(error),
        },
        environment,
      }),
    );
    this.#readOnly = new Outage(this.#writes, name, 'readOnly', environment.clock, tell);
  }

  get isReadOnly(): boolean {
    return this.#readOnly.lasts;
  }

  /**
   * As {@link run}, for what writes.
   *
   * @throws DataReadOnlyException while the node says that it is read-only.
   */
  async write<T>(work: NodeWork<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await this.#writes.fire(() => this.run(work, signal));
    } catch (error) {
      if (!(error instanceof CircuitOpenException || error instanceof ShutdownException)) throw error;
      const message = `The ${this.name} of failoverData takes no writes: ${error.explanation}`;
      throw new DataReadOnlyException(message, { cause: error });
    }
  }

  override async close(): Promise<void> {
    this.#writes.removeAllListeners();
    this.#writes.shutdown();
    await super.close();
  }
}
