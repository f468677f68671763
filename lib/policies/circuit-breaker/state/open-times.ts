import { aFunctionAnswer, ask, milliseconds } from '../../../kernel/ask.js';
import type { PolicyEnvironment } from '../../../kernel/policy.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type OpenTimeSeries,
  type ResolvedCircuitBreaker,
} from '../circuit-breaker.options.js';

/** Whose open times they are. */
export interface Opening {
  readonly place: string;
  readonly environment: PolicyEnvironment;
  readonly options: ResolvedCircuitBreaker;
}

/** How long a breaker stays open, by `resetTimeout` and `resetJitter`, from one closing to the next. */
export class OpenTimes {
  #series: ReturnType<OpenTimeSeries['series']> | undefined = undefined;
  #seriesOf: unknown = undefined;
  /** Chance enters once for each opening, so that reading the state ahead of its record gives the same answer. */
  #planned: { readonly opening: number; readonly ms: number } | undefined = undefined;

  constructor(private readonly breaker: Opening) {}

  /** How long the `opening`th in a row lasts, ms. */
  of(opening: number): number {
    if (this.#planned?.opening !== opening) {
      const { options, environment } = this.breaker;
      const withoutJitter = this.withoutJitter(opening);
      this.#planned = { opening, ms: withoutJitter * (1 + options.resetJitter * environment.random()) };
    }
    return this.#planned.ms;
  }

  /** As {@link of}, before chance comes in. */
  withoutJitter(opening: number): number {
    const { resetTimeout } = this.breaker.options;
    if (typeof resetTimeout === 'number') return resetTimeout;
    const series = this.#seriesBy(resetTimeout);
    const { environment, place } = this.breaker;
    return ask(environment, `${place}, resetTimeout`, milliseconds, CIRCUIT_BREAKER_DEFAULTS.resetTimeout, () =>
      series(opening, undefined, undefined as never),
    );
  }

  /** Forgets what was planned: an opening has begun, or the options have changed. */
  replan(): void {
    this.#planned = undefined;
  }

  /** The backoff may be a user's. */
  #seriesBy(resetTimeout: OpenTimeSeries | ((opening: number) => number)): ReturnType<OpenTimeSeries['series']> {
    if (this.#series !== undefined && this.#seriesOf === resetTimeout) return this.#series;
    const { environment, place } = this.breaker;
    const otherwise = (): number => CIRCUIT_BREAKER_DEFAULTS.resetTimeout;
    this.#seriesOf = resetTimeout;
    return (this.#series = ask(environment, `${place}, resetTimeout`, aFunctionAnswer, otherwise, () =>
      typeof resetTimeout === 'function' ? resetTimeout : resetTimeout.series(environment.random),
    ));
  }
}
