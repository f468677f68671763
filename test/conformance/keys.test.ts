import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  CircuitOpenException,
  ResilienceService,
  type CircuitBreakerOptions,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deferred, pass, settle } from '../composition/scene.js';
import { quietly, type Work } from './support/plain-opossum.js';
import { startQuietApp } from './support/quiet-app.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const DOWN = new Error('down');
const succeed: Work = () => Promise.resolve('done');
const fail: Work = () => Promise.reject(DOWN);

/** A method with one breaker for each tenant. */
async function tenants(options: CircuitBreakerOptions = {}) {
  @Injectable()
  class Client {
    @CircuitBreaker('tenants', {
      timeout: false,
      volumeThreshold: 2,
      resetTimeout: 10_000,
      resetJitter: 0,
      key: (key: string) => key,
      ...options,
    })
    async call(_key: string, work: Work): Promise<unknown> {
      return work();
    }
  }
  const app = await startQuietApp([Client]);
  const client = app.get(Client);
  const service = app.get(ResilienceService);
  const call = (key: string, work: Work = succeed): Promise<unknown> => client.call(key, work);
  const trip = async (key: string): Promise<void> => {
    for (let time = 0; time < 2; time++) await quietly(call(key, fail));
  };
  const use = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await call(key);
  };
  /** The keys that have a breaker. */
  const kept = (): string[] =>
    service
      .circuitBreakers()
      .map(({ name }) => /^tenants\[(.*)\]$/.exec(name)?.[1] ?? name)
      .filter((key) => key !== '*')
      .sort();
  return { service, call, trip, use, kept, overflow: () => service.circuitBreaker('tenants').stats };
}

it('finds the breaker of a key that is longer than 512 bytes, which is kept as its hash', async () => {
  const { service, trip, call } = await tenants();
  const long = 'x'.repeat(100_000);
  await trip(long);

  const breaker = service.circuitBreaker('tenants', long);
  expect(breaker.name).toMatch(/^tenants\[sha256:[0-9a-f]{64}\]$/);
  expect(breaker.state).toBe('open');
  await expect(call(long)).rejects.toThrow(CircuitOpenException);
  await expect(call(`${long}y`)).resolves.toBe('done');
  breaker.forceClose();
  await expect(call(long)).resolves.toBe('done');
});

it('has a breaker for each key, named after both, when calls differ in their key', async () => {
  const { service, call, trip } = await tenants();

  await trip('a');
  await call('b');

  expect(service.circuitBreakers().map(({ name, state }) => `${name} ${state}`)).toEqual(
    expect.arrayContaining(['tenants[a] open', 'tenants[b] closed']),
  );
  expect(service.circuitBreaker('tenants', 'a').name).toBe('tenants[a]');
  expect(service.circuitBreaker('tenants', 'b').stats).toMatchObject({ fires: 1, successes: 1 });
  await expect(call('a')).rejects.toMatchObject({ instanceName: 'tenants[a]' });
  await expect(call('b')).resolves.toBe('done');
});

it('lets the key go that was not used for longest, when there is no room for a new one', async () => {
  const { use, kept } = await tenants({ maxKeys: 3 });

  await use('a', 'b', 'c', 'a', 'd');

  expect(kept()).toEqual(['a', 'c', 'd']);
});

it('does not take a look at a handle for a use, when a key has to go', async () => {
  const { service, use, kept } = await tenants({ maxKeys: 2 });
  await use('a', 'b');

  const { state } = service.circuitBreaker('tenants', 'a');
  await use('c');

  expect(state).toBe('closed');
  expect(kept()).toEqual(['b', 'c']);
});

it('keeps an open key within its reset time and lets it go after that, when it is the oldest', async () => {
  const { trip, use, kept } = await tenants({ maxKeys: 2 });
  await trip('open');
  await use('b', 'c');
  const within = kept();
  await pass(10_000);
  await use('c');

  await use('d');

  expect(within).toEqual(['c', 'open']);
  expect(kept()).toEqual(['c', 'd']);
});

it.each([
  {
    what: 'is forced open',
    hold: async ({ service }: Tenants) => service.circuitBreaker('tenants', 'old').forceOpen(),
  },
  { what: 'is disabled', hold: async ({ service }: Tenants) => service.circuitBreaker('tenants', 'old').disable() },
  {
    what: 'has a call in flight',
    hold: async ({ call }: Tenants) => void call('old', () => new Deferred().promise),
  },
  {
    what: 'has a probe running',
    hold: async ({ call, trip }: Tenants) => {
      await trip('old');
      await pass(10_000);
      void quietly(call('old', () => new Deferred().promise));
    },
  },
])('keeps the oldest key, when it $what', async ({ hold }) => {
  const all = await tenants({ maxKeys: 2 });
  await all.use('old');
  await hold(all);
  await pass(10_000);

  await all.use('b', 'c', 'd');

  expect(all.kept()).toEqual(['d', 'old']);
});

