import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import type { CallInfo } from '../../../../lib/kernel/call-info.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { guarded, newCall } from '../../../support/calls.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

interface Running {
  readonly attempt: Attempt;
  readonly result: Tracked;
  /** Ends its work. */
  readonly end: () => Promise<void>;
}

/** A bulkhead and calls under it, some of them inside others. */
function setUp(options: BulkheadOptions = {}) {
  const environment = new TestEnvironment();
  const bulkhead = new BulkheadGuard('payments', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, ...options }, environment);
  const begun: string[] = [];
  const call = (name: string, outer = newCall(environment), priority = 0, under = bulkhead): Running => {
    const ends: (() => void)[] = [];
    const attempt = newCall(environment, { args: [name, priority], outer });
    const work = () =>
      new Promise((resolve) => {
        begun.push(name);
        ends.push(() => resolve(name));
      });
    const result = track(guarded({ bulkhead: under }, work, { endsEarly: true })(attempt));
    const end = async (): Promise<void> => {
      ends.shift()?.();
      await settle();
    };
    return { attempt, result, end };
  };
  return { environment, bulkhead, begun, call };
}

const priority = ({ args }: CallInfo): number => args[1] as number;

describe('a call that meets its own bulkhead inside itself', () => {
  it('runs on the slot of the outer one', async () => {
    const { bulkhead, begun, call } = setUp();
    const outer = call('outer');

    const inner = call('inner', outer.attempt);
    await settle();

    expect([begun, bulkhead.active, bulkhead.waiting]).toEqual([['outer', 'inner'], 1, 0]);
    await inner.end();
    expect([inner.result.outcome, bulkhead.active]).toEqual(['inner', 1]);
    await outer.end();
    expect([outer.result.outcome, bulkhead.active]).toEqual(['outer', 0]);
  });

  it('takes the slot in turn with others, however short the queue', async () => {
    const { bulkhead, begun, call } = setUp({ maxQueue: 0, priority });
    const outer = call('outer');
    const first = call('first', outer.attempt);
    const second = call('second', outer.attempt);
    const urgent = call('urgent', outer.attempt, 5);
    await settle();
    expect([begun, bulkhead.active, bulkhead.waiting]).toEqual([['outer', 'first'], 1, 0]);

    await first.end();
    expect(begun).toEqual(['outer', 'first', 'urgent']);
    await urgent.end();
    await second.end();
    await outer.end();

    expect(begun).toEqual(['outer', 'first', 'urgent', 'second']);
    expect(bulkhead.active).toBe(0);
  });

  it('lets nobody pass those who wait for the slot', async () => {
    const { begun, call } = setUp();
    const outer = call('outer');
    const first = call('first', outer.attempt);
    call('second', outer.attempt);
    await first.end();

    call('third', outer.attempt);
    await settle();

    expect(begun).toEqual(['outer', 'first', 'second']);
  });

  it('takes a slot of its own where one comes free before', async () => {
    const { bulkhead, begun, call } = setUp({ maxConcurrent: 2 });
    const outer = call('outer');
    const other = call('other');
    call('first', outer.attempt);
    const second = call('second', outer.attempt);
    await settle();
    expect([begun, bulkhead.active]).toEqual([['outer', 'other', 'first'], 2]);

    await other.end();
    expect([begun, bulkhead.active]).toEqual([['outer', 'other', 'first', 'second'], 2]);
    await second.end();

    expect(bulkhead.active).toBe(1);
  });

  it('lets those go first who wait for a slot of their own', async () => {
    const { begun, call } = setUp({ maxConcurrent: 2, maxQueue: 1 });
    const outer = call('outer');
    const other = call('other');
    call('first', outer.attempt);
    call('inner', outer.attempt);
    call('newcomer');
    await settle();

    await other.end();

    expect(begun).toEqual(['outer', 'other', 'first', 'newcomer']);
  });

  it('keeps the place for as long as it runs, where the outer one has ended before', async () => {
    const { bulkhead, call } = setUp();
    const outer = call('outer');
    const inner = call('inner', outer.attempt);
    await outer.end();
    expect(bulkhead.active).toBe(1);
    const refused = call('refused');
    await settle();
    expect(refused.result.outcome).toBeInstanceOf(BulkheadFullException);

    await inner.end();

    expect(bulkhead.active).toBe(0);
  });

  it('gives the slot on to the next inner one, also then', async () => {
    const { bulkhead, begun, call } = setUp();
    const outer = call('outer');
    const first = call('first', outer.attempt);
    const second = call('second', outer.attempt);
    await outer.end();

    await first.end();
    expect([begun, bulkhead.active]).toEqual([['outer', 'first', 'second'], 1]);
    await second.end();

    expect(bulkhead.active).toBe(0);
  });

  it('takes no slot of an outer one that has ended', async () => {
    const { call } = setUp();
    const outer = call('outer');
    await outer.end();
    call('other');

    const late = call('late', outer.attempt);
    await settle();

    expect(late.result.outcome).toBeInstanceOf(BulkheadFullException);
  });

  it('takes that of the nearest one around that holds one', async () => {
    const { bulkhead, begun, call, environment } = setUp();
    const outermost = call('outermost');
    const between = newCall(environment, { outer: outermost.attempt });
    const inner = call('inner', between);
    const innermost = call('innermost', inner.attempt);
    await settle();
    expect([begun, bulkhead.active]).toEqual([['outermost', 'inner', 'innermost'], 1]);

    const beside = call('beside', between);
    await innermost.end();
    expect(begun).not.toContain('beside');
    await inner.end();

    expect(begun).toContain('beside');
    await beside.end();
    await outermost.end();
    expect(bulkhead.active).toBe(0);
  });

  it('borrows nothing from another bulkhead', async () => {
    const { environment, begun, call } = setUp();
    const other = new BulkheadGuard('other', { ...BULKHEAD_DEFAULTS, maxConcurrent: 1 }, environment);
    const outer = call('outer', undefined, 0, other);
    call('holder');

    const inner = call('inner', outer.attempt);
    await settle();

    expect(inner.result.outcome).toBeInstanceOf(BulkheadFullException);
    expect(begun).toEqual(['outer', 'holder']);
  });

  it('loses the place with the outer one, whose work goes on for too long', async () => {
    const { bulkhead, environment, call } = setUp({ abandonAfter: 500 });
    const outer = call('outer');
    call('inner', outer.attempt);
    outer.attempt.abort('gone');
    await environment.clock.advance(500);

    expect([bulkhead.active, bulkhead.abandonedNow]).toEqual([0, 2]);
    expect(environment.of('abandoned')).toHaveLength(2);
  });

  it('waits for the slot as long as that comes back now and then', async () => {
    const { environment, call } = setUp();
    const { clock } = environment;
    const outer = call('outer');
    const inners = ['first', 'second', 'third'].map((name) => call(name, outer.attempt));

    await clock.advance(20_000);
    await inners[0]?.end();
    await clock.advance(29_999);
    expect(inners.map(({ result }) => result.status)).toEqual(['fulfilled', 'pending', 'pending']);
    await clock.advance(1);

    expect(inners[2]?.result.outcome).toBeInstanceOf(BulkheadFullException);
    expect(inners[1]?.result.status).toBe('pending');
  });
});
