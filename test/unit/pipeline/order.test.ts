import { describe, expect, it } from 'vitest';
import { ORDER } from '../../../lib/pipeline/order.js';

describe('ORDER', () => {
  it('is the one of the contract, outermost first', () => {
    expect(ORDER.join(' > ')).toBe(
      'recover > onRefused > fallback > timeout.total > coalesce > retry > hedge > circuitBreaker > adaptiveThrottle > rateLimit > timeout.perAttempt > bulkhead',
    );
  });
});
