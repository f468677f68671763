import { describe, expect, it } from 'vitest';
import { compose } from '../../../lib/pipeline/compose.js';
import { BULKHEAD_DEFAULTS } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadPolicy } from '../../../lib/policies/bulkhead/bulkhead.policy.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { CircuitBreakerPolicy } from '../../../lib/policies/circuit-breaker/circuit-breaker.policy.js';
import { consecutiveFailures } from '../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { resolveRateLimit } from '../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitPolicy } from '../../../lib/policies/rate-limit/rate-limit.policy.js';
import { RateLimiter } from '../../../lib/policies/rate-limit/rate-limiter.js';
import { AttemptTimeoutPolicy } from '../../../lib/policies/timeout/attempt-timeout.policy.js';
import { ManualWork, newCall } from '../../support/calls.js';
import { settle, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

describe('a breaker around a bulkhead', () => {
  it.each([
    { rateLimit: false, perAttempt: undefined },
    { rateLimit: false, perAttempt: 1_000 },
    { rateLimit: true, perAttempt: undefined },
    { rateLimit: true, perAttempt: 1_000 },
  ])('judges a call before the next one that waits begins, with %j', async (inside) => {
    const environment = new TestEnvironment();
    const breaker = { ...CIRCUIT_BREAKER_DEFAULTS, trip: consecutiveFailures(1) };
    const limiter = new RateLimiter(
      'upstream',
      { ...resolveRateLimit('upstream', { limit: 1_000, per: 1_000, onLimit: 'queue' }) },
      environment,
    );
    const work = new ManualWork();
    const run = compose(
      {
        circuitBreaker: new CircuitBreakerPolicy('upstream', breaker, environment),
        ...(inside.rateLimit ? { rateLimit: new RateLimitPolicy(limiter, inside.perAttempt) } : {}),
        'timeout.perAttempt': new AttemptTimeoutPolicy('upstream', inside.perAttempt, environment),
        bulkhead: new BulkheadPolicy('upstream', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 9 }, environment),
      },
      work.next,
    );
    for (let count = 0; count < 5; count++) track(run(newCall(environment)));
    await environment.clock.advance(10);

    // The second one has waited, so its error goes a longer way.
    work.succeed(0, 'fine');
    await settle();
    expect(work.begun).toBe(2);
    work.fail(1, new Error('no'));
    await settle();

    expect(work.begun).toBe(2);
  });
});
