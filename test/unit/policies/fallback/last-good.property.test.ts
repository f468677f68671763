import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DatabaseDataService, FileDataService } from '../../../../lib/data/index.js';
import { LastGood } from '../../../../lib/policies/fallback/last-good.js';
import { LastGoodMemory, MOST_ANSWERS } from '../../../../lib/policies/fallback/last-good.memory.js';
import type { LastGoodStore } from '../../../../lib/policies/fallback/last-good.options.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newCall } from '../../../support/calls.js';
import { MemoryDataService } from '../../../support/memory-data.service.js';
import { runs } from '../../../support/runs.js';
import { settle } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const MAX_AGE = 1_000;

/** Some that are alike, or that a store may take for others. */
const KEYS = [
  'a',
  'A',
  'a/b',
  'a/',
  '',
  ' ',
  'ä',
  'a\u0308',
  '\ud800',
  '\ud801',
  '\u0000',
  '%61',
  'x'.repeat(600),
  `${'x'.repeat(600)}y`,
];

const step = fc.record({
  key: fc.oneof(fc.constantFrom(...KEYS), fc.string({ unit: 'binary', maxLength: 5 })),
  does: fc.constantFrom('gave', 'gave', 'find', 'find', 'restart'),
  passes: fc.nat(600),
});

const stores: Record<string, (folder: string) => Promise<LastGoodStore & { close(): Promise<void> }>> = {
  memory: async () => new MemoryDataService(),
  files: (folder) => FileDataService.open({ path: folder }),
  SQLite: () => DatabaseDataService.open({ url: 'sqlite::memory:' }),
};

/** A store that says when all that was written has ended. */
function awaited(store: LastGoodStore) {
  const under = new Set<Promise<unknown>>();
  const put = (key: string, value: unknown): Promise<unknown> => {
    const writing = store.put(key, value).finally(() => under.delete(writing));
    under.add(writing);
    return writing;
  };
  const written = async (): Promise<void> => {
    // A newer answer of the same key follows.
    for (; under.size > 0; await settle()) await Promise.allSettled(under);
  };
  return { store: { get: (key: string) => store.get(key), put }, written };
}

describe.each(Object.entries(stores))('last good answers in %s', (_, open) => {
  let folder: string;
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bulwark-answers-'));
    opened = await open(folder);
  });
  afterAll(async () => {
    await opened.close();
    await rm(folder, { recursive: true, force: true });
  });
  let run = 0;

  it('never cross keys, are never too old, and are the newest ones', { timeout: 300_000 }, async () => {
    const { store, written } = awaited(opened);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const place = `Rates.run${++run}`;
        const begin = async (now: number) => {
          const environment = new TestEnvironment(false);
          await environment.clock.advance(now);
          return {
            environment,
            lastGood: new LastGood(place, { key: (key: string) => key, maxAge: MAX_AGE, store }, environment),
          };
        };
        let [now, number] = [0, 0];
        let app = await begin(now);
        const given = new Map<string, { value: string; at: number; since: number }>();
        let remembered = new Set<string>();
        for (const { key, does, passes } of steps) {
          await app.environment.clock.advance(passes);
          now += passes;
          const call = newCall(app.environment, { args: [key] });
          if (does === 'restart') {
            await written();
            app = await begin(now);
            remembered = new Set();
          } else if (does === 'gave') {
            const value = `${++number}`;
            app.lastGood.gave(call, value);
            given.set(key, { value, at: app.environment.clock.wallNow(), since: now });
            remembered.add(key);
          } else {
            const known = given.get(key);
            const found = await app.lastGood.find(call);
            if (found === undefined) {
              // What was given since the start and is no older than allowed has to be there.
              expect(known !== undefined && remembered.has(key) && now - known.since <= MAX_AGE).toBe(false);
              continue;
            }
            expect(found).toEqual({ value: known?.value, at: known?.at });
            expect(app.environment.clock.wallNow() - found.at).toBeLessThanOrEqual(MAX_AGE);
          }
        }
        await written();
      }),
      { numRuns: runs(30, 1_000) },
    );
  });

  it('are found after a restart', async () => {
    const { store, written } = awaited(opened);
    const [environment, later] = [new TestEnvironment(false), new TestEnvironment(false)];
    const options = { key: (key: string) => key, maxAge: MAX_AGE, store };
    const before = new LastGood('Rates.kept', options, environment);
    // A lone surrogate and a NUL are no keys of a store.
    const keys = KEYS.filter((key) => Buffer.from(key).toString() === key && !key.includes('\u0000'));
    keys.forEach((key, index) => before.gave(newCall(environment, { args: [key] }), index));
    await written();

    const after = new LastGood('Rates.kept', options, later);
    const found = await Promise.all(keys.map(async (key) => after.find(newCall(later, { args: [key] }))));

    expect(found.map((one) => one?.value)).toEqual(keys.map((_key, index) => index));
  });
});

describe('the memory of last good answers', () => {
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
      { numRuns: runs(50, 500) },
    );
  });
});

/** The last good answers of an app that has just begun. */
function begin(store: LastGoodStore) {
  const environment = new TestEnvironment(false);
  const lastGood = new LastGood('Rates.current', { key: (key: string) => key, maxAge: MAX_AGE, store }, environment);
  const callOf = (key: string) => newCall(environment, { args: [key] });
  return {
    clock: environment.clock,
    gave: (key: string, value: unknown): void => lastGood.gave(callOf(key), value),
    find: async (key: string): Promise<unknown> => (await lastGood.find(callOf(key)))?.value,
  };
}

it('last good answers are never those of another key, nor too old, whatever the store does', async () => {
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
      let scene = begin(store);
      const given = new Map<string, { value: number; at: number }[]>();
      let [now, number] = [0, 0];
      for (const one of steps) {
        lost = one.lost;
        await scene.clock.advance(one.passes);
        now += one.passes;
        if (one.does === 'restart') {
          scene = begin(store);
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
    { numRuns: runs(40, 1_000) },
  );
});
