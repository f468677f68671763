import { describe, expect, it } from 'vitest';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

describe('a bulkhead in the shadow', () => {
  const setUp = (options: BulkheadOptions) => {
    const environment = new TestEnvironment();
    const bulkhead = new BulkheadGuard('payments', { ...BULKHEAD_DEFAULTS, ...options }, environment);
    const work = new ManualWork();
    const make = (count: number): void => {
      for (let index = 0; index < count; index++) track(execute(bulkhead, newCall(environment), work.run));
    };
    return { environment, bulkhead, work, make };
  };

  it('lets all run, and tells what it would have refused', async () => {
    const { environment, bulkhead, work, make } = setUp({ maxConcurrent: 2, maxQueue: 1, mode: 'metricsOnly' });

    make(5);
    await settle();

    expect(work.begun).toBe(5);
    expect(bulkhead).toMatchObject({ active: 3, waiting: 0 });
    expect(environment.of('refused')).toMatchObject([
      { code: 'BULKHEAD_FULL', metricsOnly: true },
      { code: 'BULKHEAD_FULL', metricsOnly: true },
    ]);
  });

  it('gives back what it has counted', async () => {
    const { bulkhead, work, make } = setUp({ maxConcurrent: 2, mode: 'metricsOnly' });
    make(3);

    for (const index of [0, 1, 2]) work.succeed(index, 'done');
    await settle();

    expect(bulkhead.active).toBe(0);
  });

  it('lets in who waits when it moves into the shadow', async () => {
    const { bulkhead, work, make } = setUp({ maxConcurrent: 1, maxQueue: 5 });
    make(3);
    await settle();
    expect(work.begun).toBe(1);

    bulkhead.reconfigure({ ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 5, mode: 'metricsOnly' });
    await settle();

    expect(work.begun).toBe(3);
  });
});
