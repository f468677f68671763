import { describe, expect, it } from 'vitest';
import { STORE_WAIT_MS, WRITE_WAIT_MS } from '../../../../lib/policies/fallback/last-good.backing.js';
import { LastGood } from '../../../../lib/policies/fallback/last-good.js';
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

  it('remembers nothing of a call whose key is not known, and asks no store about it', async () => {
    const store = new SlowStore();
    const { gave, lastGood, callOf, environment } = setUp({ key: () => undefined as never, store });
    gave('eur', 1);

    expect(lastGood.find(callOf('eur'))).toBeUndefined();
    expect(store.puts).toEqual([]);
    expect(environment.reports).toEqual([]);
  });

  it('reports a key that is none, and remembers nothing', async () => {
    const { gave, find, environment } = setUp({ key: () => ({}) as never });
    gave('eur', 1);

    expect(await find('eur')).toBeUndefined();
    expect(environment.reports.map(({ place }) => place)).toEqual(Array(2).fill('Rates.current, lastGood key'));
  });

  it('keeps its answers when it is made anew in the same app, and shares them with no other method or app', async () => {
    const { gave, environment } = setUp();
    gave('eur', 1);
    const again = setUp({}, environment);
    const other = new LastGood('Rates.history', { key: (key: string) => key, maxAge: MAX_AGE }, environment);

    expect(await again.find('eur')).toBe(1);
    expect(other.find(again.callOf('eur'))).toBeUndefined();
    expect(await setUp().find('eur')).toBeUndefined();
  });

  it('gives what it remembers at once, and asks the store only for what it does not', async () => {
    const store = new SlowStore();
    const { gave, lastGood, callOf } = setUp({ store });
    gave('eur', 1);

    expect(lastGood.find(callOf('eur'))).toMatchObject({ value: 1 });
    expect(lastGood.find(callOf('usd'))).toBeInstanceOf(Promise);
    expect(setUp().lastGood.find(callOf('usd'))).toBeUndefined();
  });

  it('asks the store again for what it remembers, but is too old', async () => {
    const store = new SlowStore();
    const { clock, gave, find } = setUp({ store });
    gave('eur', 1);
    await clock.advance(MAX_AGE + 1);
    store.data.set('last-good/Rates.current/eur', { value: 'of another process', at: clock.wallNow() });

    expect(await find('eur')).toBe('of another process');
  });

  it('gives an answer from a clock that runs ahead as new, unless it is too far ahead', async () => {
    const store = new SlowStore();
    const { clock, lastGood, find } = setUp({ store });
    const ahead = (ms: number) => ({ value: ms, at: clock.wallNow() + ms });
    store.data.set('last-good/Rates.current/near', ahead(MAX_AGE));
    store.data.set('last-good/Rates.current/far', ahead(MAX_AGE + 1));

    expect(await find('near')).toBe(MAX_AGE);
    expect(await find('far')).toBeUndefined();
    expect(lastGood.ageOf(ahead(10))).toBe(0);
    expect(lastGood.ageOf(ahead(-10))).toBe(10);
  });

  it('asks for the store of the instance; where that gives none, memory alone remembers', async () => {
    const store = new SlowStore();
    const instances: unknown[] = [];
    const { gave } = setUp({ store: (instance: unknown) => (instances.push(instance), store) });
    gave('eur', 1);
    expect(instances).toEqual([{ user: 'ann' }]);
    expect(store.puts).toHaveLength(1);

    const none = setUp({ store: () => undefined as never });
    none.gave('eur', 2);
    expect(await none.find('eur')).toBe(2);
    expect(none.environment.reports).toEqual([]);
  });

  it.each<[string, () => LastGoodStore]>([
    ['is no store', () => ({}) as LastGoodStore],
    [
      'throws',
      () => {
        throw new Error('away');
      },
    ],
  ])('reports what gives the store, when it %s: memory alone remembers', async (_how, store) => {
    const { gave, find, environment } = setUp({ store });
    gave('eur', 2);

    expect(await find('eur')).toBe(2);
    expect(environment.reports.map(({ place }) => place)).toEqual(['Rates.current, lastGood store']);
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
  ])('waits only so long for a store that %s', async (_, get) => {
    const { clock, lastGood, callOf } = setUp({ store: { get, put: async () => undefined } as LastGoodStore });
    const found = Promise.resolve(lastGood.find(callOf('eur')));
    await clock.advance(STORE_WAIT_MS);

    expect(await found).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('keeps no more than so many writes under way', () => {
    const store = new SlowStore();
    const { gave } = setUp({ store });
    for (let i = 0; i < 300; i++) gave(`key-${i}`, i);
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
});
