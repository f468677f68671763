import { describe, expect, it } from 'vitest';
import type { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

describe('a bulkhead that takes on other options', () => {
  it('lets who waits wait as long as it was told when it came', async () => {
    const environment = new TestEnvironment();
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1, maxWait: 100 };
    const bulkhead = new BulkheadGuard('b', options, environment);
    const work = new ManualWork();
    track(execute(bulkhead, newCall(environment), work.run));
    const waiting = track(execute(bulkhead, newCall(environment), work.run));

    bulkhead.reconfigure({ ...options, maxWait: 5_000, maxQueue: 0 });
    expect(bulkhead.waiting).toBe(1);
    await environment.clock.advance(100);
    await settle();

    expect((waiting.outcome as BulkheadFullException).explanation).toContain('within 100 ms');
  });

  it('can leave its limit to latency, and come back to a number', async () => {
    const environment = new TestEnvironment();
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1 };
    const bulkhead = new BulkheadGuard('b', options, environment);
    const work = new ManualWork();
    track(execute(bulkhead, newCall(environment), work.run));

    bulkhead.reconfigure({ ...options, maxConcurrent: adaptive({ initial: 6 }) });
    expect(bulkhead.limit).toBe(6);
    work.succeed(0);
    await settle();
    expect(bulkhead.active).toBe(0);

    bulkhead.reconfigure({ ...options, maxConcurrent: 2 });
    expect(bulkhead.limit).toBe(2);
  });
});
