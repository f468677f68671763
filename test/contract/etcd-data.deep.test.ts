import { EtcdDataService } from 'nestjs-bulwark/etcd';
import { afterAll, beforeAll, describe } from 'vitest';
import { EtcdCluster, etcdMissing } from '../support/servers/etcd-cluster.js';
import { dataServiceContract } from './data-service.contract.js';

describe.skipIf(etcdMissing())('etcd', () => {
  let cluster: EtcdCluster;
  let prefix = '';
  let opened = 0;
  const open = (): Promise<EtcdDataService> => EtcdDataService.open({ hosts: cluster.hosts, prefix });

  beforeAll(async () => {
    cluster = await EtcdCluster.create();
  });
  afterAll(() => cluster?.remove());

  dataServiceContract({
    name: 'etcdData on three members',
    async open() {
      prefix = `test-${(opened += 1)}/`;
      return open();
    },
    reopen: open,
    share: open,
  });
});
