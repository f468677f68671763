import { describe, expect, it } from 'vitest';
import type { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
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

  it('tells who comes later the new time', async () => {
    const environment = new TestEnvironment();
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1, maxWait: 100 };
    const bulkhead = new BulkheadGuard('b', options, environment);
    const work = new ManualWork();
    track(execute(bulkhead, newCall(environment), work.run));

    bulkhead.reconfigure({ ...options, maxWait: 50 });
    const waiting = track(execute(bulkhead, newCall(environment), work.run));
    await environment.clock.advance(50);
    await settle();

    expect((waiting.outcome as BulkheadFullException).explanation).toContain('within 50 ms');
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

  /** A bulkhead and work under it, whose calls can be cut. */
  function setUp(options: BulkheadOptions) {
    const environment = new TestEnvironment();
    const all = { ...BULKHEAD_DEFAULTS, ...options };
    const bulkhead = new BulkheadGuard('b', all, environment);
    const work = new ManualWork();
    const call = () => {
      const attempt = newCall(environment, { outer: newCall(environment) });
      track(execute(bulkhead, attempt, work.run, { endsEarly: true }));
      return attempt;
    };
    const become = (other: BulkheadOptions) => bulkhead.reconfigure({ ...all, ...other });
    return { environment, bulkhead, work, call, become };
  }

  it('lets in at once who waits when its limit is higher, and finish who runs when it is lower', async () => {
    const { bulkhead, work, call, become } = setUp({ maxConcurrent: 1, maxQueue: 5 });
    for (let made = 0; made < 4; made++) call();

    become({ maxConcurrent: 3, maxQueue: 5 });
    await settle();
    expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([3, 3, 1]);
    become({ maxConcurrent: 2, maxQueue: 5 });
    work.succeed(0);
    await settle();
    expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([3, 2, 1]);
    work.succeed(1);
    await settle();

    expect([work.begun, bulkhead.active, bulkhead.waiting]).toEqual([4, 2, 0]);
  });

  it('gives work without its caller the time under which that came', async () => {
    const { environment, bulkhead, call, become } = setUp({ maxConcurrent: 5, abandonAfter: 500 });
    const before = call();
    become({ maxConcurrent: 5, abandonAfter: 100 });
    const after = call();
    for (const attempt of [before, after]) attempt.abort('gone');

    await environment.clock.advance(100);
    expect(bulkhead.active).toBe(1);
    await environment.clock.advance(400);
    expect(environment.of('abandoned').map(({ afterMs }) => afterMs)).toEqual([100, 500]);
    become({ maxConcurrent: 5, abandonAfter: false });
    call().abort('gone');
    await environment.clock.advance(1_000_000);

    expect(bulkhead.active).toBe(1);
  });

  it('keeps what its adaptive limit has found, as far as the new bounds let it, and tells what they do not', () => {
    const { environment, bulkhead, become } = setUp({ maxConcurrent: adaptive({ initial: 20 }) });

    become({ maxConcurrent: adaptive({ initial: 40, max: 50 }) });
    expect(bulkhead.limit).toBe(20);
    become({ maxConcurrent: adaptive({ max: 8 }) });

    expect(bulkhead.limit).toBe(8);
    expect(environment.of('limitChange')).toMatchObject([{ name: 'b', policy: 'bulkhead', limit: 8, before: 20 }]);
    expect(bulkhead.options.maxConcurrent).toEqual(adaptive({ max: 8 }));
  });
});
