import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Resilient, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import {
  EtcdDataService,
  EtcdService,
  LeaderOnly,
  ResilienceEtcdModule,
  type EtcdRuleStatus,
  type Leadership,
  type ResilienceEtcdOptions,
} from 'nestjs-bulwark/etcd';
import { describe, expect, it, onTestFinished } from 'vitest';
import { initialise } from '../../e2e/support/harness.js';
import { freePort } from '../../support/servers/free-port.js';
import { EtcdCluster, EtcdServer, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { errorOf } from '../../support/settle.js';
import { until } from '../../support/until.js';

const missing = etcdMissing();

@Injectable()
class Payments {
  reports = 0;

  @Resilient('payments')
  async charge(): Promise<string> {
    return 'charged';
  }

  @LeaderOnly('reports')
  async report(): Promise<void> {
    await Promise.resolve();
    this.reports++;
  }
}

async function start(options: ResilienceEtcdOptions) {
  const { module, log } = await initialise({
    imports: [
      ResilienceModule.forRoot({ policies: { payments: { timeout: 1_000 } } }),
      ResilienceEtcdModule.forRoot({ rules: { spread: 0 }, ...options }),
    ],
    providers: [Payments],
  });
  const resilience = module.get(ResilienceService);
  const limit = (): unknown => resilience.plan()[0]?.policies[0]?.options.perAttempt;
  return { module, log, limit, etcd: module.get(EtcdService), payments: module.get(Payments) };
}

async function server(): Promise<EtcdServer> {
  const one = await EtcdServer.create();
  onTestFinished(() => one.remove());
  return one;
}

const timeout = (ms: number, more: object = {}): string =>
  JSON.stringify({ ...more, policies: { payments: { timeout: ms } } });

describe.skipIf(missing !== undefined)('an app with a real etcd', () => {
  it('follows its rules, and tells of them under its lease', async () => {
    const { host } = { host: (await server()).host() };
    const { etcd, limit, module } = await start({ hosts: host });
    const other = await start({ hosts: host });
    const told = async (): Promise<EtcdRuleStatus[]> => {
      const { client, options } = etcd.surroundings;
      const { entries } = await client.list(`${options.prefix}status/`);
      return entries.map(({ value }) => JSON.parse(value) as EtcdRuleStatus);
    };

    const first = await etcd.put('rules', timeout(300, { later: true }));
    await until('both apply them', () => limit() === 300 && other.limit() === 300);
    await until('both say so', async () => (await told()).filter(({ revision }) => revision === first).length === 2);
    const [status] = await told();
    const second = await etcd.put('rules', timeout(-1));
    await until('both refuse them', async () =>
      (await told()).every(({ revision, refused }) => revision === second && refused?.length === 1),
    );
    await other.module.close();

    expect(status).toMatchObject({ applied: true, unknown: ['later'] });
    expect(limit()).toBe(300);
    expect(await told()).toHaveLength(1);
    await module.close();
  });

  it('starts without etcd within one request, by what it has kept, and follows etcd when that is there', async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'etcd-parts-'));
    onTestFinished(() => rm(cacheDir, { recursive: true, force: true }));
    const one = await server();
    const before = await start({ hosts: one.host(), cacheDir });
    await before.etcd.put('rules', timeout(300));
    await until('the rules', () => before.limit() === 300);
    await before.module.close();
    await one.stop('SIGKILL');

    const began = performance.now();
    const after = await start({ hosts: one.host(), cacheDir, timeout: 500 });
    const startedMs = performance.now() - began;
    const kept = after.limit();
    await one.start();
    await until('etcd', () =>
      after.etcd
        .put('rules', timeout(200))
        .then(() => true)
        .catch(() => false),
    );
    await until('the new rules', () => after.limit() === 200);

    expect(kept).toBe(300);
    expect(startedMs).toBeLessThan(5_000);
    expect(after.log.ofBulwark('warn')).toContainEqual(expect.stringMatching(/kept in .*, are taken/));
  });

  it('writes data under the fence of its leadership, until another leads', async () => {
    const hosts = (await server()).host();
    const one = await start({ hosts });
    const other = await start({ hosts });
    const data = await EtcdDataService.open({ hosts });
    onTestFinished(() => data.close());
    const fenceOf = ({ etcd }: typeof one) => etcd.leadership('reports');
    await until('a leader', () => fenceOf(one) !== undefined || fenceOf(other) !== undefined);
    const [leader, next] = fenceOf(one) === undefined ? [other, one] : [one, other];
    const fence = fenceOf(leader) as Leadership;
    await data.put('report', 1, { fence });
    await leader.module.close();
    await until('the next leads', () => fenceOf(next) !== undefined);

    const late = await errorOf(data.put('report', 2, { fence }));
    await data.put('report', 3, { fence: fenceOf(next) as Leadership });

    expect(late).toMatchObject({ code: 'DATA_FENCED' });
    expect(await data.get('report')).toBe(3);
  });

  it('starts although nobody has ever answered', async () => {
    const { limit, payments } = await start({ hosts: `http://127.0.0.1:${await freePort()}`, timeout: 300 });

    expect(limit()).toBe(1_000);
    expect(await payments.charge()).toBe('charged');
    await payments.report();
    expect(payments.reports).toBe(0);
  });
});

describe.skipIf(missing !== undefined)('an app with a cluster of etcd', () => {
  it.each(['killed', 'paused'] as const)(
    'goes on when the leader of etcd is %s: rules, endpoints and leaderships',
    { timeout: 240_000 },
    async (fault) => {
      const cluster = await EtcdCluster.create();
      onTestFinished(() => cluster.remove());
      const discovery = { service: 'stock', address: 'http://one', drain: 0 };
      const one = await start({ hosts: cluster.hosts, discovery });
      const other = await start({ hosts: cluster.hosts });
      const endpoints = other.etcd.endpoints('stock');
      await until('a leader', () => [one, other].some(({ etcd }) => etcd.leadership('reports') !== undefined));
      await until('the endpoint', () => endpoints.endpoints.length === 1);

      const leader = await cluster.leader();
      await (fault === 'killed' ? cluster.kill(leader) : cluster.pause(leader));
      await until('a put', () =>
        one.etcd
          .put('rules', timeout(300))
          .then(() => true)
          .catch(() => false),
      );
      await until('the rules in both', () => one.limit() === 300 && other.limit() === 300);
      await until('a leader again', () => [one, other].some(({ etcd }) => etcd.leadership('reports') !== undefined));
      await Promise.all([one.payments.report(), other.payments.report()]);

      expect(one.payments.reports + other.payments.reports).toBe(1);
      expect(endpoints.endpoints).toEqual(['http://one']);
    },
  );
});
