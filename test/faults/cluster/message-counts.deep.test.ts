import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { EtcdClient } from '../../../lib/cluster/etcd/client/etcd-client.js';
import { compileLib } from '../../support/compiled-lib.js';
import { EtcdServer, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { Member, Upstream } from './support/advised-fleet.js';

const SETTLE_MS = 5_000;
const WINDOW_MS = 60_000;

// As docs/cluster.md has it, for a process with rules, commands and advice.
/** Renewals a minute: that of what it tells of its breakers and of its rules, each 5 s. */
const RENEWALS = 2 * 12;
/** Looks a minute: rules, commands, resets and what others tell, each 30 s. */
const LOOKS = 4 * 2;

/** How many requests of a kind a server has begun to answer. */
function begun(metrics: string, method: string): number {
  const line = new RegExp(`^grpc_server_started_total\\{.*grpc_method="${method}".*\\} (\\d+)`, 'm').exec(metrics);
  return Number(line?.[1] ?? 0);
}

describe.skipIf(etcdMissing())('what a quiet fleet asks of etcd in a minute', () => {
  let library: string;
  let upstream: Upstream;

  beforeAll(async () => {
    library = await mkdtemp(join(tmpdir(), 'bulwark-lib-'));
    await compileLib(library);
    upstream = await Upstream.create();
  }, 120_000);
  afterAll(async () => {
    upstream?.close();
    await rm(library, { recursive: true, force: true });
  });

  it.concurrent.for([3, 10])(
    'grows with its processes, by the formula of the docs: %i of them',
    { timeout: 180_000 },
    async (processes, { onTestFinished, expect }) => {
      const etcd = await EtcdServer.create();
      onTestFinished(() => etcd.remove());
      const read = async (): Promise<string> => (await fetch(`${etcd.host()}/metrics`)).text();
      const given = {
        library,
        etcd: {
          hosts: etcd.host(),
          prefix: `fleet-${processes}/`,
          rules: true,
          commands: true,
          breakers: 'follow' as const,
        },
        circuitBreaker: {},
        upstream: upstream.url,
        everyMs: 1_000,
      };
      // Each process has something to say of its rules only where there are any.
      const client = new EtcdClient({ hosts: etcd.host() });
      await client.put(`${given.etcd.prefix}rules`, '{}');
      client.close();
      const members = await Promise.all(Array.from({ length: processes }, () => Member.create(given)));
      await delay(SETTLE_MS);

      const before = await read();
      await delay(WINDOW_MS);
      const after = await read();
      const asked = (method: string): number => begun(after, method) - begun(before, method);
      const [renewals, looks, puts] = [asked('LeaseKeepAlive'), asked('Range'), asked('Put')];
      console.log(`${processes} processes: ${renewals} renewals, ${looks} looks, ${puts} puts a minute`);
      await Promise.all(members.map((member) => member.close()));

      expect(renewals).toBeGreaterThan(processes * RENEWALS * 0.8);
      expect(renewals).toBeLessThan(processes * RENEWALS * 1.2);
      expect(looks).toBeGreaterThan(processes * LOOKS * 0.7);
      expect(looks).toBeLessThan(processes * LOOKS * 1.4);
      expect(puts).toBeLessThan(processes);
    },
  );
});
