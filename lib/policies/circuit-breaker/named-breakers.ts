import type { CallInfo } from '../../kernel/call-info.js';
import { boundedKey, keyOf } from '../../kernel/key-of.js';
import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { breakerOf, type Breaker } from './breaker.js';
import { BreakerCore } from './breaker-core.js';
import { latenciesOf } from './breaker-stats.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { Control, type ControlSource, type ControlWord } from './control.js';
import { KeyedBreakers } from './keyed-breakers.js';
import { sameWindow } from './tally.js';
import type { TripStrategy } from './trip/trip-strategy.js';

/** What says under which breaker of a name a call stands. */
type Keyed = Pick<CallInfo, 'args'>;

const NEVER: TripStrategy = { name: 'never', shouldTrip: () => false };

/** With keys, the breaker of the whole name only counts calls whose key found no room. */
function ofWholeName(options: ResolvedCircuitBreaker): ResolvedCircuitBreaker {
  return options.key === undefined ? options : { ...options, mode: 'metricsOnly', trip: NEVER };
}

/** The breakers of a name: one for all calls, or one for each key. */
export class NamedBreakers {
  private readonly whole: BreakerCore;
  private readonly keyed: KeyedBreakers | undefined;
  #options: ResolvedCircuitBreaker;
  private latencies: LatencyHistogram | undefined;
  private readonly keyPlace: string;

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
    const latencies = (this.latencies = latenciesOf(options));
    this.keyPlace = `${name}, key`;
    this.whole = new BreakerCore({
      name: options.key === undefined ? name : `${name}[*]`,
      options: ofWholeName(options),
      latencies,
      control,
      onSaid: () => this.keyed?.obey(),
      environment,
    });
    this.keyed =
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
      this.latencies = latenciesOf(options);
    this.whole.reconfigure(ofWholeName(options), this.latencies);
    this.keyed?.reconfigure(options, this.latencies);
  }

  // ---- of a call

  /** The one under which a call stands. One is made for a new key, as long as there is room. */
  select(call: Keyed): BreakerCore {
    return this.keyed === undefined ? this.whole : this.selectKeyed(call, this.keyed);
  }

  /** What refuses `call` because somebody before the rules wants it; undefined where nobody does. */
  forcedFor(call: Keyed): BreakerCore | undefined {
    const core = this.select(call);
    return core.forced ? core : undefined;
  }

  /** Whether it would let this call through as in the best of times: not open, and not probing. */
  isClosedFor(call: Keyed): boolean {
    const core = this.select(call);
    if (core.watchesOnly) return true;
    if (core.isShutDown) return false;
    const state = core.machine.stateAt(this.environment.clock.now());
    return state === 'closed' || state === 'disabled';
  }

  /** The fallback of a method under it has answered. No breaker is made for a call that is over. */
  fellBack(call: Keyed, answer: unknown, error: unknown): void {
    const key = this.keyed === undefined ? undefined : this.keyOf(call);
    const core = key === undefined ? undefined : this.keyed?.peek(key);
    (core ?? this.whole).fellBack(answer, error);
  }

  // ---- to look at and to steer

  /** Those that its calls stand under, and with keys that of the whole name. */
  cores(): BreakerCore[] {
    return this.keyed === undefined ? [this.whole] : [this.whole, ...this.keyed.values()];
  }

  /** The breaker of the name, or of one key; undefined for a key that has none. */
  breaker(key?: string): Breaker | undefined {
    const core = key === undefined ? this.whole : this.keyed?.peek(boundedKey(key));
    return core === undefined ? undefined : breakerOf(core);
  }

  breakers(): Breaker[] {
    return (this.keyed === undefined ? [this.whole] : [...this.keyed.values()]).map(breakerOf);
  }

  /** Lets a source say its word of the name, all its keys included, or take it back. */
  say(source: ControlSource, word: ControlWord | undefined): void {
    const say = (): void => this.whole.say(source, word);
    if (source === 'command') this.whole.events.byHand(say);
    else say();
  }

  /** What a source says of the name. */
  wordOf(source: ControlSource): ControlWord | undefined {
    return this.whole.wordOf(source);
  }

  /** The one under which all its calls stand; undefined where each key has its own. */
  get single(): BreakerCore | undefined {
    return this.keyed === undefined ? this.whole : undefined;
  }

  /** Closes them and forgets what they have counted, but those of which an operator of this process speaks. */
  reset(reason: string): void {
    for (const core of this.cores()) {
      if (core.wordOf('operator') !== undefined) continue;
      // One line tells it of the whole name; its keys may be many.
      if (core === this.whole) core.events.byHand(() => core.enable(reason));
      else core.enable(reason);
    }
  }

  /** The name is no longer in use. */
  retire(): void {
    for (const core of this.cores()) core.retire();
  }

  private selectKeyed(call: Keyed, keyed: KeyedBreakers): BreakerCore {
    const key = this.keyOf(call);
    return (key === undefined ? undefined : keyed.for(key)) ?? this.whole;
  }

  private keyOf({ args }: Keyed): string | undefined {
    return keyOf(this.environment, this.keyPlace, this.#options.key, args);
  }
}
