import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EtcdClient } from '../../../lib/cluster/etcd/client/etcd-client.js';
import type { EtcdChange } from '../../../lib/cluster/etcd/store/etcd-change.js';
import { EtcdDataService } from '../../../lib/cluster/etcd/data/etcd-data.service.js';
import { WatchedChanges } from '../../../lib/cluster/etcd/store/watched-changes.js';
import { EtcdServer, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { until } from '../../support/until.js';

const missing = etcdMissing();

/** A server, a client, and what a watch of `app/jobs/` has told so far. */
async function setUp() {
  const server = await EtcdServer.create();
  onTestFinished(() => server.remove());
  const client = new EtcdClient({ hosts: server.host() });
  onTestFinished(() => client.close());
  const changes = new WatchedChanges(client, 'app/', 'jobs/', () => undefined);
  onTestFinished(async () => void (await changes.return()));
  const told: EtcdChange[] = [];
  const reading = (async () => {
    for await (const change of changes) told.push(change);
  })();
  const brief = (): string[] => told.map(({ type, key, value }) => `${type} ${key} ${value ?? ''}`.trim());
  return { server, client, changes, told, reading, brief };
}

describe.skipIf(missing !== undefined)('a watch of a real etcd', () => {
  it('tells what is there and what changes, and ends', async () => {
    const { client, changes, reading, brief } = await setUp();
    await client.put('app/jobs/1', 'one');
    await until('the first', () => brief().length === 1);
    await client.put('app/jobs/2', 'two');
    await client.delete('app/jobs/1');
    await until('all', () => brief().length === 3);

    await changes.return();
    await reading;

    expect(brief()).toEqual(['put jobs/1 one', 'put jobs/2 two', 'delete jobs/1']);
  });

  it('goes on after the server was away, and tells what happened meanwhile, although it is compacted', async () => {
    const { server, client, told, brief } = await setUp();
    await client.put('app/jobs/1', 'one');
    await client.put('app/jobs/2', 'two');
    await until('both', () => brief().length === 2);
    await server.pause();
    await delay(50);
    await server.stop('SIGKILL');
    await server.start();
    // Another client, since this one may still wait to reconnect.
    const other = new EtcdClient({ hosts: server.host() });
    onTestFinished(() => other.close());
    await other.delete('app/jobs/1');
    await other.put('app/jobs/2', 'two again');
    const revision = await other.put('app/jobs/3', 'three');
    await server.call('kv/compaction', { revision });

    await until('all', () => brief().length === 5);

    expect(brief().slice(2).sort()).toEqual(['delete jobs/1', 'put jobs/2 two again', 'put jobs/3 three']);
    expect(told.at(-1)?.revision).toMatch(/^\d+$/);
  });

  it('passes over keys that are no text, also where a page ends with one', async () => {
    const { server, client, brief } = await setUp();
    const put = (key: Buffer): Promise<unknown> =>
      server.call('kv/put', { key: key.toString('base64'), value: Buffer.from('x').toString('base64') });
    const foreign = (i: number): Buffer => Buffer.concat([Buffer.from('app/jobs/'), Buffer.from([0xff, i])]);
    for (let i = 0; i < 20; i++) await put(foreign(i));
    await client.put('app/jobs/1', 'one');
    await until('the first', () => brief().length === 1);
    await put(foreign(20));
    await client.put('app/jobs/2', 'two');
    await until('the second', () => brief().length === 2);

    const { entries } = await client.list('app/jobs/');

    expect(entries.map(({ key }) => key)).toEqual(['app/jobs/1', 'app/jobs/2']);
    expect(brief()).toEqual(['put jobs/1 one', 'put jobs/2 two']);
  });

  it('of data passes over keys that are no text', async () => {
    const { server } = await setUp();
    const data = await EtcdDataService.open({ hosts: server.host(), prefix: 'app/' });
    onTestFinished(() => data.close());
    await data.put('a', 1);
    for (let i = 0; i < 20; i++)
      await server.call('kv/put', {
        key: Buffer.concat([Buffer.from('app/data/'), Buffer.from([0xff, i])]).toString('base64'),
        value: Buffer.from('2').toString('base64'),
      });

    const read: [string, unknown][] = [];
    for await (const entry of data.entries()) if (read.push(entry) > 30) break;

    expect(read).toEqual([['a', 1]]);
  });
});
