import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STORE_WAIT_MS, WRITE_WAIT_MS } from '../../../../lib/policies/fallback/last-good.backing.js';
import { LastGood } from '../../../../lib/policies/fallback/last-good.js';
import { LastGoodMemory, MOST_ANSWERS } from '../../../../lib/policies/fallback/last-good.memory.js';
import type { LastGoodOptions, LastGoodStore } from '../../../../lib/policies/fallback/last-good.options.js';
import { newCall } from '../../../support/calls.js';
import { settle } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const MAX_AGE = 1_000;

function setUp(options: Partial<LastGoodOptions> = {}, environment = new TestEnvironment()) {
  const all: LastGoodOptions = { key: (key: string) => key, maxAge: MAX_AGE, ...options };
  const lastGood = new LastGood('Rates.current', all, environment);
  const callOf = (key: string) => newCall(environment, { args: [key], instance: { user: 'ann' } });
  const gave = (key: string, value: unknown): void => lastGood.gave(callOf(key), value);
  const find = async (key: string): Promise<unknown> => (await lastGood.find(callOf(key)))?.value;
  return { environment, clock: environment.clock, lastGood, gave, find, callOf };
}

/** A store whose operations end when the test says so. */
class SlowStore implements LastGoodStore {
  readonly data = new Map<string, unknown>();
  readonly puts: { key: string; value: unknown; end: () => void }[] = [];
  get = async (key: string): Promise<unknown> => this.data.get(key);

  put(key: string, value: unknown): Promise<void> {
    return new Promise((resolve) => {
      this.puts.push({ key, value, end: () => (this.data.set(key, value), resolve()) });
    });
  }
}

