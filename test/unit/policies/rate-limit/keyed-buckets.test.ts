import { describe, expect, it } from 'vitest';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { keptKey } from '../../../../lib/kernel/key-of.js';
import { newCall } from '../../../support/calls.js';
import { RateLimitScene } from './rate-limit.scene.js';

const KEYED = { limit: 2, per: 1_000, key: (key: string) => key } as const;

describe('a flood of keys', () => {
  it('leaves nothing behind, when it is over', async () => {
    const scene = new RateLimitScene({ ...KEYED, maxKeys: 100_000 });
    const { clock } = scene.environment;
    for (let one = 0; one < 3_500; one++)
      scene.limiter.admit(newCall(scene.environment, { args: [`key ${one}`] }), Infinity);
    expect(scene.limiter.keys).toBe(3_500);

    await clock.advance(5_000);

    expect(scene.limiter.keys).toBeLessThanOrEqual(1_000);
    expect(clock.pending).toBe(0);
  });

  /** Makes calls of so many keys at once. */
  const flood = ({ limiter, environment }: RateLimitScene, keys: number): void => {
    for (let one = 0; one < keys; one++) limiter.admit(newCall(environment, { args: [`key ${one}`] }), Infinity);
  };

  it('goes a thousand keys at a time, so that it holds nothing up', async () => {
    const scene = new RateLimitScene(KEYED);
    flood(scene, 3_500);
    const keysAfter = async (ms: number): Promise<number> => {
      await scene.clock.advance(ms);
      return scene.limiter.keys;
    };

    // Each is looked at twice, 50 ms after the last thousand: when it was used, and when it was full.
    expect(await keysAfter(1_149)).toBe(3_500);
    expect(await keysAfter(1)).toBe(3_000);
    expect(await keysAfter(49)).toBe(3_000);
    expect([await keysAfter(1), await keysAfter(50)]).toEqual([2_000, 1_000]);
    expect(scene.clock.pending).toBe(0);
  });

  it('is looked at once a second while nothing can go', async () => {
    const scene = new RateLimitScene({ ...KEYED, per: 60_000 });
    flood(scene, 1_001);

    await scene.clock.advance(1_050);
    expect([scene.clock.nextTimerIn, scene.clock.keepingAlive]).toEqual([1_000, 0]);
    await scene.clock.advance(5_000);

    expect([scene.clock.nextTimerIn, scene.clock.pending, scene.limiter.keys]).toEqual([1_000, 1, 1_001]);
  });

  it('keeps keys that are warm yet', async () => {
    const scene = new RateLimitScene({ ...KEYED, warmUp: { over: 5_000 } });
    flood(scene, 1_500);

    await scene.clock.advance(4_000);
    expect(scene.limiter.keys).toBe(1_500);
    await scene.clock.advance(6_000);

    expect(scene.limiter.keys).toBeLessThanOrEqual(1_000);
  });

  it('sets no timer in an app that is gone', () => {
    const scene = new RateLimitScene(KEYED);
    scene.environment.lifecycle.dispose();

    flood(scene, 1_100);

    expect(scene.clock.pending).toBe(0);
  });

  it('does not give a key its limit back that has used it', async () => {
    const scene = new RateLimitScene({ ...KEYED, per: 60_000, maxKeys: 100_000 });
    await scene.admitted(2, ['used']);
    for (let one = 0; one < 1_500; one++) await scene.attempt([`key ${one}`]);

    await scene.environment.clock.advance(20_000);

    expect(scene.limiter.keys).toBe(1_501);
    expect(await scene.admitted(1, ['used'])).toBe(0);
  });

  it('needs no timer where keys are few, and none when the app is gone', async () => {
    const scene = new RateLimitScene({ ...KEYED, maxKeys: 100_000 });
    const { clock, lifecycle } = scene.environment;
    for (let one = 0; one < 1_000; one++) await scene.attempt([`key ${one}`]);
    expect(clock.pending).toBe(0);

    await scene.attempt(['one more']);
    expect(clock.pending).toBe(1);
    lifecycle.dispose();

    expect(clock.pending).toBe(0);
  });

  it('keeps of a key its own text alone, whatever it is a part of', () => {
    const big = 'x'.repeat(1_000_000);

    for (const part of [
      'abcdefghijklmnopqrst',
      'schlüssel-für-alle',
      'ключ-для-всех-людей',
      '\ud800 alone, not a pair',
    ]) {
      const key = `${big}${part}`.slice(big.length);
      expect(keptKey(key)).toBe(part);
    }
  });
});

