import { describe, expect, it } from 'vitest';
import { DataReadOnlyException, DataUnavailableException, type DataWrite } from '../../../../lib/data/index.js';
import { HEARTBEAT_KEY } from '../../../../lib/data/failover/reserved-key.js';
import { collect, FailoverScene } from '../../../support/failover-scene.js';
import { DOWN, MemoryDataService } from '../../../support/memory-data.service.js';
import { errorOf, settle } from '../../../support/settle.js';
import { explained } from '../../../support/explained.js';

/** A replica that has everything at once, as long as nobody stops it. */
function replicaOf(primary: MemoryDataService): MemoryDataService {
  return new MemoryDataService(undefined, primary.store);
}

/** A replica that has what the primary has now. */
function stoppedReplicaOf(primary: MemoryDataService): MemoryDataService {
  return new MemoryDataService(undefined, new Map(primary.store));
}

describe("reads: 'primary'", () => {
  it('reads no standby', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    const data = await scene.open({ standbys: [{ replica }] });
    await data.put('a', 1);
    scene.primary.fault = DOWN;

    expect(await errorOf(data.get('a'))).toBe(DOWN.error);
    await expect(collect(data)).rejects.toBe(DOWN.error);
    expect(replica.operations).toEqual([]);
  });
});

describe("reads: 'fallback'", () => {
  it('reads the primary while it answers', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    const data = await scene.open({ standbys: [{ replica }], reads: 'fallback' });
    await data.put('a', 1);

    expect(await data.get('a')).toBe(1);
    expect(await data.get('b')).toBeUndefined();
    expect(await collect(data)).toEqual([['a', 1]]);
    expect(replica.operations).toEqual([]);
  });

  it('reads the first standby that answers when the primary does not, and writes to none', async () => {
    const scene = new FailoverScene();
    const [down, replica] = [replicaOf(scene.primary), replicaOf(scene.primary)];
    const standbys = [{ replica: down }, { replica }];
    const data = await scene.open({ standbys, reads: 'fallback' });
    await data.put('a', 1);
    scene.primary.fault = down.fault = DOWN;

    expect(await data.get('a')).toBe(1);
    expect((await data.entry('a'))?.version).toBe(scene.primary.store.get('a')?.version);
    expect(await data.get('b')).toBeUndefined();
    expect(await collect(data)).toEqual([['a', 1]]);
    await expect(data.put('a', 2)).rejects.toBe(DOWN.error);
    expect([...down.operations, ...replica.operations].filter((operation) => operation.startsWith('apply'))).toEqual(
      [],
    );
  });

  it('says of all nodes why none can be read', async () => {
    const scene = new FailoverScene();
    const replica = new MemoryDataService();
    const data = await scene.open({ standbys: [{ replica }], reads: 'fallback' });
    scene.primary.fault = DOWN;
    replica.fault = { error: new DataUnavailableException('no route to host') };

    const error = await errorOf(data.get('a'));

    expect(error).toBeInstanceOf(DataUnavailableException);
    expect((error as DataUnavailableException).explanation).toContain('connection refused');
    expect((error as DataUnavailableException).explanation).toContain('no route to host');
  });

  it('never shows from a standby what is older than an own queued write', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    const data = await scene.openQueued({ standbys: [{ replica }], reads: 'fallback' });
    await data.put('a', 'old');
    await data.put('b', 'old');
    await data.put('c', 'old');
    scene.primary.fault = DOWN;

    await data.put('a', 'new');
    await data.delete('b');

    expect(await data.get('a')).toBe('new');
    expect(await data.get('b')).toBeUndefined();
    expect(await data.get('c')).toBe('old');
    expect(await collect(data)).toEqual([
      ['a', 'new'],
      ['c', 'old'],
    ]);
  });

  it('begins with a replica that has nothing yet', async () => {
    const scene = new FailoverScene();
    const replica = { useFactory: () => Promise.reject(new DataReadOnlyException('no table, and no way to make one')) };
    const data = await scene.open({ standbys: [{ replica }], reads: 'fallback' });

    await data.put('a', 1);

    expect(data.status().nodes).toMatchObject([{ state: 'up' }, { name: 'standbys[0]', state: 'down' }]);
  });

  it('begins with a primary that is down', async () => {
    const scene = new FailoverScene();
    const replica = new MemoryDataService();
    await replica.put('a', 1);
    let isUp = false;
    const recipe = {
      useFactory: async () => {
        if (!isUp) throw DOWN.error;
        return scene.primary;
      },
    };
    const data = await scene.open({ primary: recipe, standbys: [{ replica }], reads: 'fallback' });

    expect(data.status().nodes).toMatchObject([{ state: 'down' }, { state: 'up' }]);
    expect(await data.get('a')).toBe(1);
    isUp = true;
    await scene.clock.advance(1_100);
    await data.put('a', 2);

    expect(await data.get('a')).toBe(2);
    expect(data.status().nodes).toMatchObject([{ state: 'up' }, { state: 'up' }]);
  });

  it('gives what a mirror has, and does not take what it lacks for absent', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    await scene.primary.put('unread', 1);
    const data = await scene.open({ standbys: [{ mirror }], reads: 'fallback' });
    await data.put('a', 1);
    await data.put('b', 1);
    await data.delete('b');
    await settle();
    scene.primary.fault = DOWN;

    expect(await data.get('a')).toBe(1);
    expect(await data.get('b')).toBeUndefined();
    await expect(data.get('unread')).rejects.toThrow(explained('has no copy of this key'));
    expect(await collect(data)).toEqual([['a', 1]]);
  });
});

