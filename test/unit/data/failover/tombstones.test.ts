import { describe, expect, it } from 'vitest';
import { collect, FailoverScene } from '../../../support/failover-scene.js';
import { DOWN, MemoryDataService } from '../../../support/memory-data.service.js';
import { settle } from '../../../support/settle.js';

const DAY = 24 * 60 * 60 * 1_000;

describe('a tombstone', () => {
  it.each([
    [DAY, {}],
    [60_000, { tombstones: 60_000 }],
  ])('stays for %d ms, and goes when a read comes by it', async (age, options) => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    const data = await scene.open({ ...options, standbys: [{ mirror }] });
    await data.put('a', 1);
    await data.put('b', 1);
    await data.put('c', 1);
    await data.delete('a');
    await data.delete('b');

    scene.clock.block(age - 1);
    expect(await data.get('a')).toBeUndefined();
    expect(await collect(data)).toEqual([['c', 1]]);
    await settle();
    expect([...scene.primary.store.keys()]).toEqual(['a', 'b', 'c']);

    scene.clock.block(1);
    expect(await data.get('a')).toBeUndefined();
    await settle();
    expect([...scene.primary.store.keys()]).toEqual(['b', 'c']);
    expect(await collect(data)).toEqual([['c', 1]]);
    await settle();
    expect([...scene.primary.store.keys()]).toEqual(['c']);
    expect([...mirror.store.keys()]).toEqual(['c']);
  });

  it('stays when the primary does not let it go, and is no trouble to the read', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    await data.delete('a');
    scene.clock.block(2 * DAY);
    scene.primary.fault = (operation) => (operation === 'forget' ? DOWN : undefined);

    expect(await data.get('a')).toBeUndefined();
    await settle();

    expect([...scene.primary.store.keys()]).toEqual(['a']);
  });

  it('of a queued delete stays until the primary has it, however long that takes', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    await data.put('a', 1);
    scene.primary.fault = DOWN;
    await data.delete('a');
    scene.clock.block(2 * DAY);
    await data.close();
    const later = await scene.openQueued();
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);

    expect(await later.get('a')).toBeUndefined();
  });
});
