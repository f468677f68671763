import { CallThrottledException } from '../../errors/call-throttled.exception.js';
import { BucketRing } from '../../kernel/bucket-ring.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedAdaptiveThrottle } from './adaptive-throttle.options.js';

/** The window moves in so many steps. */
const STEPS = 20;
/** What is counted. */
const REQUESTS = 0;
const ACCEPTED = 1;

/**
 * What a dependency has made of the calls of the last time, and how many of the next are refused here: the client-side
 * throttling of Google's SRE book. Of `requests` of which it accepted `accepts`, the share
 * (requests - factor * accepts) / (requests + 1) is refused. What is refused here is a request as well, so a dependency that
 * accepts a part gets about `factor` times that.
 *
 * @see https://sre.google/sre-book/handling-overload/ "Client-side throttling"
 */
export class AdaptiveThrottle {
  #window: BucketRing;
  #options: ResolvedAdaptiveThrottle;

  constructor(
    readonly name: string,
    options: ResolvedAdaptiveThrottle,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#options = options;
    this.#window = windowOf(options);
  }

  get options(): ResolvedAdaptiveThrottle {
    return this.#options;
  }

  /** Takes on other options; a window of another size begins empty. */
  reconfigure(options: ResolvedAdaptiveThrottle): void {
    if (options.window !== this.#options.window) this.#window = windowOf(options);
    this.#options = options;
  }

  /** Calls that came within the window, those that were refused here included. */
  get requests(): number {
    return this.#window.total(REQUESTS);
  }

  /** Those of them that the dependency accepted. */
  get accepts(): number {
    return this.#window.total(ACCEPTED);
  }

  /** The share of the calls at `now` that is refused, from 0 to 1. */
  refusedShareAt(now: number): number {
    this.#window.advance(now);
    const { requests, accepts } = this;
    const { factor, volumeThreshold, maxRefusedPercentage } = this.#options;
    const excess = requests - factor * accepts;
    if (excess <= 0 || requests < volumeThreshold) return 0;
    return Math.min(excess / (requests + 1), maxRefusedPercentage / 100);
  }

  /** A call comes at `now`. @returns why it may not begin; undefined: it may. */
  refusal(now: number): CallThrottledException | undefined {
    const share = this.refusedShareAt(now);
    // A dependency that is well costs no random number.
    if (share === 0 || this.environment.random() >= share) return undefined;
    const refusal = this.#refuse(share);
    if (this.#options.mode === 'metricsOnly') return undefined;
    this.#window.add(REQUESTS, 1);
    return refusal;
  }

  /** The dependency has taken a call, or has not. */
  ended(accepted: boolean, now: number): void {
    this.#window.advance(now);
    this.#window.add(REQUESTS, 1);
    if (accepted) this.#window.add(ACCEPTED, 1);
  }

  #refuse(share: number): CallThrottledException {
    const { name, requests, accepts } = this;
    const { factor, window, mode } = this.#options;
    const details = { requests, accepts, factor, window, refusedShare: share };
    const { events } = this.environment;
    if (events.active) {
      const shadow = mode === 'metricsOnly' ? { metricsOnly: true } : {};
      const told = { code: 'CALL_THROTTLED', retryAfterMs: undefined, details, ...shadow } as const;
      events.emit({ type: 'refused', name, policy: 'adaptiveThrottle', ...told });
    }
    const message = `${name} takes too few of its calls, so ${Math.round(share * 100)} % are refused here: it accepted ${accepts} of ${requests} within ${window} ms`;
    return new CallThrottledException({ policy: 'adaptiveThrottle', instanceName: name, message, details });
  }
}

function windowOf({ window }: ResolvedAdaptiveThrottle): BucketRing {
  return new BucketRing(window / STEPS, STEPS, 2);
}
