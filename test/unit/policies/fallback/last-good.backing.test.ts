import { describe, expect, it } from 'vitest';
import { LastGoodBacking, STORE_WAIT_MS, WRITE_WAIT_MS } from '../../../../lib/policies/fallback/last-good.backing.js';
import type { LastGoodStore } from '../../../../lib/policies/fallback/last-good.options.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const away = new Error('away');
const hangs = (): Promise<never> => new Promise(() => undefined);
const answer = (value: unknown) => ({ value, at: 1 });

/** What is asked of a store, and what it does about it. */
function setUp(get: LastGoodStore['get'], put: LastGoodStore['put'] = async () => undefined) {
  const environment = new TestEnvironment();
  const backing = new LastGoodBacking('Rates.current', environment);
  const asked: unknown[][] = [];
  const store: LastGoodStore = {
    get: (...given) => (asked.push(['get', ...given]), get(...given)),
    put: (...given) => (asked.push(['put', ...given]), put(...given)),
  };
  return { environment, clock: environment.clock, backing, store, asked };
}

describe('a store of last good answers', () => {
  it('is asked by a key that names the method', async () => {
    const { backing, store, asked } = setUp(async () => answer(7));
    const found = await backing.get(store, 'eur');
    backing.put(store, 'eur', answer(8));

    expect(found).toEqual(answer(7));
    expect(asked).toEqual([
      ['get', 'last-good/Rates.current/eur'],
      ['put', 'last-good/Rates.current/eur', answer(8)],
    ]);
  });

  it('is asked by a hash, where the key is long', async () => {
    const { backing, store, asked } = setUp(async () => undefined);
    await backing.get(store, 'x'.repeat(600));

    expect(asked).toEqual([['get', expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]]);
  });

  it('may answer at once', async () => {
    const { backing, store, clock } = setUp((() => answer(7)) as never);

    expect(await backing.get(store, 'eur')).toEqual(answer(7));
    expect(clock.pending).toBe(0);
  });

  it.each([undefined, null, 'rubbish', 7, {}, { value: 7 }, { value: 7, at: 'yesterday' }])(
    'that gives %j knows nothing',
    async (found) => {
      const { backing, store, environment } = setUp(async () => found);

      expect(await backing.get(store, 'eur')).toBeUndefined();
      expect(environment.reports).toEqual([]);
    },
  );

  it.each([
    ['fails', () => Promise.reject(away)],
    [
      'throws',
      () => {
        throw away;
      },
    ],
  ])('that %s knows nothing, and that is reported', async (_how, get) => {
    const { backing, store, clock, environment } = setUp(get);

    expect(await backing.get(store, 'eur')).toBeUndefined();
    expect(environment.reports).toEqual([{ place: 'Rates.current, lastGood store', error: away }]);
    expect(clock.pending).toBe(0);
  });

  it('is waited for so long and no longer, and that keeps the process alive', async () => {
    const { backing, store, clock, environment } = setUp(hangs);
    const found = track(backing.get(store, 'eur'));
    expect(clock.keepingAlive).toBe(1);
    await clock.advance(STORE_WAIT_MS - 1);
    expect(found.status).toBe('pending');
    await clock.advance(1);

    expect(found).toEqual({ status: 'fulfilled', outcome: undefined });
    expect(environment.reports).toEqual([]);
  });

  it('that answers too late has not answered; that it fails is reported all the same', async () => {
    let fail = (_: Error): void => undefined;
    const { backing, store, clock, environment } = setUp(() => new Promise((_, reject) => (fail = reject)));
    const found = track(backing.get(store, 'eur'));
    await clock.advance(STORE_WAIT_MS);
    fail(away);
    await settle();

    expect(found.outcome).toBeUndefined();
    expect(environment.reports).toMatchObject([{ error: away }]);
  });

  it('is written without holding up the end of the process', () => {
    const { backing, store, clock } = setUp(hangs, hangs);
    backing.put(store, 'eur', answer(1));

    expect(clock.pending).toBe(1);
    expect(clock.keepingAlive).toBe(0);
    expect(clock.nextTimerIn).toBe(WRITE_WAIT_MS);
  });

  it('is written anew after a write that failed, which is reported', async () => {
    let failing = true;
    const put = () => (failing ? Promise.reject(away) : Promise.resolve());
    const { backing, store, asked, environment } = setUp(hangs, put);
    backing.put(store, 'eur', answer(1));
    await settle();
    failing = false;
    backing.put(store, 'eur', answer(2));
    await settle();

    expect(asked.map(([, , written]) => written)).toEqual([answer(1), answer(2)]);
    expect(environment.reports).toEqual([{ place: 'Rates.current, lastGood store', error: away }]);
  });

  it('gets what came during a write once, and then nothing more', async () => {
    const { backing, store, asked } = setUp(hangs);
    for (const value of [1, 2, 3]) backing.put(store, 'eur', answer(value));
    await settle();

    expect(asked.map(([, , written]) => written)).toEqual([answer(1), answer(3)]);
  });

  it('gets the newest of a key also while it has no room for other keys', async () => {
    const ends: (() => void)[] = [];
    const { backing, store, asked } = setUp(hangs, () => new Promise<void>((resolve) => ends.push(resolve)));
    for (let i = 0; i < 100; i++) backing.put(store, `key-${i}`, answer(i));
    backing.put(store, 'no room', answer(0));
    backing.put(store, 'key-0', answer('newer'));
    expect(asked).toHaveLength(100);
    ends[0]?.();
    await settle();

    expect(asked.slice(100)).toEqual([['put', 'last-good/Rates.current/key-0', answer('newer')]]);
    ends[100]?.();
    await settle();
    backing.put(store, 'room again', answer(1));
    expect(asked).toHaveLength(102);
  });
});
