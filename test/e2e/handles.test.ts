import { inspect } from 'node:util';
import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, RateLimit, ResilienceModule, ResilienceService, Retry } from 'nestjs-bulwark';
import { expect, it } from 'vitest';
import { initialise } from './support/harness.js';

@Injectable()
class Orders {
  @CircuitBreaker('payments', {})
  @RateLimit('payments', { limit: 5, per: 1_000 })
  @Bulkhead('payments', { maxConcurrent: 3 })
  @Retry('payments', {})
  async load(): Promise<void> {}
}

it('handles show their figures, and nothing of what they are made of', async () => {
  const { module } = await initialise({
    imports: [ResilienceModule.forRoot({ systemProtection: true })],
    providers: [Orders],
  });
  await module.get(Orders).load();
  const resilience = module.get(ResilienceService);
  const handles = {
    breakers: resilience.circuitBreakers(),
    bulkheads: resilience.bulkheads(),
    limits: resilience.rateLimits(),
    budgets: resilience.retryBudgets(),
  };

  const shown = JSON.parse(JSON.stringify(handles)) as Record<string, unknown>;

  expect(shown).toEqual({
    breakers: [
      { name: 'payments', state: 'closed', stats: expect.objectContaining({ fires: 1, successes: 1 }) as object },
    ],
    bulkheads: [{ name: 'payments', limit: 3, active: 0, waiting: 0 }],
    limits: [{ name: 'payments', limit: 5, per: 1_000, available: expect.closeTo(4, 0) as number, waiting: 0 }],
    budgets: [expect.objectContaining({ tokens: expect.any(Number) as number })],
  });
  expect(inspect(resilience.bulkheads()[0])).toBe(
    "BulkheadHandle { name: 'payments', limit: 3, active: 0, waiting: 0, keys: undefined }",
  );
  const text = inspect(handles, { depth: 3 });
  expect(text).toMatch(/CircuitBreakerHandle \{\s+name: 'payments',\s+state: 'closed',\s+stats: /);
  expect(text).not.toMatch(/opossum|core|_events|options/);
  expect(inspect({ deep: { deeper: handles.breakers[0] } }, { depth: 1 })).toContain('[CircuitBreakerHandle]');
});
