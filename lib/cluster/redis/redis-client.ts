import { once } from 'node:events';
import { Redis, type Cluster, type ClusterOptions } from 'ioredis';
import type { ResolvedRedisOptions } from './redis.options.js';

/** How long a connection may take to end, ms; one to a server that hangs is cut then. */
const DISCONNECT_MS = 500;
/** A connection on which nothing comes back for so long is made anew, ms. */
const SILENT_MS = 5_000;
const MOST_RETRY_MS = 1_000;

const retryStrategy = (times: number): number => Math.min(100 * times, MOST_RETRY_MS);

/**
 * A connection for limits alone. Nothing waits in it: what cannot be sent, or is not answered in time, fails at once, and
 * nothing is sent twice.
 */
export function connect({ url, client, commandTimeout }: ResolvedRedisOptions): Redis | Cluster {
  const ofNode = {
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The breaker's own limit comes first, which waits for an answer that lies in the socket already.
    commandTimeout: 2 * commandTimeout,
    socketTimeout: SILENT_MS,
    disconnectTimeout: DISCONNECT_MS,
    // What was the master before a failover says so.
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  };
  const ofAll = { enableOfflineQueue: false, lazyConnect: false };
  if (client === undefined) return idle(new Redis(url as string, { ...ofNode, ...ofAll, retryStrategy }));
  if (!isCluster(client)) return idle(client.duplicate({ ...ofNode, ...ofAll, retryStrategy }));
  const ofCluster: ClusterOptions = {
    ...ofAll,
    clusterRetryStrategy: retryStrategy,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
    redisOptions: { ...client.options.redisOptions, ...ofNode },
  };
  const cluster = client.duplicate([], ofCluster);
  // A node that is connected by its first command refuses the others until it is.
  cluster.on('+node', (node: Redis) => {
    if (node.status === 'wait') node.connect().catch(() => undefined);
  });
  return cluster;
}

/**
 * Lets the process end although a client is connected, or waits to connect again: a call that waits for an answer has a time
 * limit, which keeps the process alive.
 */
function idle(client: Redis): Redis {
  client.on('connect', () => client.stream.unref());
  // The timer is no part of what ioredis promises; without it the process only lives longer.
  client.on('reconnecting', () => (client as unknown as Reconnecting).reconnectTimeout?.unref?.());
  return client;
}

interface Reconnecting {
  readonly reconnectTimeout?: { unref?(): void } | null;
}

/** Waits for the nodes of a cluster, each of which is there or is not. */
export async function connected(client: Redis | Cluster): Promise<void> {
  if (!isCluster(client)) return;
  const all = client.nodes('master').map(async (node) => {
    if (node.status === 'wait') return node.connect();
    if (node.status === 'connecting' || node.status === 'connect') await once(node, 'ready');
  });
  await Promise.allSettled(all);
}

/** By what it says of itself: the app may have another copy of ioredis. */
function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}