describe('LastGood', () => {
  it('gives the last answer of the same key, as long as it is no older than maxAge', async () => {
    const { clock, gave, find, lastGood, callOf } = setUp();
    gave('eur', 1);
    gave('eur', 2);
    gave('usd', 3);

    await clock.advance(MAX_AGE);

    expect(await find('eur')).toBe(2);
    expect(await find('gbp')).toBeUndefined();
    expect(lastGood.ageOf((await lastGood.find(callOf('eur'))) as never)).toBe(MAX_AGE);
    await clock.advance(1);
    expect(await find('eur')).toBeUndefined();
  });

  it('asks the key function with the instance as its this', async () => {
    const key = function (this: { user: string }, id: string): string {
      return `${this.user}/${id}`;
    };
    const { lastGood, environment, gave } = setUp({ key });
    gave('1', 'of ann');
    const ofBob = newCall(environment, { args: ['1'], instance: { user: 'bob' } });

    expect(await lastGood.find(ofBob)).toBeUndefined();
  });

  it('remembers nothing of a call whose key is not known', async () => {
    const { gave, find } = setUp({ key: () => undefined as never });
    gave('eur', 1);
    expect(await find('eur')).toBeUndefined();
  });

  it('writes in the background, and of those that come meanwhile the newest', async () => {
    const store = new SlowStore();
    const { gave } = setUp({ store: () => store });
    for (const value of [1, 2, 3]) gave('eur', value);
    expect(store.puts.map(({ value }) => value)).toMatchObject([{ value: 1 }]);

    store.puts[0]?.end();
    await settle();

    expect(store.puts.map(({ value }) => value)).toMatchObject([{ value: 1 }, { value: 3 }]);
  });

  it('knows after a restart what is in the store', async () => {
    const store = new SlowStore();
    setUp({ store }).gave('eur', 7);
    store.puts[0]?.end();
    await settle();
    const { find, clock } = setUp({ store });

    expect(await find('eur')).toBe(7);
    await clock.advance(MAX_AGE + 1);
    expect(await find('eur')).toBeUndefined();
  });

  it.each([
    ['hangs', () => new Promise(() => undefined)],
    ['fails', () => Promise.reject(new Error('away'))],
    ['throws', () => expect.fail('away')],
    ['holds something else', async () => 'rubbish'],
  ])('waits no longer than %s a store that %s', async (_, get) => {
    const { clock, lastGood, callOf } = setUp({ store: { get, put: async () => undefined } as LastGoodStore });
    const found = Promise.resolve(lastGood.find(callOf('eur')));
    await clock.advance(STORE_WAIT_MS);

    expect(await found).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('keeps no more than so many writes under way', () => {
    const store = new SlowStore();
    const { gave } = setUp({ store });
    for (let i = 0; i < 5_000; i++) gave(`key-${i}`, i);
    expect(store.puts).toHaveLength(100);
  });

  it('writes again when writes have hung for long', async () => {
    const store = new SlowStore();
    const { clock, gave } = setUp({ store });
    for (let i = 0; i < 100; i++) gave(`key-${i}`, i);
    await clock.advance(WRITE_WAIT_MS);

    gave('another', 1);

    expect(store.puts).toHaveLength(101);
  });

  it('never gives the answer of another key, nor one that is too old, whatever the store does', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      does: fc.constantFrom('gave', 'find', 'restart'),
      passes: fc.nat(700),
      lost: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const kept = new Map<string, unknown>();
        let lost = false;
        const store: LastGoodStore = {
          get: async (key) => (lost ? Promise.reject(new Error('away')) : kept.get(key)),
          put: async (key, value) => void (lost || kept.set(key, value)),
        };
        let scene = setUp({ store });
        const given = new Map<string, { value: number; at: number }[]>();
        let [now, number] = [0, 0];
        for (const one of steps) {
          lost = one.lost;
          await scene.clock.advance(one.passes);
          now += one.passes;
          if (one.does === 'restart') {
            scene = setUp({ store });
            await scene.clock.advance(now);
          } else if (one.does === 'gave') {
            scene.gave(one.key, ++number);
            given.set(one.key, [...(given.get(one.key) ?? []), { value: number, at: now }]);
            await settle();
          } else {
            const found = await scene.find(one.key);
            if (found === undefined) continue;
            const own = (given.get(one.key) ?? []).filter(({ at }) => now - at <= MAX_AGE);
            expect(own.map(({ value }) => value)).toContain(found);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('LastGoodMemory', () => {
  it('keeps a million keys inside its bound, those that were used last', () => {
    const memory = new LastGoodMemory();
    memory.put('often', { value: 'often', at: 0 });
    for (let i = 0; i < 1_000_000; i++) {
      memory.put(`key-${i}`, { value: i, at: 0 });
      if (i % 1_000 === 0) memory.get('often');
    }

    expect(memory.size).toBe(MOST_ANSWERS);
    expect(memory.get('often')?.value).toBe('often');
    expect(memory.get('key-999999')?.value).toBe(999_999);
    expect(memory.get('key-0')).toBeUndefined();
  });
});

describe('LastGoodMemory, under a load made by chance', () => {
  it('knows exactly the keys that were used last', () => {
    const step = fc.record({ key: fc.nat(MOST_ANSWERS + 20), does: fc.constantFrom('put', 'put', 'get') });
    const filled = new LastGoodMemory();
    // The order of use, the oldest first.
    const order = new Map<string, number>();
    const put = (key: string, at: number): void => {
      filled.put(key, { value: at, at });
      order.delete(key);
      order.set(key, at);
      if (order.size > MOST_ANSWERS) order.delete([...order.keys()][0] as string);
    };
    for (let i = 0; i < MOST_ANSWERS; i++) put(`key-${i}`, i);

    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        for (const { key, does } of steps) {
          const name = `key-${key}`;
          if (does === 'put') put(name, key);
          else {
            const known = order.get(name);
            expect(filled.get(name)?.value).toBe(known);
            if (known !== undefined && order.delete(name)) order.set(name, known);
          }
        }
        expect(filled.size).toBe(order.size);
      }),
      { numRuns: 50 },
    );
  });
});