it.each([7, 8, 9, 50])('finds the oldest key that can go, when %i older ones are open', async (open) => {
  const { trip, use, kept, overflow } = await tenants({ maxKeys: open + 2 });
  for (let key = 0; key < open; key++) await trip(`open ${key}`);
  await use('older', 'newer');

  await use('new');

  expect(kept()).not.toContain('older');
  expect(kept()).toContain('newer');
  expect(kept()).toContain('new');
  expect(overflow().fires).toBe(0);
});

it('lets the older key go first, when it was once passed over because it was open', async () => {
  const { trip, use, kept } = await tenants({ maxKeys: 2 });
  await trip('first');
  await use('second', 'third');
  await pass(10_000);

  await use('fourth');

  expect(kept()).toEqual(['fourth', 'third']);
});

it('lets the calls of new keys pass unjudged and counts them under the name, when no key can go', async () => {
  const { service, call, trip, kept, overflow } = await tenants({ maxKeys: 2 });
  await trip('a');
  await trip('b');

  const results: unknown[] = [];
  for (let time = 0; time < 20; time++) results.push(await call(`new ${time % 5}`));
  for (let time = 0; time < 20; time++) await expect(call('failing', fail)).rejects.toBe(DOWN);

  expect(results).toEqual(new Array(20).fill('done'));
  expect(kept()).toEqual(['a', 'b']);
  expect(service.circuitBreaker('tenants').name).toBe('tenants[*]');
  expect(overflow()).toMatchObject({ fires: 40, successes: 20, failures: 20, rejects: 0 });
  await expect(call('a')).rejects.toBeInstanceOf(CircuitOpenException);
});

it.each([
  {
    how: 'is closed by hand',
    free: async ({ service }: Tenants) => service.circuitBreaker('tenants', 'a').forceClose(),
  },
  { how: 'comes to the end of its reset time', free: async () => void (await pass(10_000)) },
  { how: 'ends its last call', free: async (_: Tenants, running: Deferred) => running.resolve('done') },
])('has room for a new key again, when there was none and another $how', async ({ how, free }) => {
  const all = await tenants({ maxKeys: 1 });
  const running = new Deferred();
  if (how.startsWith('ends')) void quietly(all.call('a', () => running.promise));
  else await all.trip('a');
  await all.use('turned away', 'turned away too');
  const before = all.kept();

  await free(all, running);
  await settle();
  await all.use('new');

  expect(before).toEqual(['a']);
  expect(all.kept()).toEqual(['new']);
});

it('tells once a minute that the keys are exhausted, when new ones keep coming', async () => {
  const { service, use, trip } = await tenants({ maxKeys: 1, resetTimeout: 3_600_000 });
  const told: ResilienceEvent[] = [];
  service.events$.subscribe((event) => void (event.type === 'keysExhausted' && told.push(event)));
  await trip('open');
  const begin = Date.now();

  for (let second = 0; second < 180; second++) {
    await use(`new ${second}`, `newer ${second}`);
    await pass(1_000);
  }

  expect(told.map(({ at }) => at - begin)).toEqual([0, 60_000, 120_000]);
  expect(told[0]).toMatchObject({ name: 'tenants[*]', policy: 'circuitBreaker', maxKeys: 1 });
});

it('lets a call pass unjudged, when the key function throws', async () => {
  const { call, kept, overflow } = await tenants({
    key: () => {
      throw new Error('no tenant');
    },
  });

  for (let time = 0; time < 20; time++) await expect(call('any', fail)).rejects.toBe(DOWN);

  expect(kept()).toEqual([]);
  expect(overflow()).toMatchObject({ failures: 20, rejects: 0 });
});

it('keeps the latencies of the name, when one of its keys is reset, closed or recovers', async () => {
  const { service, call, trip } = await tenants();
  const slow = call('a', () => new Promise((resolve) => setTimeout(resolve, 100)));
  await pass(100);
  await slow;
  await trip('b');

  service.circuitBreaker('tenants', 'b').reset();
  await trip('b');
  service.circuitBreaker('tenants', 'b').forceClose();

  expect(service.circuitBreaker('tenants', 'a').stats.percentiles[1]).toBeGreaterThan(91);
  expect(service.circuitBreaker('tenants').stats.percentiles[1]).toBeGreaterThan(91);
});

it('begins anew, when a key comes back that had to go', async () => {
  const { service, call, trip, use } = await tenants({ maxKeys: 1 });
  await trip('a');
  await pass(10_000);
  await use('b');

  await quietly(call('a', fail));
  await settle();

  expect(service.circuitBreaker('tenants', 'a').stats).toMatchObject({ fires: 1, failures: 1 });
  expect(service.circuitBreaker('tenants', 'a').state).toBe('closed');
});

type Tenants = Awaited<ReturnType<typeof tenants>>;