describe('reads: { maxStaleness }', () => {
  it('writes a heartbeat four times in that span, which nobody sees', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    const data = await scene.open({ standbys: [{ replica }], reads: { maxStaleness: 2_000 } });
    await scene.clock.advance(2_000);

    const beats = scene.primary.operations.filter((operation) => operation === `apply ${HEARTBEAT_KEY}`);
    expect(beats.length).toBe(5);
    expect(await collect(data)).toEqual([]);
    await expect(data.get(HEARTBEAT_KEY)).rejects.toThrow(explained('is reserved'));
    await expect(data.put(HEARTBEAT_KEY, 1)).rejects.toThrow(explained('is reserved'));
    await expect(data.delete(HEARTBEAT_KEY)).rejects.toThrow(explained('is reserved'));
    expect(scene.clock.keepingAlive).toBe(0);
  });

  it('reads a replica as long as it lags no further behind', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    const data = await scene.open({ standbys: [{ replica }], reads: { maxStaleness: 2_000 } });
    await data.put('a', 1);
    await scene.clock.advance(600);
    scene.primary.fault = DOWN;

    await scene.clock.advance(1_800);
    expect(await data.get('a')).toBe(1);
    expect(await collect(data)).toEqual([['a', 1]]);
    expect(data.status().nodes[1]?.stalenessMs).toBe(1_900);
    await scene.clock.advance(200);

    await expect(data.get('a')).rejects.toThrow(explained('standbys[0] of failoverData lags too far behind'));
    await expect(collect(data)).rejects.toThrow(DataUnavailableException);
  });

  it('measures the replica, and not the time of the primary', async () => {
    const scene = new FailoverScene();
    const data0 = await scene.open();
    await data0.put('a', 'old');
    const replica = stoppedReplicaOf(scene.primary);
    const data = await scene.open({ standbys: [{ replica }], reads: { maxStaleness: 2_000 } });
    await scene.clock.advance(600);
    await data.put('a', 'new');
    scene.primary.fault = DOWN;

    await expect(data.get('a')).rejects.toThrow(explained('lags too far behind'));
    for (const [key, write] of scene.primary.store) replica.store.set(key, write);
    expect(await data.get('a')).toBe('new');
  });

  it('is not misled by heartbeats of a process whose clock is ahead', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    scene.skew = 3_600_000;
    const ahead = await scene.open({ standbys: [{ replica }], reads: { maxStaleness: 2_000 } });
    scene.skew = 0;
    const stopped = new MemoryDataService();
    const data = await scene.open({ standbys: [{ replica: stopped }], reads: { maxStaleness: 2_000 } });
    await ahead.put('a', 1);
    await scene.clock.advance(2_000);
    stopped.store.set(HEARTBEAT_KEY, scene.primary.store.get(HEARTBEAT_KEY) as DataWrite);
    await scene.clock.advance(1_000);
    scene.primary.fault = DOWN;

    expect(data.status().nodes[1]?.stalenessMs).toBeGreaterThanOrEqual(1_000);
    await scene.clock.advance(1_001);
    await expect(data.get('a')).rejects.toThrow(explained('lags too far behind'));
  });

  it('reads no mirror', async () => {
    const scene = new FailoverScene();
    const [mirror, replica] = [new MemoryDataService(), replicaOf(scene.primary)];
    const data = await scene.open({ standbys: [{ mirror }, { replica }], reads: { maxStaleness: 2_000 } });
    await data.put('a', 1);
    await settle();
    scene.primary.fault = DOWN;
    replica.fault = DOWN;

    await expect(data.get('a')).rejects.toThrow(DataUnavailableException);
    expect(mirror.operations.filter((operation) => !operation.startsWith('apply'))).toEqual([]);
  });
});

describe('entries', () => {
  it('merge the queue in byte order, each key once', async () => {
    const scene = new FailoverScene();
    const breaker = { trip: { name: 'never', shouldTrip: () => false } };
    const data = await scene.openQueued({ breaker });
    for (const key of ['b', 'd', '\ufffd', 'x/1']) await data.put(key, 'stored');
    scene.primary.fault = (operation) => (operation === 'apply' ? DOWN : undefined);
    for (const key of ['a', 'b', 'c', '\u{1f600}', 'x/2']) await data.put(key, 'queued');
    await data.delete('d');

    expect(await collect(data)).toEqual([
      ['a', 'queued'],
      ['b', 'queued'],
      ['c', 'queued'],
      ['x/1', 'stored'],
      ['x/2', 'queued'],
      ['\ufffd', 'stored'],
      ['\u{1f600}', 'queued'],
    ]);
    expect(await collect(data, 'x/')).toEqual([
      ['x/1', 'stored'],
      ['x/2', 'queued'],
    ]);
  });

  it('have a key that is replayed while they are read', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    await data.put('a', 1);
    await data.put('z', 1);
    scene.primary.fault = (operation) => (operation === 'apply' ? DOWN : undefined);
    await data.put('m', 1);
    const reading = data.entries();
    const seen = [(await reading.next()).value?.[0]];
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);
    expect(data.status().queueLength).toBe(0);

    for await (const [key] of reading) seen.push(key);

    expect(seen).toEqual(['a', 'm', 'z']);
  });

  it('end with an error when the primary fails in the middle', async () => {
    const scene = new FailoverScene();
    const replica = replicaOf(scene.primary);
    const data = await scene.open({ standbys: [{ replica }], reads: 'fallback' });
    await data.put('a', 1);
    await data.put('b', 1);
    scene.primary.fault = (operation, key) => (operation === 'next' && key === 'b' ? DOWN : undefined);
    const reading = data.entries();
    await reading.next();

    await expect(reading.next()).rejects.toBe(DOWN.error);
  });
});
