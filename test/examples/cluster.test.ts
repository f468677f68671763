import { expect, it, onTestFinished } from 'vitest';
import { redisMissing, RedisServer } from '../support/servers/redis-server.js';
import { Example, TIMEOUT } from './support/example.js';

const missing = redisMissing();

/** Asks both processes in turn. @returns how many calls each of them let through. */
async function offer(apps: readonly Example[], calls: number): Promise<number[]> {
  const through = apps.map(() => 0);
  for (let call = 0; call < calls; call++) {
    for (const [index, app] of apps.entries()) {
      const { status } = await app.ask('/locate?address=Vienna');
      expect([200, 429]).toContain(status);
      if (status === 200) through[index] = (through[index] ?? 0) + 1;
    }
  }
  return through;
}

const sum = (counts: readonly number[]): number => counts.reduce((one, other) => one + other, 0);

it.skipIf(missing !== undefined)('shares a limit between two processes', { timeout: TIMEOUT }, async () => {
  const redis = await RedisServer.create();
  onTestFinished(() => redis.remove());
  const start = () => Example.start('cluster/main', { REDIS_URL: redis.url });
  const apps = await Promise.all([start(), start()]);

  const before = performance.now();
  const through = sum(await offer(apps, 25));

  // One unit comes back every 3 s.
  const later = Math.ceil((performance.now() - before) / 3_000);
  expect(through).toBeGreaterThanOrEqual(18);
  expect(through).toBeLessThanOrEqual(20 + later);
});

it.skipIf(missing !== undefined)('gives each process half of it without Redis', { timeout: TIMEOUT }, async () => {
  const redis = await RedisServer.create();
  onTestFinished(() => redis.remove());
  await redis.stop('SIGKILL');
  const start = () => Example.start('cluster/main', { REDIS_URL: redis.url });
  const apps = await Promise.all([start(), start()]);

  const before = performance.now();
  const through = await offer(apps, 25);

  const later = Math.ceil((performance.now() - before) / 6_000);
  for (const one of through) {
    expect(one).toBeGreaterThanOrEqual(9);
    expect(one).toBeLessThanOrEqual(10 + later);
  }
});
