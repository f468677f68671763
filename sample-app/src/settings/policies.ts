import { exponential, type PolicySet } from 'nestjs-bulwark';

/** The policy sets of the whole shop; a feature's own stand in its module. */
export const policies = {
  /** The last net under every route. */
  default: { timeout: 2_000 },
  /**
   * Calls to the payment provider. A charge carries an idempotency key, so that repeating it is right. The whole takes
   * less than the 1.5 s that an order may take: what is left is for the fallback and for the disk.
   */
  payments: {
    timeout: { perAttempt: 400, total: 1_000 },
    retry: { maxAttempts: 3, backoff: exponential({ initial: 50 }) },
    circuitBreaker: { volumeThreshold: 5, resetTimeout: 3_000 },
    bulkhead: { maxConcurrent: 20, maxQueue: 100 },
  },
} satisfies Record<string, PolicySet>;