describe('key', () => {
  it('gives each key a limit of its own', async () => {
    const scene = new RateLimitScene(KEYED);

    expect(await scene.admitted(5, ['a'])).toBe(2);
    expect(await scene.admitted(5, ['b'])).toBe(2);
    expect(scene.limiter.keys).toBe(2);
  });

  it('names the key in what it says', async () => {
    const scene = new RateLimitScene(KEYED);
    await scene.admitted(2, ['a']);

    const error = (await scene.attempt(['a'])) as RateLimitExceededException;

    expect(error.instanceName).toBe('search[a]');
    expect(error.explanation).toMatch(/^rate limit search\[a\] lets 2 through in 1000 ms, 2 at once: used up/);
    expect(error.details).toMatchObject({ key: 'a' });
    expect(scene.environment.of('refused')).toMatchObject([{ name: 'search[a]' }]);
  });

  it.each([
    ['throws', thrower, 4],
    ['gives undefined', () => undefined as unknown as string, 0],
    ['gives an object', () => ({}) as unknown as string, 4],
  ])('makes calls share one limit, when it %s', async (_, key, reports) => {
    const scene = new RateLimitScene({ ...KEYED, key });

    expect(await scene.admitted(3, ['a'])).toBe(2);
    expect(await scene.attempt(['b'])).toMatchObject({ instanceName: 'search[*]' });
    expect(scene.environment.reports).toHaveLength(reports);
    expect(scene.limiter.keys).toBe(0);
  });

  it('takes a key that is no string by its text', async () => {
    const scene = new RateLimitScene({ ...KEYED, key: (key: unknown) => key as string });

    await scene.admitted(2, [7]);

    expect(await scene.attempt(['7'])).toBeInstanceOf(RateLimitExceededException);
  });

  it('has lines of their own for keys that wait', async () => {
    const scene = new RateLimitScene({ ...KEYED, onLimit: 'queue' });

    scene.burst(2, ['a']);
    scene.burst(3, ['b']);
    await scene.clock.advance(2_000);

    expect(scene.begun.map(({ args, at }) => [...args, at])).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 500],
      ['b', 500],
      ['b', 1_000],
    ]);
  });
});

describe('overrides', () => {
  const OVERRIDES = { vip: 5, slow: { limit: 1, per: 10_000 }, bursty: { limit: 1, burst: 3 }, blocked: 0 };

  it('give named keys limits of their own', async () => {
    const scene = new RateLimitScene({ ...KEYED, overrides: OVERRIDES });

    for (const [key, admitted] of [
      ['vip', 5],
      ['slow', 1],
      ['bursty', 3],
      ['blocked', 0],
      ['other', 2],
    ] as const)
      expect([key, await scene.admitted(9, [key])]).toEqual([key, admitted]);
    expect(await scene.attempt(['slow'])).toMatchObject({ retryAfterMs: 10_000, details: { limit: 1, per: 10_000 } });
    expect(await scene.attempt(['blocked'])).toMatchObject({ retryAfterMs: undefined });
  });

  it('take no room from other keys, and never give way to them', async () => {
    const scene = new RateLimitScene({ ...KEYED, maxKeys: 1, overrides: OVERRIDES });
    await scene.admitted(5, ['vip']);

    await scene.clock.advance(100);
    await scene.admitted(1, ['a']);
    await scene.clock.advance(600);
    await scene.admitted(1, ['b']);

    expect(scene.limiter.keys).toBe(1);
    // 700 of its 1,000 ms have passed.
    expect(await scene.admitted(9, ['vip'])).toBe(3);
  });
});

