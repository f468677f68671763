import { DataAccessException, DataUnavailableException, DataWriteException } from 'nestjs-bulwark/data';
import { EtcdDataService } from 'nestjs-bulwark/etcd';
import { afterEach, describe, expect, it } from 'vitest';
import { explained } from '../../support/explained.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';

const QUOTA = 8 * 1024 * 1024;
const mebibyte = 'x'.repeat(1024 * 1024 - 2);
const revisionOf = async (server: EtcdServer): Promise<string> => {
  const { header } = (await server.call('kv/range', { key: 'YQ==' })) as { header: { revision: string } };
  return header.revision;
};

describe.skipIf(etcdMissing())('etcdData', () => {
  let server: EtcdServer;
  let data: EtcdDataService;

  async function setUp(...options: string[]): Promise<void> {
    server = await EtcdServer.create(options);
    data = await EtcdDataService.open({ hosts: server.host() });
  }

  afterEach(async () => {
    await data?.close();
    await server?.remove();
  });

  it('says that etcd is full, in puts and in pings, reads and deletes on, and goes on when there is room', async () => {
    await setUp(`--quota-backend-bytes=${QUOTA}`);
    await data.put('small', 1);
    const filled = (async () => {
      for (let i = 0; i < 20; i++) await data.put(`k${i}`, mebibyte);
    })();
    await expect(filled).rejects.toThrow(DataWriteException);

    await expect(data.put('a', 1)).rejects.toThrow(explained('alarm NOSPACE'));
    await expect(data.ping()).rejects.toThrow(DataUnavailableException);
    await expect(data.ping()).rejects.toThrow(explained('NOSPACE'));
    expect(await data.get('small')).toBe(1);
    // Another process has written nothing yet, and starts.
    const other = await EtcdDataService.open({ hosts: server.host() });
    for (let i = 0; i < 20; i++) await (i % 2 ? data : other).delete(`k${i}`);
    await other.close();
    await server.call('kv/compaction', { revision: await revisionOf(server) });
    await server.call('maintenance/defragment');
    const { alarms } = (await server.call('maintenance/alarm')) as { alarms: { memberID: string; alarm: string }[] };
    for (const alarm of alarms) await server.call('maintenance/alarm', { ...alarm, action: 'DEACTIVATE' });

    await data.ping();
    await data.put('a', mebibyte);
    expect(await data.get('a')).toBe(mebibyte);
  });

  it('goes on with its entries when what it reads from is compacted meanwhile', async () => {
    await setUp();
    const keys = Array.from({ length: 100 }, (_, i) => `k${String(i).padStart(3, '0')}`);
    await Promise.all(keys.map((key) => data.put(key, 1)));
    const seen: string[] = [];
    for await (const [key] of data.entries()) {
      seen.push(key);
      if (seen.length % 20 !== 1) continue;
      await data.put('k000a', seen.length);
      await data.put(keys[99] as string, seen.length);
      await server.call('kv/compaction', { revision: await revisionOf(server) });
    }

    expect(seen).toEqual(keys);
  });

  it('says that it is not let in, and lets in who has a password', async () => {
    await setUp();
    for (const [path, body] of [
      ['auth/user/add', { name: 'root', password: 'r' }],
      ['auth/user/grant', { user: 'root', role: 'root' }],
      ['auth/role/add', { name: 'app' }],
      [
        'auth/role/grant',
        {
          name: 'app',
          perm: {
            permType: 'READWRITE',
            key: Buffer.from('bulwark/data').toString('base64'),
            range_end: Buffer.from('bulwark/datb').toString('base64'),
          },
        },
      ],
      ['auth/user/add', { name: 'app', password: 'secret' }],
      ['auth/user/grant', { user: 'app', role: 'app' }],
      ['auth/enable', {}],
    ] as const) {
      await server.call(path, body);
    }
    const open = (password: string, prefix?: string): Promise<EtcdDataService> =>
      EtcdDataService.open({
        hosts: server.host(),
        auth: { username: 'app', password },
        ...(prefix !== undefined && { prefix }),
      });

    await expect(data.get('a')).rejects.toThrow(DataAccessException);
    await expect(open('wrong')).rejects.toThrow(DataAccessException);
    await expect(open('secret', 'others/')).rejects.toThrow(DataAccessException);
    const app = await open('secret');
    await app.put('a', 1);
    await app.ping();
    expect(await app.get('a')).toBe(1);
    await app.close();
  });
});
