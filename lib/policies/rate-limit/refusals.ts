import { RateLimitExceededException } from '../../errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { Bucket } from './bucket.js';
import { ROUNDING_MS } from './waiting-lines.js';

/** What a call that is turned away asked for. */
interface Asked {
  readonly bucket: Bucket;
  readonly cost: number;
  /** It is only told that it would have been turned away. */
  readonly metricsOnly?: boolean;
}

/** The errors of one limiter. They are told to whoever listens. */
export class Refusals {
  constructor(
    readonly name: string,
    private readonly environment: PolicyEnvironment,
  ) {}

  usedUp(asked: Asked, waitMs: number): RateLimitExceededException {
    return this.#refuse(asked, waitMs, waitMs, `used up; ${costing(asked)} may begin in ${shown(waitMs)}`);
  }

  neverFits(asked: Asked): RateLimitExceededException {
    return this.#refuse(asked, undefined, undefined, `${costing(asked)} never fits`);
  }

  notForProbes(asked: Asked, waitMs: number): RateLimitExceededException {
    const why = `a probe of a half-open breaker does not wait, and its turn would come in ${shown(waitMs)}`;
    return this.#refuse(asked, waitMs, waitMs, why);
  }

  /**
   * @param waitMs from the moment at which the call came.
   * @param leftMs how much of it is left.
   * @param boundMs how long any call may wait.
   * @param canMs how long this one can, since it came.
   */
  tooLate(asked: Asked, waitMs: number, leftMs: number, boundMs: number, canMs: number): RateLimitExceededException {
    const why = `the call waits at most ${Math.max(0, Math.floor(canMs + ROUNDING_MS))} ms, and its turn would come ${shown(waitMs)} after it came`;
    // Where a new call would wait no longer than it may, only the time left of this one was too short.
    return this.#refuse(asked, waitMs, leftMs > boundMs ? leftMs - boundMs : leftMs, why);
  }

  storeAway(asked: Asked): RateLimitExceededException {
    return this.#refuse(asked, undefined, undefined, "the store of the cluster is away, and onStoreError is 'closed'");
  }

  shutDown(): ShutdownException {
    const message = `${this.name} was waiting for its rate limit: the app is shutting down`;
    return new ShutdownException({ policy: 'rateLimit', instanceName: this.name, message });
  }

  #refuse(
    { bucket: { key, rate }, cost, metricsOnly }: Asked,
    waitMs: number | undefined,
    freeInMs: number | undefined,
    why: string,
  ): RateLimitExceededException {
    const { limit, per, maxCost: burst } = rate;
    const instanceName = key === undefined ? this.name : `${this.name}[${key}]`;
    const retryAfterMs = freeInMs === undefined ? undefined : wholeMs(freeInMs);
    const details = { limit, per, burst, cost, waitMs, ...(key === undefined ? {} : { key }) };
    const { events } = this.environment;
    if (events.active) {
      const told = { code: 'RATE_LIMITED', retryAfterMs, details, ...(metricsOnly ? { metricsOnly } : {}) };
      events.emit({ type: 'refused', name: instanceName, policy: 'rateLimit', ...told });
    }
    const message = `rate limit ${instanceName} lets ${limit} through in ${per} ms, ${burst} at once: ${why}`;
    return new RateLimitExceededException({ policy: 'rateLimit', instanceName, message, retryAfterMs, details });
  }
}

function costing({ cost }: Asked): string {
  return cost === 1 ? 'a call' : `a call that costs ${cost}`;
}

/** Whole ms after which a call is let through, and not sooner. */
function wholeMs(ms: number): number {
  return Math.ceil(ms - ROUNDING_MS);
}

function shown(ms: number): string {
  return `${wholeMs(ms)} ms`;
}
