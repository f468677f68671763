import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EtcdDataService } from 'nestjs-bulwark/etcd';
import { EtcdCluster, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { EtcdWriters, Increments, lostOf, Passes } from './etcd-writers.js';

const KILL_EVERY_MS = 5_000;
const RUN_MS = 60_000;

describe.skipIf(etcdMissing())('etcdData on three members', () => {
  let cluster: EtcdCluster;
  let data: EtcdDataService;

  beforeAll(async () => {
    cluster = await EtcdCluster.create();
    data = await EtcdDataService.open({ hosts: cluster.hosts });
  });
  afterAll(async () => {
    await data?.close();
    await cluster?.remove();
  });

  it('loses nothing that it acknowledged, and goes on, while the leader is killed every 5 s', async () => {
    const stable = Array.from({ length: 100 }, (_, i) => `stable/${String(i).padStart(3, '0')}`);
    await Promise.all(stable.map((key) => data.put(key, 1)));
    const writers = new EtcdWriters(data, 8);
    const counter = new Increments(data, await EtcdDataService.open({ hosts: cluster.hosts }));
    const reader = new Passes(data, 'stable/');
    let kills = 0;
    for (const end = performance.now() + RUN_MS; performance.now() < end; kills++) {
      const next = delay(KILL_EVERY_MS);
      const leader = await cluster.leader();
      await cluster.kill(leader);
      await Promise.all([next, delay(1_000).then(() => cluster.restart(leader))]);
    }
    const report = await writers.stop();
    const { added, unknown } = await counter.stop();
    const passes = await reader.stop();
    const { last: _, acknowledged, ...figures } = report;
    console.info(`${kills} kills`, {
      ...figures,
      acknowledged: acknowledged.size,
      added,
      unknown,
      passes: passes.length,
    });

    expect(await lostOf(report, data)).toEqual([]);
    expect(await data.get('n')).toBeGreaterThanOrEqual(added);
    expect(await data.get('n')).toBeLessThanOrEqual(added + unknown);
    expect(passes.length).toBeGreaterThan(0);
    for (const keys of passes) expect(keys).toEqual(stable);
    expect(report.perSecond).toBeGreaterThanOrEqual(50);
    expect(report.longestGap).toBeLessThan(4_000);
  });

  it('goes on beside a leader that hangs, and loses nothing when that is back', async () => {
    const writers = new EtcdWriters(data, 8);
    for (let round = 0; round < 3; round++) {
      await delay(1_000);
      const leader = await cluster.leader();
      await cluster.pause(leader);
      await delay(6_000);
      await cluster.resume(leader);
    }
    const report = await writers.stop();
    const { last: _, acknowledged, ...figures } = report;
    console.info('3 hangs', { ...figures, acknowledged: acknowledged.size });

    expect(await lostOf(report, data)).toEqual([]);
    expect(report.longestGap).toBeLessThan(10_000);
  });
});
