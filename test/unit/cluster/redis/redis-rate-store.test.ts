import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { resolveRedisOptions, type RedisModuleOptions } from '../../../../lib/cluster/redis/redis.options.js';
import { RedisRateStore } from '../../../../lib/cluster/redis/redis-rate-store.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

type Answer = (script: 'take' | 'beat') => unknown;

/** A client of ioredis that answers as the test says. */
class FakeClient extends EventEmitter {
  readonly isCluster = false;
  status = 'connecting';
  /** What it was duplicated with. */
  options: Record<string, unknown> = {};
  readonly commands: unknown[][] = [];
  answer: Answer = (script) => (script === 'beat' ? 3 : ['5', '1500']);

  duplicate(options: Record<string, unknown>): this {
    this.options = options;
    return this;
  }

  /** The connection is there. */
  async connect(): Promise<void> {
    this.status = 'ready';
    this.emit('ready');
    await settle();
  }

  async evalsha(...args: unknown[]): Promise<unknown> {
    this.commands.push(['evalsha', ...args]);
    return this.answer(String(args[2]).endsWith('{processes}') ? 'beat' : 'take');
  }

  async eval(...args: unknown[]): Promise<unknown> {
    this.commands.push(['eval', ...args]);
    return String(args[2]).endsWith('{processes}') ? 3 : ['1', '0'];
  }

  async zrem(...args: unknown[]): Promise<unknown> {
    this.commands.push(['zrem', ...args]);
    return this.answer('beat');
  }

  disconnect(): void {
    this.status = 'end';
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
const REQUEST = { name: 'search', least: 1, want: 5, intervalMs: 2, burst: 80 };

async function setUp(options: RedisModuleOptions = {}) {
  const environment = new TestEnvironment();
  const client = new FakeClient();
  const store = new RedisRateStore(
    resolveRedisOptions({ client: client as unknown as Redis, ...options }),
    environment,
  );
  const opened = track(store.open());
  await settle();
  return { environment, client, store, opened, clock: environment.clock };
}

async function connected(options?: RedisModuleOptions) {
  const scene = await setUp(options);
  await scene.client.connect();
  return scene;
}

/** Three answers that do not come. */
async function goAway({ store, client, clock }: Awaited<ReturnType<typeof setUp>>, answer: Answer = never) {
  client.answer = answer;
  for (let i = 0; i < 3; i++) {
    const result = track(store.take(REQUEST));
    await clock.advance(50);
    expect(result.status).toBe('rejected');
  }
}

describe('RedisRateStore', () => {
  it('duplicates a client, so that nothing waits in it and nothing is sent twice', async () => {
    const { client } = await connected({ commandTimeout: 20 });

    expect(client.options).toMatchObject({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: 40,
      lazyConnect: false,
    });
  });

  it('takes units by a script, in one key', async () => {
    const { client, store } = await connected({ prefix: 'shop' });

    expect(await store.take(REQUEST)).toEqual({ granted: 5, spareMs: 1.5 });

    expect(client.commands.at(-1)).toEqual(['evalsha', expect.any(String), 1, 'shop:{search}', 2_000, 80, 1, 5]);
  });

  it('sends the script where Redis does not know it', async () => {
    const { client, store } = await connected();
    client.answer = () => {
      throw new Error('NOSCRIPT No matching script. Please use EVAL.');
    };

    expect(await store.take(REQUEST)).toEqual({ granted: 1, spareMs: 0 });
    expect(client.commands.at(-1)?.[0]).toBe('eval');
    expect(store.up).toBe(true);
  });

  it('is up when it has answered, knows how many processes live, and tells that it does every 2 s', async () => {
    const { store, client, clock, opened, environment } = await setUp({ expectedProcesses: 7 });
    expect([store.up, store.processes, opened.status]).toEqual([false, 7, 'pending']);

    await client.connect();
    expect([store.up, store.processes, opened.status]).toEqual([true, 3, 'fulfilled']);
    client.answer = () => 5;
    await clock.advance(2_000);

    expect(store.processes).toBe(5);
    expect(client.commands).toHaveLength(2);
    expect(environment.of('store')).toEqual([]);
    expect(clock.keepingAlive).toBe(0);
  });

  it('lets an app start without it, after 500 ms or when it is not reached, and tells why', async () => {
    const hanging = await setUp();
    await hanging.clock.advance(500);
    const refusing = await setUp();
    refusing.client.emit('error', new Error('connect ECONNREFUSED redis://user:s3cret@10.0.0.1:6379'));
    await settle();

    expect([hanging.opened.status, refusing.opened.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(hanging.environment.of('store')).toMatchObject([{ up: false, reason: 'it was not reached' }]);
    expect(refusing.environment.of('store')).toMatchObject([
      {
        store: 'redis',
        up: false,
        name: 'redis',
        policy: 'rateLimit',
        reason: expect.stringContaining('ECONNREFUSED'),
      },
    ]);
    expect(JSON.stringify(refusing.environment.told)).not.toContain('s3cret');
  });

  it('is away after three failures in a row, and asked once a second whether it is back', async () => {
    const scene = await connected();
    const { store, client, clock, environment } = scene;
    await goAway(scene);
    expect(store.up).toBe(false);
    expect(environment.of('store')).toMatchObject([{ up: false, reason: expect.stringContaining('50 ms') }]);

    client.commands.length = 0;
    await clock.advance(3_200);
    expect(client.commands.length).toBeGreaterThanOrEqual(2);
    expect(client.commands.length).toBeLessThanOrEqual(4);
    client.answer = () => 2;
    await clock.advance(1_200);

    expect([store.up, store.processes]).toEqual([true, 2]);
    expect(environment.of('store').map(({ up }) => up)).toEqual([false, true]);
    expect(environment.of('stateChange')).toEqual([]);
  });

  it('is back as soon as the connection is', async () => {
    const scene = await connected();
    await goAway(scene, () => {
      throw new Error('Connection is closed.');
    });
    await scene.clock.advance(600);
    scene.client.answer = () => 2;

    await scene.client.connect();

    expect(scene.store.up).toBe(true);
  });

  it('leaves when it is closed, and leaves no timer behind', async () => {
    const { store, client, clock, environment } = await connected();

    await store.close();
    await expect(store.take(REQUEST)).rejects.toThrow();

    expect(client.commands.at(-1)).toEqual(['zrem', 'bulwark:{processes}', expect.any(String)]);
    expect([client.status, store.up, clock.pending]).toEqual(['end', false, 0]);
    expect(environment.of('store')).toEqual([]);
  });

  it('closes while Redis hangs, or was never there', async () => {
    const hanging = await connected();
    hanging.client.answer = never;
    const closed = track(hanging.store.close());
    await hanging.clock.advance(50);
    const absent = await setUp();
    const closedToo = track(absent.store.close());
    await absent.clock.advance(500);

    expect([closed.status, closedToo.status]).toEqual(['fulfilled', 'fulfilled']);
    expect([hanging.clock.pending, absent.clock.pending]).toEqual([0, 0]);
    expect(absent.environment.of('store')).toEqual([]);
  });
});
