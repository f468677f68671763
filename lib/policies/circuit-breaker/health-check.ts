import type { Timer } from '../../kernel/clock.js';
import { MAX_DELAY_MS, show } from '../../kernel/options/check.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { BreakerCore } from './breaker-core.js';

/** Asks again and again whether the dependency is well, until it is stopped or the app shuts down. */
class HealthCheck {
  #timer: Timer | undefined;

  constructor(
    private readonly check: () => unknown,
    private readonly everyMs: number,
    private readonly environment: PolicyEnvironment,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  start(): void {
    const { lifecycle } = this.environment;
    if (lifecycle.disposed) return;
    lifecycle.onDispose(this.stop);
    this.#arm();
    void this.#ask();
  }

  readonly stop = (): void => {
    const { clock, lifecycle } = this.environment;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    lifecycle.offDispose(this.stop);
  };

  #arm(): void {
    const { clock } = this.environment;
    this.#timer = clock.setTimeout(
      () => {
        this.#arm();
        void this.#ask();
      },
      Math.min(this.everyMs, MAX_DELAY_MS),
    );
    this.#timer.unref();
  }

  async #ask(): Promise<void> {
    try {
      await this.check();
    } catch (error) {
      // Nobody wants to know any more what a check says that was stopped meanwhile.
      if (this.#timer !== undefined) this.onFailure(error);
    }
  }
}

const DEFAULT_INTERVAL_MS = 5_000;

/** A breaker as far as a health check needs to know it. */
interface Checked {
  readonly name: string;
  readonly core: BreakerCore;
}

/**
 * Opens `breaker` by `open` whenever `check` fails, as opossum's own does.
 *
 * @returns what ends it.
 */
export function checkHealth(breaker: Checked, check: unknown, interval: unknown, open: () => void): () => void {
  const { name, core } = breaker;
  if (typeof check !== 'function')
    throw new TypeError(`${name}: expected a function as health check, got ${show(check)}`);
  const everyMs = Number(interval) || DEFAULT_INTERVAL_MS;
  if (Number.isNaN(Number(interval)) || everyMs < 0)
    throw new TypeError(`${name}: expected the interval of a health check in ms, got ${show(interval)}`);
  const health = new HealthCheck(
    () => (check as () => unknown).call(breaker),
    everyMs,
    core.environment,
    (error) => {
      core.tell('healthCheckFailed', error);
      open();
    },
  );
  health.start();
  return health.stop;
}
