import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { KeyedBulkheadGuard } from '../../../../lib/policies/bulkhead/keyed-bulkhead.guard.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const byFirst = (key: unknown): string => key as string;

function setUp(options: BulkheadOptions) {
  const environment = new TestEnvironment();
  const all = { ...BULKHEAD_DEFAULTS, key: byFirst, ...options };
  const bulkhead = new KeyedBulkheadGuard('reports', all, environment);
  const work = new ManualWork();
  const call = (key: unknown): Tracked => track(execute(bulkhead, newCall(environment, { args: [key] }), work.run));
  return { environment, bulkhead, work, call };
}

describe('KeyedBulkheadGuard', () => {
  it('gives each key slots and a queue of its own', async () => {
    const { bulkhead, call, work } = setUp({ maxConcurrent: 2, maxQueue: 1 });

    const noisy = ['noisy', 'noisy', 'noisy', 'noisy'].map(call);
    const quiet = call('quiet');
    await settle();

    expect(noisy.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending', 'rejected']);
    expect(quiet.status).toBe('pending');
    expect([bulkhead.active, bulkhead.waiting, bulkhead.limit, bulkhead.keys]).toEqual([3, 1, 2, 2]);
    expect(noisy[3]?.outcome).toBeInstanceOf(BulkheadFullException);
    expect(noisy[3]?.outcome).toMatchObject({ instanceName: 'reports[noisy]' });
    work.succeed(0);
    await settle();
    expect([bulkhead.active, bulkhead.waiting]).toEqual([3, 0]);
  });

  it('lets the key go that was idle for longest', async () => {
    const { bulkhead, call, work } = setUp({ maxConcurrent: 1, maxKeys: 2 });
    for (const key of ['first', 'second']) call(key);
    work.succeed(1);
    await settle();
    work.succeed(0);
    await settle();

    call('third');
    const again = [call('first'), call('first')];
    await settle();

    expect(bulkhead.keys).toBe(2);
    expect(again.map(({ status }) => status)).toEqual(['pending', 'rejected']);
    expect(bulkhead.active).toBe(2);
  });

  it('shares slots among the keys that find no room, and says so once a minute', async () => {
    const { environment, bulkhead, call, work } = setUp({ maxConcurrent: 1, maxKeys: 1 });

    const calls = ['a', 'b', 'c'].map(call);
    await settle();

    expect(calls.map(({ status }) => status)).toEqual(['pending', 'pending', 'rejected']);
    expect(calls[2]?.outcome).toMatchObject({ instanceName: 'reports[*]' });
    expect(environment.of('keysExhausted')).toEqual([
      expect.objectContaining({ name: 'reports[*]', policy: 'bulkhead', maxKeys: 1 }),
    ]);
    work.succeed(0);
    await settle();
    call('c');
    expect(bulkhead.active).toBe(2);
  });

  it.each([
    ['throws', () => fail()],
    ['gives no text', () => ({}) as never],
  ])('shares slots among the calls whose key %s', async (_, key) => {
    const { bulkhead, call } = setUp({ maxConcurrent: 1, key });

    const calls = [call('a'), call('b')];
    await settle();

    expect(calls.map(({ status }) => status)).toEqual(['pending', 'rejected']);
    expect(bulkhead.keys).toBe(0);
  });

  it('takes on other options, for keys that are there and those to come', async () => {
    const { bulkhead, call } = setUp({ maxConcurrent: 1, maxQueue: 1, maxKeys: 3 });
    const [, waits] = ['a', 'a'].map(call);
    for (const key of ['b', 'c']) call(key);

    bulkhead.reconfigure({ ...bulkhead.options, maxConcurrent: 2, maxKeys: 1 });
    await settle();

    expect([bulkhead.active, bulkhead.waiting, bulkhead.limit, bulkhead.keys]).toEqual([4, 0, 2, 3]);
    expect(waits?.status).toBe('pending');
  });

  it('comes down to fewer keys at once, as far as they are idle', async () => {
    const { bulkhead, call, work } = setUp({ maxConcurrent: 1, maxKeys: 9 });
    for (const key of ['a', 'b', 'c', 'd']) call(key);
    for (const index of [3, 1]) work.succeed(index);
    await settle();

    bulkhead.reconfigure({ ...bulkhead.options, maxKeys: 3 });
    expect(bulkhead.keys).toBe(3);
    // The one that is idle still has its slots, and takes no room of others.
    expect(call('b').status).toBe('pending');
    bulkhead.reconfigure({ ...bulkhead.options, maxKeys: 1 });

    expect([bulkhead.keys, bulkhead.active]).toEqual([3, 3]);
  });

  it('tells 1,000 keys apart where nobody says how many', async () => {
    const { bulkhead, call } = setUp({ maxConcurrent: 1 });
    for (let key = 0; key < 1_001; key++) call(`key ${key}`);
    await settle();

    expect(bulkhead.keys).toBe(1_000);
  });

  it('counts the work of all keys that goes on without a slot', async () => {
    const { environment, bulkhead, work } = setUp({ maxConcurrent: 1, abandonAfter: 100, maxKeys: 1 });
    for (const key of ['a', 'b']) {
      const attempt = newCall(environment, { args: [key], outer: newCall(environment) });
      track(execute(bulkhead, attempt, work.run, { endsEarly: true }));
      attempt.abort('gone');
    }

    await environment.clock.advance(100);

    expect([bulkhead.abandonedNow, bulkhead.active]).toEqual([2, 0]);
  });

  it('gives no new place to a key for being refused', async () => {
    const { bulkhead, call, work } = setUp({ maxConcurrent: 1, maxKeys: 2 });
    for (const key of ['a', 'b']) call(key);
    for (const index of [0, 1]) work.succeed(index);
    await settle();
    // a is in use again, so that b is the one to go.
    call('a');

    call('c');
    await settle();

    expect([bulkhead.keys, bulkhead.active]).toEqual([2, 2]);
    work.succeed(2);
    await settle();
    call('d');
    await settle();
    expect([bulkhead.keys, bulkhead.active]).toEqual([2, 2]);
  });

  it('keeps nothing of keys beyond maxKeys, and no slot, whatever comes when', async () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), ends: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (steps, maxKeys) => {
        const { bulkhead, call, work } = setUp({ maxConcurrent: 2, maxQueue: 1, maxKeys });
        let ended = 0;
        const calls: Tracked[] = [];
        for (const { key, ends } of steps) {
          calls.push(call(key));
          await settle();
          for (let i = 0; i < ends && ended < work.begun; i++) work.succeed(ended++);
          await settle();
          expect(bulkhead.keys).toBeLessThanOrEqual(maxKeys);
          expect(bulkhead.active).toBe(work.begun - ended);
        }
        while (ended < work.begun) {
          work.succeed(ended++);
          await settle();
        }
        expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
        expect(calls.every(({ status }) => status !== 'pending')).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

function fail(): never {
  throw new Error('no key');
}
