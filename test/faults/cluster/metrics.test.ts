import { Injectable } from '@nestjs/common';
import { RateLimit, ResilienceModule } from 'nestjs-bulwark';
import { EtcdService, LeaderOnly, ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { ResilienceRedisModule } from 'nestjs-bulwark/redis';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { initialise } from '../../e2e/support/harness.js';
import { parseExposition } from '../../support/exposition.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';
import { redisMissing, RedisServer } from '../../support/servers/redis-server.js';

@Injectable()
class Nightly {
  @LeaderOnly('nightly')
  async run(): Promise<void> {
    // Only who leads matters.
  }

  @RateLimit({ limit: 1_000, per: 1_000, scope: 'cluster' })
  async work(): Promise<string> {
    return 'done';
  }
}

describe.skipIf(etcdMissing() ?? redisMissing())('the metrics of a process in a cluster', () => {
  it('say how its stores are, which rules it follows and whether it leads', async () => {
    const [etcd, redis] = [await EtcdServer.create(), await RedisServer.create()];
    onTestFinished(async () => {
      await Promise.all([etcd.remove(), redis.remove()]);
    });
    await Promise.all([etcd.start(), redis.start()]);
    const registry = new Registry();
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRoot({ log: false, policies: { payments: { timeout: 1_000 } } }),
        ResilienceEtcdModule.forRoot({ hosts: [etcd.host()], rules: { spread: 0 } }),
        ResilienceRedisModule.forRoot({ url: redis.url }),
        ResilienceMetricsModule.forRoot({ registry }),
      ],
      providers: [Nightly],
    });
    const value = async (series: string) => parseExposition(await registry.metrics()).values.get(series);
    const becomes = (series: string, wanted: number) => expect.poll(() => value(series)).toBe(wanted);

    await becomes('bulwark_store_up{store="etcd"}', 1);
    await becomes('bulwark_store_up{store="redis"}', 1);
    await becomes('bulwark_leader{name="nightly"}', 1);
    expect(await value('bulwark_rules_revision{}')).toBeUndefined();
    expect(await value('bulwark_store_errors_total{store="etcd"}')).toBe(0);

    const service = module.get(EtcdService);
    const revision = await service.put('rules', JSON.stringify({ policies: { payments: { timeout: 500 } } }));
    await becomes('bulwark_rules_revision{}', Number(revision));
    expect(await value('bulwark_rules_rejected_total{}')).toBe(0);
    await service.put('rules', JSON.stringify({ policies: { payments: { timeout: -1 } } }));
    await becomes('bulwark_rules_rejected_total{}', 1);
    expect(await value('bulwark_rules_revision{}')).toBe(Number(revision));

    await Promise.all([etcd.stop('SIGKILL'), redis.stop('SIGKILL')]);
    await becomes('bulwark_store_up{store="etcd"}', 0);
    await becomes('bulwark_store_up{store="redis"}', 0);
    await becomes('bulwark_leader{name="nightly"}', 0);
    expect(await value('bulwark_store_errors_total{store="etcd"}')).toBeGreaterThan(0);
    expect(await value('bulwark_store_errors_total{store="redis"}')).toBeGreaterThan(0);
  });
});
