import { describe, expect, it } from 'vitest';
import { usedBytes } from '../../../conformance/support/memory.js';
import { newCall } from '../../../support/calls.js';
import { RateLimitScene } from './rate-limit.scene.js';

const KEYED = { limit: 2, per: 1_000, key: (key: string) => key } as const;

describe('maxKeys', () => {
  it('holds for 1,000,000 different keys, in memory too', { timeout: 240_000 }, async () => {
    const scene = new RateLimitScene({ ...KEYED, per: 60_000, maxKeys: 1_000 });
    const before = usedBytes();
    const { limiter, clock } = scene;
    let refused = 0;
    for (let index = 0; index < 1_000_000; index++) {
      const call = newCall(scene.environment, { args: [`key ${index}`] });
      if (limiter.admit(call, Infinity) !== undefined) refused++;
      if (index % 1_000 === 0) {
        expect(limiter.keys).toBeLessThanOrEqual(1_000);
        await clock.advance(index % 10_000 === 0 ? 60_000 : 1);
        scene.environment.told.length = 0;
      }
    }

    expect(limiter.keys).toBe(1_000);
    expect(refused).toBeGreaterThan(0);
    // A thousand keys are some hundreds of KiB; a million would be hundreds of MiB.
    expect(usedBytes() - before).toBeLessThan(8 * 2 ** 20);
  });
});

describe('a flood of keys', () => {
  it('leaves nothing behind, when it is over', async () => {
    const scene = new RateLimitScene({ ...KEYED, maxKeys: 100_000 });
    const { clock } = scene.environment;
    for (let one = 0; one < 20_000; one++) await scene.attempt([`key ${one}`]);
    expect(scene.limiter.keys).toBe(20_000);

    await clock.advance(5_000);

    expect(scene.limiter.keys).toBeLessThanOrEqual(1_000);
    expect(clock.pending).toBe(0);
  });
});
