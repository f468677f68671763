import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { DataService, ResilienceModule } from 'nestjs-bulwark';
import { DataClosedException, DataUnavailableException } from 'nestjs-bulwark/data';
import { etcdData, EtcdDataService } from 'nestjs-bulwark/etcd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/servers/free-port.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';

const appOn = (host: string) =>
  Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ dataService: etcdData({ hosts: host, timeout: 500 }) })],
  }).compile();

describe.skipIf(etcdMissing())('an app with etcdData', () => {
  let server: EtcdServer;

  beforeAll(async () => {
    server = await EtcdServer.create();
  });
  afterAll(() => server?.remove());

  it('has it as its DataService, and closes it', async () => {
    const app = await appOn(server.host());
    const data = app.get(DataService);
    await data.put('a', 1);
    expect(await data.get('a')).toBe(1);
    expect(data).toBeInstanceOf(EtcdDataService);
    await app.close();

    await expect(data.get('a')).rejects.toThrow(DataClosedException);
  });

  it('does not start where no etcd answers, and says so in time', async () => {
    const begin = performance.now();

    await expect(appOn(`http://127.0.0.1:${await freePort()}`)).rejects.toThrow(DataUnavailableException);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});
