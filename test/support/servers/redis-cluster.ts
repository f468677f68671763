import { freePort } from './free-port.js';
import { runToEnd } from './own-server.js';
import { RedisServer } from './redis-server.js';
import { until } from '../until.js';

const ENABLED = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '1000'];

/** A Redis Cluster of a test's own: three masters, which share the slots. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async create(): Promise<RedisCluster> {
    const nodes: RedisServer[] = [];
    for (let i = 0; i < 3; i++)
      nodes.push(await RedisServer.create([...ENABLED, '--cluster-port', String(await freePort())]));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await runToEnd({ file: 'redis-cli', args: ['--cluster', 'create', ...addresses, '--cluster-yes'] }, '/tmp');
    for (const node of nodes)
      await until('the cluster', async () => /cluster_state:ok/.test(String(await node.run('CLUSTER', 'INFO'))));
    return new RedisCluster(nodes);
  }

  /** The keys of all nodes. */
  async keys(): Promise<string[]> {
    return (await Promise.all(this.nodes.map((node) => node.run('KEYS', '*')))).flatMap((keys) => keys as string[]);
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }
}
