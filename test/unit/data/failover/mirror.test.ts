import { describe, expect, it } from 'vitest';
import { DataRejectedException } from '../../../../lib/data/index.js';
import { collect, FailoverScene } from '../../../support/failover-scene.js';
import { DOWN, MemoryDataService } from '../../../support/memory-data.service.js';
import { settle } from '../../../support/settle.js';

describe('a mirror', () => {
  it('gets what is read and what is written, with its versions', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    for (const key of ['read', 'listed/1', 'other']) await scene.primary.put(key, 1);
    const data = await scene.open({ standbys: [{ mirror }] });

    await data.get('read');
    await collect(data, 'listed/');
    await data.put('written', 1);
    await data.put('deleted', 1);
    await data.delete('deleted');
    await settle();

    const { other, ...expected } = Object.fromEntries(scene.primary.store);
    expect(other).toBeDefined();
    expect(Object.fromEntries(mirror.store)).toEqual(expected);
  });

  it('gets a queued write once the primary has it', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    const data = await scene.openQueued({ standbys: [{ mirror }] });
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    await settle();
    expect(mirror.store.size).toBe(0);
    scene.primary.fault = undefined;

    await scene.clock.advance(3_000);

    expect(mirror.store.get('a')).toEqual(scene.primary.store.get('a'));
  });

  it('holds up nobody, and gets the last write of each key when it is back', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    mirror.fault = 'hangs';
    const data = await scene.open({ standbys: [{ mirror }] });
    for (let i = 1; i <= 100; i++) await data.put(`k${i % 10}`, i);

    expect(data.status().nodes[1]).toMatchObject({ name: 'standbys[0]', role: 'mirror', pending: 10 });
    mirror.fault = undefined;
    await scene.clock.advance(10_000);

    expect(mirror.store.get('k0')?.text).toBe('100');
    expect(mirror.store.size).toBe(10);
    expect(data.status().nodes[1]?.pending).toBe(0);
  });

  it('is asked once for what is read often', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    const data = await scene.open({ standbys: [{ mirror }] });
    await data.put('a', 1);
    await settle();
    for (let i = 0; i < 10; i++) {
      await data.get('a');
      await settle();
    }

    expect(mirror.operations).toEqual(['apply a']);
  });

  it('takes no more memory than it may, and tells what it lost', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    mirror.fault = 'hangs';
    const data = await scene.open({ standbys: [{ mirror, maxPendingBytes: 1_100 }] });
    await data.put('a', 'x'.repeat(400));
    await data.put('b', 'x'.repeat(400));
    await data.put('c', 'x');
    await data.put('c', 'y');

    expect(scene.of('mirrorOverflow')).toMatchObject([{ node: 'standbys[0]', key: 'b', dropped: 1 }]);
    expect(data.status().nodes[1]?.pending).toBe(2);
  });

  it('may hold 16 MiB in memory by default', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    mirror.fault = 'hangs';
    const data = await scene.open({ standbys: [{ mirror }] });
    const value = 'x'.repeat(1024 * 1024 - 200);
    for (let i = 0; i < 9; i++) await data.put(`k${i}`, value);

    expect(scene.of('mirrorOverflow')).toMatchObject([{ key: 'k8' }]);
  });

  it('goes on after a write that it refuses for good', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    mirror.fault = (_, key) => (key === 'bad' ? { error: new DataRejectedException('too long') } : undefined);
    const data = await scene.open({ standbys: [{ mirror }] });

    await data.put('bad', 1);
    await data.put('good', 1);
    await settle();

    expect([...mirror.store.keys()]).toEqual(['good']);
    expect(scene.of('rejected')).toMatchObject([{ node: 'standbys[0]', key: 'bad' }]);
  });

  it('gets at the end what still waits for it', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    const data = await scene.open({ standbys: [{ mirror }] });
    await Promise.all(Array.from({ length: 50 }, (_, i) => data.put(`k${i}`, i)));

    await data.close();

    expect(mirror.store.size).toBe(50);
  });
});
