import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import { Breaker } from '../../policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../policies/circuit-breaker/circuit-breaker.options.js';
import { anyOf } from '../../policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../policies/circuit-breaker/trip/consecutive-failures.js';
import { failureRate } from '../../policies/circuit-breaker/trip/failure-rate.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { DataUnavailableException } from '../port/errors.js';
import { outsideCalls } from '../port/outside-calls.js';
import type { ReplicableDataService } from '../port/replicable-data.service.js';
import type { TellFailover } from './failover-event.js';
import type { FailoverBreakerOptions } from './failover-options.js';
import { isAnswer, isReadOnly } from './node-error.js';
import type { NodeSource } from './node-source.js';
import { Outage } from './outage.js';

/** What a node is made of. */
export interface GuardedNodeInit {
  /** As events and messages call it. */
  readonly name: string;
  readonly source: NodeSource;
  /** How long one operation may take, in ms. */
  readonly timeout: number;
  readonly breaker: FailoverBreakerOptions;
  readonly environment: PolicyEnvironment;
  readonly tell: TellFailover;
}

/** An operation on a node; its signal aborts with the caller's, and when its time is over. */
export type NodeWork<T> = (service: ReplicableDataService, signal: AbortSignal) => Promise<T>;

/** How long a breaker of a node stays open, in ms, where nothing else is said. */
export const RESET_MS = 1_000;

const TRIP = anyOf(consecutiveFailures(5), failureRate());
/** How long a start waits for a node, in ms, before it goes on without. */
const START_MS = 10_000;

/** How long a close waits for a node that is being opened, in ms. */
const CLOSE_MS = 5_000;

/** What a breaker sees of an operation: an answer, be it a refusal, is a success of the node. */
type Answer<T> = { readonly value: T } | { readonly refusal: unknown };

/** A store behind its breaker. It is opened by the first operation that can, so it may be down at the start. */
export class GuardedNode {
  readonly name: string;
  readonly #breaker: Breaker;
  readonly #outage: Outage;
  #service: ReplicableDataService | undefined;
  #opening: Promise<ReplicableDataService> | undefined;

  constructor(private readonly init: GuardedNodeInit) {
    const { name, timeout, breaker, environment, tell } = init;
    this.name = name;
    this.#breaker = new Breaker(
      new BreakerCore({
        name: `failoverData ${name}`,
        options: {
          ...CIRCUIT_BREAKER_DEFAULTS,
          rollingPercentilesEnabled: false,
          trip: breaker.trip ?? TRIP,
          resetTimeout: breaker.resetTimeout ?? RESET_MS,
          timeout,
          halfOpenMaxWait: 2 * timeout,
          errorFilter: (_error: unknown, signal?: AbortSignal) => signal?.aborted === true,
        },
        environment,
      }),
    );
    this.#outage = new Outage(this.#breaker, name, 'unavailable', environment.clock, tell);
  }

  get isDown(): boolean {
    return this.#outage.lasts;
  }

  /**
   * Opens it. One that is only unavailable is taken for down, and opened later.
   *
   * @throws what opening it throws otherwise: a wrong option, a missing package, a service that is none.
   */
  async start(): Promise<void> {
    try {
      await this.#within(START_MS, this.#opened());
    } catch (error) {
      // A replica may not have the table yet.
      if (!(error instanceof DataUnavailableException) && !isReadOnly(error)) throw error;
      this.#outage.note(error);
      this.#breaker.open();
    }
  }

  /**
   * Runs one operation.
   *
   * @throws DataUnavailableException when its breaker is open, or it has not answered in time; and what the node throws.
   */
  async run<T>(work: NodeWork<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const answer = await this.#breaker.fire(
        (_: AbortSignal | undefined) => this.#answer(work, controller.signal),
        signal,
      );
      if ('refusal' in answer) throw answer.refusal;
      return answer.value;
    } catch (error) {
      if (error instanceof TimeoutException) controller.abort(error);
      else if (!(error instanceof CircuitOpenException || error instanceof ShutdownException)) throw error;
      const message = `The ${this.name} of failoverData is unavailable: ${error.explanation}`;
      throw new DataUnavailableException(message, { cause: error });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Closes what it has opened. */
  async close(): Promise<void> {
    this.#breaker.removeAllListeners();
    this.#breaker.shutdown();
    if (!this.init.source.owned) return;
    if (this.#service !== undefined) return this.#service.close();
    // One that opens after all is closed then, whoever still waits for that.
    const closed = this.#opening?.then((service) => service.close());
    if (closed !== undefined) await this.#within(CLOSE_MS, closed).catch(() => undefined);
  }

  async #answer<T>(work: NodeWork<T>, signal: AbortSignal): Promise<Answer<T>> {
    try {
      const service = this.#service ?? (await this.#opened());
      // Who waited for its opening may be gone.
      signal.throwIfAborted();
      return { value: await work(service, signal) };
    } catch (error) {
      if (isAnswer(error)) return { refusal: error };
      throw error;
    }
  }

  /** One attempt to open it serves all operations that wait, and goes on when they have given up. */
  #opened(): Promise<ReplicableDataService> {
    if (this.#service !== undefined) return Promise.resolve(this.#service);
    this.#opening ??= outsideCalls(() => this.init.source.open())
      .then((service) => (this.#service = service))
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** @throws DataUnavailableException where the work has not ended in time; it goes on. */
  #within(ms: number, opening: Promise<unknown>): Promise<void> {
    const { clock } = this.init.environment;
    return new Promise<void>((resolve, reject) => {
      const late = (): void =>
        reject(new DataUnavailableException(`The ${this.name} of failoverData did not open within ${ms} ms`));
      const timer = clock.setTimeout(late, ms);
      void opening.then(() => resolve(), reject).finally(() => clock.clearTimeout(timer));
    });
  }
}
