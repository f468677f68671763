import { describe, expect, it } from 'vitest';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { Loss } from '../../../../lib/kernel/loss.js';
import type { Making } from '../../../../lib/kernel/making.js';
import { BULKHEAD, BULKHEADS } from '../../../../lib/policies/bulkhead/bulkhead.kind.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp(options: BulkheadOptions = {}) {
  const environment = new TestEnvironment();
  const bulkhead = BULKHEADS.create('reports', { ...BULKHEAD_DEFAULTS, ...options }, environment, undefined);
  const work = new ManualWork();
  const call = (...args: unknown[]) => track(execute(bulkhead, newCall(environment, { args }), work.run));
  const loss = () => BULKHEADS.lossWith(bulkhead, environment.clock.now());
  return { environment, bulkhead, work, call, loss };
}

describe('the options of a bulkhead', () => {
  it('are a copy of what was said, which others may change later', () => {
    const said = { maxConcurrent: 5 };

    const parsed = BULKHEAD.parse('place', said);
    said.maxConcurrent = 6;

    expect(parsed).toEqual({ maxConcurrent: 5 });
    expect(BULKHEAD.parse('place', 7)).toEqual({ maxConcurrent: 7 });
    const limit = adaptive();
    expect(BULKHEAD.parse('place', limit)).toEqual({ maxConcurrent: limit });
  });

  it('bound the keys, where there are any', () => {
    const key = (): string => 'k';

    expect(BULKHEAD.resolve?.('place', { maxConcurrent: 5 })).toEqual({ maxConcurrent: 5 });
    expect(BULKHEAD.resolve?.('place', { key })).toEqual({ key, maxKeys: 1_000 });
    expect(BULKHEAD.resolve?.('place', { key, maxKeys: 7 })).toEqual({ key, maxKeys: 7 });
    expect(BULKHEAD.derived).toEqual({ maxKeys: 'key' });
  });
});

describe('a bulkhead as its kind makes it', () => {
  it('is one for all calls, or one for each key', async () => {
    const all = setUp({ maxConcurrent: 1 });
    const keyed = setUp({ maxConcurrent: 1, key: (key: string) => key });
    for (const { call } of [all, keyed]) for (const key of ['a', 'b']) call(key);
    await settle();

    expect([all.bulkhead, keyed.bulkhead]).toMatchObject([
      { name: 'reports', keys: undefined, active: 1 },
      { name: 'reports', keys: 2, active: 2 },
    ]);
  });

  it('stands before the method, as the state of its name', () => {
    const { bulkhead, environment } = setUp();
    const making = { environment, state: () => bulkhead } as unknown as Making;
    const step = { place: 'bulkhead', name: 'reports', options: {}, sources: {}, ruling: undefined } as const;

    expect(BULKHEAD.make(step, making)).toEqual({ guard: bulkhead });
  });

  it('loses work with it as long as anybody runs or waits', async () => {
    const { call, work, loss, bulkhead } = setUp({ maxConcurrent: 1, maxQueue: 1 });
    expect(loss()).toBe(Loss.Nothing);

    call();
    expect(loss()).toBe(Loss.Work);
    call();
    expect([bulkhead.active, bulkhead.waiting, loss()]).toEqual([1, 1, Loss.Work]);
    work.succeed(0);
    await settle();
    work.succeed(1);
    await settle();

    expect(loss()).toBe(Loss.Nothing);
  });
});