describe('maxKeys', () => {
  it('lets a key give way whose limit is unused, the longest unused first', async () => {
    const scene = new RateLimitScene({ ...KEYED, maxKeys: 3 });
    for (const key of ['a', 'b', 'c']) {
      await scene.attempt([key]);
      await scene.clock.advance(100);
    }
    // a, first to come, is in use again.
    await scene.clock.advance(400);
    await scene.attempt(['a']);
    await scene.clock.advance(200);

    await scene.admitted(2, ['d']);

    expect(scene.limiter.keys).toBe(3);
    expect(scene.environment.of('keysExhausted')).toEqual([]);
    // b went: it is new, and its bucket full; the others kept what they owe.
    expect(await scene.admitted(9, ['a'])).toBe(1);
    expect(await scene.admitted(9, ['d'])).toBe(0);
  });

  it('makes new keys share one limit while every other one is in use, and says so once a minute', async () => {
    const scene = new RateLimitScene({ ...KEYED, limit: 2, per: 200_000, maxKeys: 2 });
    await scene.admitted(1, ['a']);
    await scene.admitted(1, ['b']);

    expect(await scene.admitted(1, ['c'])).toBe(1);
    expect(await scene.admitted(1, ['d'])).toBe(1);
    expect(await scene.attempt(['e'])).toMatchObject({ instanceName: 'search[*]', retryAfterMs: 100_000 });
    await scene.clock.advance(59_999);
    await scene.attempt(['e']);
    expect(scene.environment.of('keysExhausted')).toMatchObject([
      { name: 'search[*]', policy: 'rateLimit', maxKeys: 2 },
    ]);
    await scene.clock.advance(1);
    await scene.attempt(['e']);

    expect(scene.environment.of('keysExhausted')).toHaveLength(2);
    expect(await scene.admitted(9, ['a'])).toBe(1);
  });

  it('never gives a key its limit back, however many new keys come', async () => {
    const scene = new RateLimitScene({ ...KEYED, limit: 10, per: 100_000, maxKeys: 5 });
    expect(await scene.admitted(20, ['hot'])).toBe(10);

    for (let flood = 0; flood < 500; flood++) await scene.attempt([`random ${flood}`]);

    expect(await scene.attempt(['hot'])).toBeInstanceOf(RateLimitExceededException);
  });

  it('lets a key that finds room begin with what the shared limit owes', async () => {
    const scene = new RateLimitScene({ ...KEYED, limit: 10, per: 1_000, maxKeys: 1 });
    await scene.admitted(1, ['a']);
    expect(await scene.admitted(20, ['b'])).toBe(10);
    await scene.clock.advance(100);

    // a has given way; b has used all that it may already.
    expect(await scene.admitted(20, ['b'])).toBe(1);
  });

  it('keeps a key for which calls wait', async () => {
    const scene = new RateLimitScene({ ...KEYED, onLimit: 'queue', maxKeys: 1 });
    scene.burst(2, ['a']);
    // The timer of the one that waits is late.
    scene.clock.block(2_000);

    scene.call(['b']);
    scene.call(['a']);
    await scene.clock.advance(2_000);

    expect(scene.begun.map(({ args, at }) => [...args, at])).toEqual([
      ['a', 0],
      ['b', 2_000],
      ['a', 2_000],
      ['a', 2_480],
    ]);
  });

  it('holds for many different keys', async () => {
    const scene = new RateLimitScene({ ...KEYED, per: 60_000, maxKeys: 100 });
    const { limiter, clock } = scene;
    const most: number[] = [];
    let refused = 0;
    for (let index = 0; index < 5_000; index++) {
      const call = newCall(scene.environment, { args: [`key ${index}`] });
      if (limiter.admit(call, Infinity) !== undefined) refused++;
      most.push(limiter.keys);
      if (index % 1_000 === 0) await clock.advance(60_000);
    }

    expect(Math.max(...most)).toBe(100);
    expect(refused).toBeGreaterThan(0);
  });
});

describe('a key that finds room while its calls still wait in the bucket of many', () => {
  it('keeps its distance from them, however late they begin', async () => {
    const scene = new RateLimitScene({
      limit: 1,
      per: 7,
      onLimit: 'queue',
      key: (key: string) => key,
      maxKeys: 2,
    });
    for (const key of ['a', 'd', 'd', 'e', 'e', 'e']) scene.call([key]);
    await scene.clock.advance(7);
    scene.call(['e']);
    scene.clock.block(8);
    scene.clock.fireDueTimers();

    await scene.clock.advance(50);

    const times = scene.begun.filter(({ args }) => args[0] === 'e').map(({ at }) => at);
    expect(times).toHaveLength(4);
    for (let one = 1; one < times.length; one++)
      expect((times[one] as number) - (times[one - 1] as number)).toBeGreaterThanOrEqual(7);
  });
});

function thrower(): never {
  throw new Error('no key');
}
