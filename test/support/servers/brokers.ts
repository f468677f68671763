import { connect } from 'node:net';

/** A broker that many tests share; each uses names of its own. */
export interface Broker {
  readonly url: URL;
  /** Why tests on it are skipped; undefined: it answers. */
  readonly missing: string | undefined;
}

/** `REDIS_URL`, or the Redis on this machine. */
export const redisBroker = (): Promise<Broker> =>
  probe('Redis', 'REDIS_URL', 'redis://127.0.0.1:6379', 'docker run -p 6379:6379 redis');

/** `NATS_URL`, or the NATS on this machine. */
export const natsBroker = (): Promise<Broker> =>
  probe('NATS', 'NATS_URL', 'nats://127.0.0.1:4222', 'docker run -p 4222:4222 nats');

/** `AMQP_URL`, or the RabbitMQ on this machine. */
export const rabbitBroker = (): Promise<Broker> =>
  probe('RabbitMQ', 'AMQP_URL', 'amqp://guest:guest@127.0.0.1:5672', 'docker run -p 5672:5672 rabbitmq');

async function probe(name: string, variable: string, usual: string, howToGet: string): Promise<Broker> {
  const url = new URL(process.env[variable] ?? usual);
  try {
    await answers(url);
    return { url, missing: undefined };
  } catch (error) {
    const missing = `skipped: ${name} does not answer (${(error as Error).message}); set ${variable}, or: ${howToGet}`;
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error });
    console.warn(missing);
    return { url, missing };
  }
}

function answers({ hostname, port }: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 5_000 });
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer within 5 s')));
    socket.on('error', reject);
  });
}
