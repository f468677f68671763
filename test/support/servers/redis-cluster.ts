import { freePort } from './free-port.js';
import { runToEnd } from './own-server.js';
import { RedisServer } from './redis-server.js';
import { until } from '../until.js';

const ENABLED = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
/** After so long without an answer a node is taken for dead, ms. Without a replica that helps nobody, and a busy machine may take a second. */
const NODE_TIMEOUT_MS = { 0: 15_000, 1: 1_000 } as const;

const MASTERS = 3;

/** A Redis Cluster of a test's own: three masters, which share the slots, and, if wanted, a replica of each. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async create(replicas: 0 | 1 = 0): Promise<RedisCluster> {
    const nodes: RedisServer[] = [];
    const timeout = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS[replicas])];
    for (let i = 0; i < MASTERS * (1 + replicas); i++)
      nodes.push(await RedisServer.create([...ENABLED, ...timeout, '--cluster-port', String(await freePort())]));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const args = ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'];
    await runToEnd({ file: 'redis-cli', args }, '/tmp');
    for (const node of nodes)
      await until('the cluster', async () => /cluster_state:ok/.test(String(await node.run('CLUSTER', 'INFO'))));
    const cluster = new RedisCluster(nodes);
    const inStep = async (): Promise<boolean> => (await cluster.replicas()) === MASTERS * replicas;
    await until('the replicas', inStep);
    return cluster;
  }

  /** How many replicas hold what their masters do. */
  async replicas(): Promise<number> {
    const roles = await Promise.all(this.nodes.map((node) => node.run('INFO', 'replication')));
    return roles.filter((role) => /role:slave[^]*master_link_status:up/.test(String(role))).length;
  }

  /** The master that has a slot, by what the first node that answers says. */
  async masterOf(slot: number): Promise<RedisServer> {
    for (const node of this.nodes) {
      const ranges = await node.run('CLUSTER', 'SLOTS').catch(() => undefined);
      for (const [from, to, [, port]] of (ranges ?? []) as [number, number, [string, number]][])
        if (from <= slot && slot <= to) return this.nodes.find((one) => one.port === port) as RedisServer;
    }
    throw new Error(`expected a master of slot ${slot}`);
  }

  /** The keys of all nodes. */
  async keys(): Promise<string[]> {
    return (await Promise.all(this.nodes.map((node) => node.run('KEYS', '*')))).flatMap((keys) => keys as string[]);
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }
}
