import { Injectable } from '@nestjs/common';
import { CircuitBreaker, ResilienceService } from 'nestjs-bulwark';
import { afterEach, expect, it, vi } from 'vitest';
import { pick, seededRandom } from '../support/seeded-random.js';
import { timersMadeBy, usedBytes } from './support/memory.js';
import { startQuietApp } from './support/quiet-app.js';

/** The contract names 1,000,000 keys; `BULWARK_KEYS=1000000` runs them all. */
const KEYS = Number(process.env['BULWARK_KEYS'] ?? 100_000);
const MAX_KEYS = 1_000;
const DOWN = new Error('down');

afterEach(() => {
  vi.useRealTimers();
});

it(
  `keeps to ${MAX_KEYS} breakers and never refuses a healthy new key, when ${KEYS} keys come and nearly all fail 20 times`,
  { timeout: 60_000 + KEYS * 0.5 },
  async () => {
    vi.useFakeTimers();
    @Injectable()
    class Client {
      @CircuitBreaker('tenants', {
        timeout: false,
        key: (key: string) => key,
        maxKeys: MAX_KEYS,
        resetTimeout: 30_000,
      })
      async call(_key: string, healthy: boolean): Promise<void> {
        if (!healthy) throw DOWN;
      }
    }
    const app = await startQuietApp([Client]);
    const client = app.get(Client);
    const service = app.get(ResilienceService);
    const seen = { refused: 0, unjudged: 0, refusedThoughHealthy: 0, most: 0 };

    for (let key = 0; key < KEYS; key++) {
      const healthy = key % 10 === 9;
      for (let time = 0; time < 20; time++) {
        try {
          await client.call(`key ${key}`, healthy);
        } catch (error) {
          if (healthy) seen.refusedThoughHealthy++;
          else if (error !== DOWN) seen.refused++;
        }
      }
      // 50 keys a second: more are open at once than there is room for.
      vi.advanceTimersByTime(20);
      if (key % 1_000 !== 999) continue;
      seen.most = Math.max(seen.most, service.circuitBreakers().length);
      seen.unjudged += service.circuitBreaker('tenants').stats.fires;
    }

    expect(seen.refusedThoughHealthy).toBe(0);
    expect(seen.most).toBeGreaterThan(MAX_KEYS * 0.9);
    expect(seen.most).toBeLessThanOrEqual(MAX_KEYS + 1);
    // Both happen: keys with a breaker are refused after ten failures, keys without pass unjudged.
    expect(seen.refused).toBeGreaterThan(KEYS);
    expect(seen.unjudged).toBeGreaterThan(0);
  },
);

it(
  'has a flat heap and no timer, when 1,000,000 calls of which 5 % fail go through 10,000 keys',
  { timeout: 120_000 },
  async () => {
    @Injectable()
    class Client {
      @CircuitBreaker({ timeout: false, key: (key: string) => key, maxKeys: 10_000 })
      async call(_key: string, fails: boolean): Promise<void> {
        if (fails) throw DOWN;
      }
    }
    const app = await startQuietApp([Client]);
    const client = app.get(Client);
    const random = seededRandom(7);
    const keys = Array.from({ length: 10_000 }, (_, index) => `key ${index}`);
    const run = async (calls: number): Promise<void> => {
      for (let call = 0; call < calls; call++) {
        try {
          await client.call(keys[pick(random, keys.length)] as string, random() < 0.05);
        } catch {
          // Every twentieth fails.
        }
      }
    };
    await run(100_000);
    const before = usedBytes();

    const timers = await timersMadeBy(() => run(900_000));

    // Whoever asks for the breakers makes their faces: what calls have left behind is counted before.
    const grown = usedBytes() - before;
    expect(app.get(ResilienceService).circuitBreakers()).toHaveLength(10_000);
    expect(grown).toBeLessThan(1_048_576);
    expect(timers).toBe(0);
  },
);
