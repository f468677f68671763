import { describe, expect, it } from 'vitest';
import { BulkheadGuard } from '../../../lib/policies/bulkhead/bulkhead.guard.js';
import { BULKHEAD_DEFAULTS } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { CircuitBreakerGuard } from '../../../lib/policies/circuit-breaker/circuit-breaker.guard.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../../../lib/policies/circuit-breaker/named-breakers.js';
import { consecutiveFailures } from '../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { RateLimitGuard } from '../../../lib/policies/rate-limit/rate-limit.guard.js';
import { resolveRateLimit } from '../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimiter } from '../../../lib/policies/rate-limit/rate-limiter.js';
import { attemptTimeout } from '../../../lib/policies/timeout/attempt-timeout.guard.js';
import { guarded, ManualWork, newCall } from '../../support/calls.js';
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
    const rate = resolveRateLimit('upstream', { limit: 1_000, per: 1_000, onLimit: 'queue' });
    const limiter = new RateLimiter('upstream', rate, environment);
    const { rateLimit, perAttempt } = inside;
    const policies = {
      circuitBreaker: new CircuitBreakerGuard(new NamedBreakers('upstream', breaker, environment)),
      rateLimit: rateLimit ? new RateLimitGuard(limiter, perAttempt) : undefined,
      'timeout.perAttempt': perAttempt === undefined ? undefined : attemptTimeout('upstream', perAttempt, environment),
      bulkhead: new BulkheadGuard('upstream', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 9 }, environment),
    };
    const work = new ManualWork();
    const run = guarded(policies, work.run, { endsEarly: true });
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
