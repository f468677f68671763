import { TimeoutException } from '../../errors/timeout.exception.js';
import type { Call, Next } from '../call.js';
import { judge } from '../outcome.js';
import { ask, type Policy, type PolicyEnvironment } from '../policy.js';
import { retryAfterOf } from '../retry-after.js';
import { Breaker } from './breaker.js';
import type { BreakerCore } from './breaker-core.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { KeyedBreakers } from './keyed-breakers.js';
import { LatencyHistogram } from './latency-histogram.js';
import type { TripStrategy } from './trip/trip-strategy.js';

const NEVER: TripStrategy = { name: 'never', shouldTrip: () => false };

/** Turns calls away while the dependency fails, and judges every attempt that it lets through. */
export class CircuitBreakerPolicy implements Policy {
  readonly #breaker: Breaker;
  readonly #keyed: KeyedBreakers | undefined;

  constructor(
    readonly name: string,
    readonly options: ResolvedCircuitBreaker,
    private readonly environment: PolicyEnvironment,
  ) {
    const latencies = options.rollingPercentilesEnabled ? new LatencyHistogram(options.rollingCountBuckets) : undefined;
    // With keys, the breaker of the whole name only counts calls whose key found no room.
    const shown = options.key === undefined ? name : `${name}[*]`;
    const own = options.key === undefined ? options : ({ ...options, mode: 'metricsOnly', trip: NEVER } as const);
    this.#breaker = new Breaker({ name: shown, options: own, latencies, environment });
    this.#keyed = options.key === undefined ? undefined : new KeyedBreakers(name, options, latencies, environment);
  }

  /** The breaker of the name, or of one key; undefined for a key that has none. */
  breaker(key?: string): Breaker | undefined {
    return key === undefined ? this.#breaker : this.#keyed?.peek(key);
  }

  breakers(): Breaker[] {
    return this.#keyed === undefined ? [this.#breaker] : [...this.#keyed.values()];
  }

  execute(call: Call, next: Next): Promise<unknown> {
    const breaker = this.#keyed === undefined ? this.#breaker : this.#select(call, this.#keyed);
    const { core } = breaker;
    const since = call.instant();
    if (breaker.listenerCount('fire') > 0) breaker.emit('fire', call.args);
    if (!core.admit(since)) {
      if (core.options.mode === 'metricsOnly') return next(call);
      return Promise.reject(core.refusal(since));
    }
    const { epoch } = core.machine;
    call.probe = core.machine.recorded === 'halfOpen';
    call.waitingRoom = core;
    return next(call).then(
      (value) => {
        this.#onValue(core, epoch, since, call, value);
        return value;
      },
      (error: unknown) => {
        this.#onError(core, epoch, since, call, error);
        throw error;
      },
    );
  }

  #onValue(breaker: BreakerCore, epoch: number, since: number, call: Call, value: unknown): void {
    const { clock, events } = this.environment;
    const { isFailure, name } = { isFailure: this.options.isFailure, name: breaker.name };
    const now = clock.now();
    const latencyMs = now - (call.startedAt ?? since);
    if (isFailure !== undefined && ask(this.environment, `${name}, isFailure`, false, () => isFailure(value, call))) {
      const error = new Error('the result was judged a failure');
      if (events.active) events.emit({ type: 'failure', name, policy: 'circuitBreaker', latencyMs, error });
      return breaker.failed(epoch, latencyMs, now, error, false, 0);
    }
    if (events.active) events.emit({ type: 'success', name, policy: 'circuitBreaker', latencyMs });
    breaker.succeeded(epoch, since, latencyMs, now, value);
  }

  #onError(breaker: BreakerCore, epoch: number, since: number, call: Call, error: unknown): void {
    const { clock, events } = this.environment;
    const { name } = breaker;
    const now = clock.now();
    const latencyMs = now - (call.startedAt ?? since);
    const judgement = this.#classify(breaker, call, error, latencyMs);
    if (judgement === 'success') {
      if (events.active) events.emit({ type: 'success', name, policy: 'circuitBreaker', latencyMs });
      return breaker.succeeded(epoch, since, latencyMs, now, error);
    }
    if (judgement === 'failure') {
      if (events.active) events.emit({ type: 'failure', name, policy: 'circuitBreaker', latencyMs, error });
      const timedOut = error instanceof TimeoutException || call.aborted;
      return breaker.failed(epoch, latencyMs, now, error, timedOut, retryAfterOf(error, clock.wallNow()) ?? 0);
    }
    if (events.active)
      events.emit({ type: 'ignored', name, policy: 'circuitBreaker', reason: judgement.ignored, error });
    breaker.ignored(epoch, since, judgement.refusedInside);
  }

  /** What an error means for this breaker; the meaning of errors as such is in outcome.ts. */
  #classify(
    breaker: BreakerCore,
    call: Call,
    error: unknown,
    ranMs: number,
  ): 'success' | 'failure' | { ignored: string; refusedInside: boolean } {
    const { errorFilter } = this.options;
    const ignored = (reason: string, refusedInside = false) => ({ ignored: reason, refusedInside });
    const { kind } = judge(error, call.aborted, call.reason);
    if (kind === 'refused') return ignored('refused by a policy inside', true);
    if (call.startedAt === undefined && call.aborted) return ignored('ended before the method began');
    if (kind === 'aborted') return call.emitted ? 'success' : ignored('the caller gave up');
    const filtered =
      errorFilter !== undefined &&
      ask(this.environment, `${breaker.name}, errorFilter`, false, () => errorFilter(error, ...call.args));
    if (filtered) return ignored('errorFilter');
    if (kind === 'answered') return 'success';
    // A call cut sooner than successes take says nothing about the dependency, only about its time limit.
    const mean = breaker.meanSuccessMs;
    const cut = call.aborted && error === call.reason;
    return cut && mean !== undefined && ranMs < mean
      ? ignored(`cut after ${Math.round(ranMs)} ms, successes take ${Math.round(mean)} ms`)
      : 'failure';
  }

  #select(call: Call, keyed: KeyedBreakers): Breaker {
    const { key } = this.options;
    const value = ask(this.environment, `${this.name}, key`, undefined, () => key?.(...call.args));
    return (value === undefined ? undefined : keyed.for(String(value))) ?? this.#breaker;
  }
}
