import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { instanceOf } from '../../errors/foreign.js';
import { EventBus } from '../../events/event-bus.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Breaker } from '../../policies/circuit-breaker/breaker.js';
import { BreakerCore } from '../../policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../policies/circuit-breaker/trip/consecutive-failures.js';

const FAILURES = 3;
/** Shorter than the pause between two attempts to reach it again. */
const RESET_MS = 500;

/** The breaker round Redis. It is no breaker of the app's: who hears of it hears that Redis is away, or back. */
export class RedisBreaker {
  readonly #breaker: Breaker;

  constructor(timeout: number, environment: PolicyEnvironment, onChange: () => void) {
    const { clock, random, lifecycle, reportCallback, logRecovered } = environment;
    const events = new EventBus(
      () => clock.wallNow(),
      (error) => reportCallback('a listener of events', error),
    );
    this.#breaker = new Breaker(
      new BreakerCore({
        name: 'redis',
        options: {
          ...CIRCUIT_BREAKER_DEFAULTS,
          rollingPercentilesEnabled: false,
          trip: consecutiveFailures(FAILURES),
          resetTimeout: RESET_MS,
          resetJitter: 0,
          timeout,
          halfOpenMaxWait: 2 * timeout,
        },
        onChange,
        environment: { clock, random, lifecycle, reportCallback, logRecovered, events },
      }),
    );
  }

  get closed(): boolean {
    return this.#breaker.closed;
  }

  /** @throws (as a rejection) what the work does, TimeoutException, or a refusal. */
  fire<T>(work: () => Promise<T>): Promise<T> {
    return this.#breaker.fire(work);
  }

  /** Whether an error is the breaker's own, and says nothing of Redis. */
  isRefusal(error: unknown): boolean {
    return instanceOf(error, CircuitOpenException) || instanceOf(error, ShutdownException);
  }

  close(): void {
    this.#breaker.shutdown();
  }
}
