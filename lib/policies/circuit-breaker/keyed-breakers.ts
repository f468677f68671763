import { KeysExhausted } from '../../kernel/keys-exhausted.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { BreakerCore } from './breaker-core.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { Control } from './control.js';
import type { LatencyHistogram } from '../../kernel/latency-histogram.js';

/**
 * One breaker for each key, at most `maxKeys`. When there is no room, the one that was not used for longest goes,
 * if nothing is lost with it: it is closed and idle, or its reset time is over and no probe runs.
 */
export class KeyedBreakers {
  readonly #breakers = new Map<string, BreakerCore>();
  readonly #exhausted: KeysExhausted;
  #fullUntil = -Infinity;
  readonly #onChange = (): void => void (this.#fullUntil = -Infinity);

  constructor(
    private readonly name: string,
    private options: ResolvedCircuitBreaker,
    private latencies: LatencyHistogram | undefined,
    private readonly control: Control,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#exhausted = new KeysExhausted(name, 'circuitBreaker', environment);
  }

  /** The breaker of `key`; undefined when there is no room for one. */
  for(key: string): BreakerCore | undefined {
    const known = this.#breakers.get(key);
    if (known !== undefined) {
      // The order of the map is the order of use.
      this.#breakers.delete(key);
      this.#breakers.set(key, known);
      return known;
    }
    while (this.#breakers.size >= this.options.maxKeys) if (!this.#makeRoom()) return undefined;
    const { options, latencies, environment } = this;
    const breaker = new BreakerCore({
      name: this.name,
      key,
      options,
      latencies,
      onChange: this.#onChange,
      onSaid: this.#onChange,
      control: new Control(this.control),
      environment,
    });
    this.#breakers.set(key, breaker);
    return breaker;
  }

  /** The breaker of `key` if there is one; asking is no use of it. */
  peek(key: string): BreakerCore | undefined {
    return this.#breakers.get(key);
  }

  values(): Iterable<BreakerCore> {
    return this.#breakers.values();
  }

  /** Something was said of the whole name. */
  obey(): void {
    this.#fullUntil = -Infinity;
    for (const { steering } of this.#breakers.values()) steering.obey();
  }

  /** Takes on other options; with fewer keys than there are, those that can go make room when a new one comes. */
  reconfigure(options: ResolvedCircuitBreaker, latencies: LatencyHistogram | undefined): void {
    this.options = options;
    this.latencies = latencies;
    this.#fullUntil = -Infinity;
    for (const breaker of this.#breakers.values()) breaker.reconfigure(options, latencies);
  }

  #makeRoom(): boolean {
    const now = this.environment.clock.now();
    if (now >= this.#fullUntil) {
      for (const [key, core] of this.#breakers) {
        if (!isEvictable(core, now)) continue;
        this.#breakers.delete(key);
        core.retire();
        return true;
      }
      this.#fullUntil = this.#nextChange();
    }
    this.#exhausted.tell(this.options.maxKeys, now);
    return false;
  }

  /** Until when none can go: a flood of new keys must not look at all the others each time. */
  #nextChange(): number {
    let next = Infinity;
    for (const core of this.#breakers.values()) {
      // A call may end at any time.
      if (core.inFlight > 0) return -Infinity;
      next = Math.min(next, core.nextTransitionAt ?? Infinity);
    }
    return next;
  }
}

/** What was ordered by hand of this key is kept, its shutdown too; what is said of the whole name holds for a new one as well. */
function isEvictable(core: BreakerCore, now: number): boolean {
  if (core.inFlight > 0 || core.steering.control.isOrderedAlone || core.isShutDown) return false;
  const { state } = core.machine.ownAt(now);
  return state === 'closed' || state === 'halfOpen';
}
