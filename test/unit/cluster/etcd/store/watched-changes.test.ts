import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EtcdChange } from '../../../../../lib/cluster/etcd/store/etcd-change.js';
import { WatchedChanges } from '../../../../../lib/cluster/etcd/store/watched-changes.js';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { settle } from '../../../../support/settle.js';

let etcd: FakeEtcd;
let changes: WatchedChanges;
const ended = vi.fn();

beforeEach(async () => {
  ended.mockClear();
  etcd = new FakeEtcd(50);
  await etcd.put('app/jobs/1', 'one');
  await etcd.put('app/other', 'not meant');
  changes = new WatchedChanges(etcd.client, 'app/', 'jobs/', ended);
  return () => changes.return();
});

const next = async (): Promise<EtcdChange | undefined> => (await changes.next()).value;

describe('the changes under a prefix', () => {
  it('begin with what is there, and go on with what happens, by keys without the root', async () => {
    const first = await next();
    const second = next();
    await settle();
    const revision = await etcd.put('app/jobs/2', 'two');
    const seen = [first, await second];
    await etcd.delete('app/jobs/1');

    expect([...seen, await next()]).toEqual([
      { type: 'put', key: 'jobs/1', value: 'one', revision: '2' },
      { type: 'put', key: 'jobs/2', value: 'two', revision },
      { type: 'delete', key: 'jobs/1', value: undefined, revision: etcd.revision },
    ]);
  });

  it('give a slow consumer the newest state of each key, in the order in which the keys first changed', async () => {
    await next();
    await settle();
    for (const value of ['a', 'b', 'c']) {
      await etcd.put('app/jobs/2', value);
      await etcd.put('app/jobs/1', value);
    }

    expect([await next(), await next()]).toMatchObject([
      { key: 'jobs/2', value: 'c' },
      { key: 'jobs/1', value: 'c' },
    ]);
  });

  it('never tell of a key that came and went unread', async () => {
    await next();
    await settle();
    for (let index = 0; index < 1_000; index++) {
      await etcd.put(`app/jobs/new-${index}`, 'short');
      await etcd.delete(`app/jobs/new-${index}`);
    }
    await etcd.delete('app/jobs/1');

    expect(await next()).toMatchObject({ type: 'delete', key: 'jobs/1' });
  });

  it('end at once for whoever waits, and let go of the watch', async () => {
    await next();
    const waiting = changes.next();
    await settle();
    expect(etcd.watches).toBe(1);

    const end = await changes.return();
    await settle();

    expect([end, await waiting, await changes.next()]).toEqual(Array(3).fill({ done: true, value: undefined }));
    expect(etcd.watches).toBe(0);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('ask nothing of etcd before they are read', () => {
    expect(etcd.watches).toBe(0);
  });
});
