import type { CallInfo } from '../../kernel/call-info.js';
import { boundedKey, keyOf } from '../../kernel/key-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Breaker } from './breaker.js';
import { sameWindow, type BreakerCore } from './breaker-core.js';
import { latenciesOf } from './breaker-stats.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { Control, type ControlSource, type ControlWord } from './control.js';
import { KeyedBreakers } from './keyed-breakers.js';
import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import type { TripStrategy } from './trip/trip-strategy.js';

const NEVER: TripStrategy = { name: 'never', shouldTrip: () => false };

/** With keys, the breaker of the whole name only counts calls whose key found no room. */
function ofWholeName(options: ResolvedCircuitBreaker): ResolvedCircuitBreaker {
  return options.key === undefined ? options : { ...options, mode: 'metricsOnly', trip: NEVER };
}

/** The breaker of a name, or the breakers of its keys. */
export class NamedBreakers {
  readonly #breaker: Breaker;
  readonly #keyed: KeyedBreakers | undefined;
  #options: ResolvedCircuitBreaker;
  #latencies: LatencyHistogram | undefined;
  readonly #keyPlace: string;

  constructor(
    readonly name: string,
    options: ResolvedCircuitBreaker,
    private readonly environment: PolicyEnvironment,
    /** What a rule says of it. */
    rule?: ControlWord,
  ) {
    const control = new Control();
    control.say('rule', rule);
    this.#options = options;
    const latencies = (this.#latencies = latenciesOf(options));
    this.#keyPlace = `${name}, key`;
    const shown = options.key === undefined ? name : `${name}[*]`;
    const onSaid = (): void => this.#keyed?.obey();
    this.#breaker = new Breaker({
      name: shown,
      options: ofWholeName(options),
      latencies,
      control,
      onSaid,
      environment,
    });
    this.#keyed =
      options.key === undefined ? undefined : new KeyedBreakers(name, options, latencies, control, environment);
  }

  get options(): ResolvedCircuitBreaker {
    return this.#options;
  }

  /**
   * Takes on other options. State, counts and keys stay; only a window of another size begins empty, and so does what a
   * changed trip strategy counts by itself.
   */
  reconfigure(options: ResolvedCircuitBreaker): void {
    const before = this.#options;
    this.#options = options;
    if (!sameWindow(options, before) || options.rollingPercentilesEnabled !== before.rollingPercentilesEnabled)
      this.#latencies = latenciesOf(options);
    this.#breaker.reconfigure(ofWholeName(options), this.#latencies);
    this.#keyed?.reconfigure(options, this.#latencies);
  }

  /** The breaker of the name, or of one key; undefined for a key that has none. */
  breaker(key?: string): Breaker | undefined {
    return key === undefined ? this.#breaker : this.#keyed?.peek(boundedKey(key));
  }

  breakers(): Breaker[] {
    return this.#keyed === undefined ? [this.#breaker] : [...this.#keyed.values()];
  }

  /** Lets a source say its word of the name, all its keys included, or take it back. */
  say(source: ControlSource, word: ControlWord | undefined): void {
    this.#breaker.core.say(source, word);
  }

  /** What a source says of the name. */
  wordOf(source: ControlSource): ControlWord | undefined {
    return this.#breaker.core.wordOf(source);
  }

  /** What refuses `call` because somebody before the rules wants it; undefined where nobody does. */
  forcedFor(call: Pick<CallInfo, 'args'>): BreakerCore | undefined {
    const core = this.coreFor(call);
    return core.forced ? core : undefined;
  }

  /** Whether it would let this call through as in the best of times: not open, and not probing. */
  isClosedFor(call: Pick<CallInfo, 'args'>): boolean {
    const core = this.coreFor(call);
    const state = core.machine.stateAt(this.environment.clock.now());
    if (core.watchesOnly) return true;
    if (core.isShutDown) return false;
    return state === 'closed' || state === 'disabled';
  }

  /** The fallback of a method under it has answered. */
  fellBack(call: Pick<CallInfo, 'args'>, answer: unknown, error: unknown): void {
    this.#known(call).core.fellBack(answer, error);
  }

  /** The breaker that `attempt` is to meet. */
  coreFor({ args }: Pick<CallInfo, 'args'>): BreakerCore {
    return (this.#keyed === undefined ? this.#breaker : this.#select(args, this.#keyed)).core;
  }

  /** The breaker that `call` has met: none is made for one that is over. */
  #known({ args }: Pick<CallInfo, 'args'>): Breaker {
    if (this.#keyed === undefined) return this.#breaker;
    const key = keyOf(this.environment, this.#keyPlace, this.options.key, args);
    return (key === undefined ? undefined : this.#keyed.peek(key)) ?? this.#breaker;
  }

  #select(args: readonly unknown[], keyed: KeyedBreakers): Breaker {
    const key = keyOf(this.environment, this.#keyPlace, this.options.key, args);
    return (key === undefined ? undefined : keyed.for(key)) ?? this.#breaker;
  }
}
