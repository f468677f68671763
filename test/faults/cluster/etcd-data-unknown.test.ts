import { DataConflictException, DataUnavailableException } from 'nestjs-bulwark/data';
import { DataFencedException, EtcdDataService } from 'nestjs-bulwark/etcd';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { explained } from '../../support/explained.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';
import { TcpProxy } from '../../support/servers/tcp-proxy.js';

interface StoredKey {
  readonly version: string;
  readonly create_revision: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe.skipIf(etcdMissing())('a write of etcdData whose answer does not come', () => {
  let server: EtcdServer;
  let proxy: TcpProxy;
  let prefix = '';
  let scenes = 0;
  /** Through the proxy alone. */
  let data: EtcdDataService;
  /** Past it. */
  let other: EtcdDataService;

  const stored = async (key: string): Promise<StoredKey | undefined> => {
    const { kvs } = (await server.call('kv/range', { key: base64(key) })) as { kvs?: StoredKey[] };
    return kvs?.[0];
  };
  const guards = (): object => ({
    key: base64(`${prefix}data-guards/`),
    range_end: base64(`${prefix}data-guards0`),
  });
  /** One whose first member is behind the proxy, and whose second is not. */
  const openBoth = async (): Promise<EtcdDataService> => {
    for (;;) {
      const both = await EtcdDataService.open({ hosts: [server.host(proxy.port), server.host()], prefix });
      // Which one it begins with is chance.
      if (await goesThrough(both)) return both;
      await both.close();
    }
  };
  const goesThrough = async (service: EtcdDataService): Promise<boolean> => {
    proxy.fault = { type: 'delay', ms: 100 };
    const begin = performance.now();
    await service.get('a');
    proxy.fault = { type: 'pass' };
    return performance.now() - begin > 100;
  };

  beforeAll(async () => {
    server = await EtcdServer.create();
  });
  afterAll(() => server?.remove());

  beforeEach(async () => {
    prefix = `scene-${(scenes += 1)}/`;
    proxy = await TcpProxy.to(server.port);
    data = await EtcdDataService.open({ hosts: server.host(proxy.port), prefix, timeout: 3_000 });
    other = await EtcdDataService.open({ hosts: server.host(), prefix });
  });
  afterEach(async () => {
    proxy.fault = { type: 'pass' };
    await Promise.all([data.close(), other.close()]);
    await proxy.close();
  });

  it('is made at another member, once that one is asked in vain', async () => {
    const both = await openBoth();
    proxy.fault = { type: 'blackHole' };

    await both.put('a', 1);
    expect(await both.get('a')).toBe(1);
    await both.close();
  });

  it('is not repeated where it depends on a version, and the error says that nobody knows', async () => {
    await data.put('a', 1);
    const { version } = (await data.entry('a'))!;
    proxy.fault = { type: 'halfOpen' };

    await expect(data.put('a', 2, { ifVersion: version })).rejects.toThrow(
      explained(/may or may not have been: .*DEADLINE/i),
    );
    proxy.fault = { type: 'pass' };
    expect(await other.get('a')).toBe(2);
    expect(await stored(`${prefix}data/a`)).toMatchObject({ version: '2' });
    await expect(data.put('a', 3, { ifVersion: version })).rejects.toThrow(DataConflictException);
  });

  it('is an error within its time, when no member answers', async () => {
    await server.pause();
    const begin = performance.now();

    await expect(data.put('a', 1)).rejects.toThrow(DataUnavailableException);
    await expect(data.get('a')).rejects.toThrow(DataUnavailableException);
    expect(performance.now() - begin).toBeLessThan(9_000);
    await server.resume();
    await data.put('a', 2);
    expect(await data.get('a')).toBe(2);
  });

  it.each(['put', 'delete'] as const)('is never applied after a later one that was acknowledged: %s', async (late) => {
    const both = await openBoth();
    await both.put('a', 0);
    proxy.fault = { type: 'delay', ms: 3_000 };
    const before = (await stored(`${prefix}data/a`))!.version;

    if (late === 'put') await both.put('a', 1);
    else expect(await both.delete('a')).toBe(true);
    await both.put('a', 2);
    // Longer than the first try is on its way.
    await new Promise((resolve) => setTimeout(resolve, 3_000));

    expect(await other.get('a')).toBe(2);
    expect((await stored(`${prefix}data/a`))!.version).toBe(late === 'put' ? String(Number(before) + 2) : '1');
    await both.close();
  });

  it.each(['key', 'lease'])('is made under a new guard, when the %s of that of the service is gone', async (what) => {
    await data.put('a', 1);
    if (what === 'key') await server.call('kv/deleterange', guards());
    const { leases } = (await server.call('lease/leases')) as { leases: { ID: string }[] };
    if (what === 'lease') await Promise.all(leases.map(({ ID }) => server.call('lease/revoke', { ID })));
    expect(await server.call('kv/range', guards())).not.toHaveProperty('kvs');

    await data.put('a', 2, { ifVersion: (await data.entry('a'))!.version });
    expect(await data.get('a')).toBe(2);
    expect(await data.delete('a')).toBe(true);
  });

  it('leaves no guard behind, once the service is closed', async () => {
    await data.put('a', 1);
    await data.close();

    expect(await server.call('kv/range', guards())).not.toHaveProperty('kvs');
  });

  it('is refused when the leadership that it names has ended', async () => {
    const key = `${prefix}leaders/nightly`;
    await server.call('kv/put', { key: base64(key), value: '' });
    const fence = { key, createRevision: (await stored(key))!.create_revision };
    await data.put('a', 1, { fence });
    await data.put('a', 2, { fence, ifVersion: (await data.entry('a'))!.version });
    await expect(data.put('a', 3, { fence, ifVersion: null })).rejects.toThrow(DataConflictException);

    await server.call('kv/deleterange', { key: base64(key) });
    await expect(data.put('a', 3, { fence })).rejects.toThrow(DataFencedException);
    await server.call('kv/put', { key: base64(key), value: '' });
    await expect(data.put('a', 3, { fence })).rejects.toMatchObject({ code: 'DATA_FENCED' });
    await expect(data.put('a', 3, { fence: { key } as never })).rejects.toThrow(explained('fence for the data key'));
    expect(await data.get('a')).toBe(2);
  });
});
