import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EtcdCluster, etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';

const missing = etcdMissing();
const KEY = Buffer.from('a').toString('base64');
const put = (server: EtcdServer, value: string): Promise<unknown> =>
  server.call('kv/put', { key: KEY, value: Buffer.from(value).toString('base64') });
const get = async (server: EtcdServer): Promise<string | undefined> => {
  const { kvs } = (await server.call('kv/range', { key: KEY })) as { kvs?: { value: string }[] };
  return kvs?.[0] && Buffer.from(kvs[0].value, 'base64').toString();
};

describe.skipIf(missing)('etcd, a server of its own', () => {
  let server: EtcdServer;

  beforeAll(async () => {
    server = await EtcdServer.create();
  });
  afterAll(() => server?.remove());

  it('keeps its data when it is stopped, killed, and paused', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await put(server, signal);
      await server.stop(signal);
      await expect(server.call('kv/range', { key: KEY })).rejects.toThrow();
      await server.start();
      expect(await get(server)).toBe(signal);
    }
    await server.pause();
    const answer = get(server);
    await server.resume();

    expect(await answer).toBe('SIGKILL');
  });
});

describe.skipIf(missing)('etcd, a cluster of its own', () => {
  let cluster: EtcdCluster;

  beforeAll(async () => {
    cluster = await EtcdCluster.create();
  });
  afterAll(() => cluster?.remove());

  it('has another leader when the first is killed, or paused, and goes on', async () => {
    expect(cluster.hosts.length).toBe(3);
    const first = await cluster.leader();
    await put(cluster.members[first]!, 'first');
    await cluster.kill(first);
    const second = await cluster.leader();
    expect(second).not.toBe(first);
    expect(await get(cluster.members[second]!)).toBe('first');
    await cluster.restart(first);

    await cluster.pause(second);
    const third = await cluster.leader();
    expect(third).not.toBe(second);
    await put(cluster.members[third]!, 'third');
    await cluster.resume(second);

    await expect.poll(() => get(cluster.members[second]!).catch(String)).toBe('third');
  });
});
