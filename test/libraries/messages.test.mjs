import { credentials, makeGenericClientConstructor, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { connect as connectNats } from '@nats-io/transport-node';
import Redis from 'ioredis';
import { connect as connectOldNats } from 'nats';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe } from 'vitest';
import { missing, NOBODY, outcomes } from './support/outcomes.mjs';

describe('the error of gRPC', () => {
  const plain = {
    requestSerialize: Buffer.from,
    requestDeserialize: String,
    responseSerialize: Buffer.from,
    responseDeserialize: String,
  };
  const service = { call: { path: '/test/call', requestStream: false, responseStream: false, ...plain } };
  const Client = makeGenericClientConstructor(service, 'test');
  const server = new Server();
  let address;

  beforeAll(async () => {
    server.addService(service, {
      call({ request }, answer) {
        if (request !== 'hang') answer({ code: Number(request), details: 'said' });
      },
    });
    address = await new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  });

  afterAll(() => server.forceShutdown());

  async function call(what, { to = address, signal, ...options } = {}) {
    const client = new Client(to, credentials.createInsecure());
    try {
      await new Promise((resolve, reject) => {
        const running = client.call(String(what), new Metadata(), options, (error) =>
          error ? reject(error) : resolve(),
        );
        signal?.addEventListener('abort', () => running.cancel());
      });
    } finally {
      client.close();
    }
  }

  const ANSWERS = [
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'PERMISSION_DENIED',
    'FAILED_PRECONDITION',
    'ABORTED',
    'OUT_OF_RANGE',
    'UNIMPLEMENTED',
    'UNAUTHENTICATED',
  ];
  const FAILURES = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'];

  outcomes([
    ...ANSWERS.map((name) => ['grpc-js', name, 'answered', () => call(status[name])]),
    ...FAILURES.map((name) => ['grpc-js', name, 'failure', () => call(status[name])]),
    ['grpc-js', 'its own deadline', 'failure', () => call('hang', { deadline: Date.now() + 50 })],
    ['grpc-js', 'nobody there', 'failure', () => call('hang', { to: `127.0.0.1:${NOBODY}` })],
    ['grpc-js', 'a caller who leaves', 'aborted', (signal) => call('hang', { signal })],
  ]);
});

const noRedis = await missing('Redis', 6379);

describe.skipIf(noRedis)('the error of a Redis client', () => {
  const KEY = `bulwark-test-${process.pid}`;
  let old;
  let client;

  beforeAll(async () => {
    old = new Redis({ host: '127.0.0.1', maxRetriesPerRequest: 0 });
    client = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
    await client.set(KEY, 'text');
  });

  afterAll(async () => {
    await client.del(KEY);
    client.destroy();
    old.disconnect();
  });

  /** One command of each client: a server's own reply cannot be had without a server in that state, so a script gives it. */
  const reply = (text) => ['EVAL', `return redis.error_reply(${JSON.stringify(text)})`, '0'];
  const said = [
    ['the wrong kind of value', 'answered', ['LPUSH', KEY, '1']],
    ['no number', 'answered', ['INCR', KEY]],
    ['a wrong command', 'answered', ['NOSUCHCOMMAND']],
    ['a wrong syntax', 'answered', ['SET', KEY, 'a', 'SOON']],
    ['too few arguments', 'answered', ['SET', KEY]],
    ['a script that is not there', 'answered', ['EVALSHA', '0'.repeat(40), '0']],
    ['a group that is there', 'answered', reply('BUSYGROUP Consumer Group name already exists')],
    ['a full memory', 'failure', reply("OOM command not allowed when used memory > 'maxmemory'.")],
    ['a replica', 'failure', reply("READONLY You can't write against a read only replica.")],
    ['a server that still loads', 'failure', reply('LOADING Redis is loading the dataset in memory')],
    ['a cluster that is down', 'failure', reply('CLUSTERDOWN The cluster is down')],
    ['too many clients', 'failure', reply('ERR max number of clients reached')],
  ];

  outcomes([
    ...said.map(([what, meaning, command]) => ['ioredis', what, meaning, () => old.call(...command)]),
    ...said.map(([what, meaning, command]) => ['redis', what, meaning, () => client.sendCommand(command)]),
    [
      'ioredis',
      'nobody there',
      'failure',
      async () => {
        const lost = new Redis({ port: NOBODY, maxRetriesPerRequest: 0, retryStrategy: () => null });
        lost.on('error', () => {});
        await lost.get(KEY);
      },
    ],
    ['redis', 'a client that is not connected', 'failure', () => createClient().get(KEY)],
    [
      'redis',
      'nobody there',
      'failure',
      () => {
        const lost = createClient({ url: `redis://127.0.0.1:${NOBODY}`, socket: { reconnectStrategy: false } });
        return lost.on('error', () => {}).connect();
      },
    ],
    [
      'redis',
      'a caller who leaves',
      'aborted',
      async (signal) => {
        // A command that has not been written yet can be left: this one waits for a connection.
        const lost = createClient({ url: `redis://127.0.0.1:${NOBODY}`, socket: { reconnectStrategy: () => 10_000 } });
        lost
          .on('error', () => {})
          .connect()
          .catch(() => {});
        await lost
          .withAbortSignal(signal)
          .get(KEY)
          .finally(() => lost.destroy());
      },
    ],
  ]);
});

const noNats = await missing('NATS', 4222);

describe.skipIf(noNats)('the error of NATS', () => {
  const SUBJECT = `bulwark-test-${process.pid}`;
  let nats;
  let old;

  beforeAll(async () => {
    nats = await connectNats({ servers: '127.0.0.1:4222' });
    old = await connectOldNats({ servers: '127.0.0.1:4222' });
    nats.subscribe(SUBJECT);
    await nats.flush();
  });

  afterAll(async () => {
    await nats.close();
    await old.close();
  });

  outcomes([
    ['NATS', 'nobody who responds', 'failure', () => nats.request(`${SUBJECT}.none`)],
    ['NATS', 'a response that does not come', 'failure', () => nats.request(SUBJECT, '', { timeout: 50 })],
    ['NATS', 'nobody there', 'failure', () => connectNats({ servers: `127.0.0.1:${NOBODY}`, reconnect: false })],
    ['nats 2', 'nobody who responds', 'failure', () => old.request(`${SUBJECT}.none`)],
    [
      'nats 2',
      'a response that does not come',
      'failure',
      () => old.request(SUBJECT, new Uint8Array(), { timeout: 50 }),
    ],
    ['nats 2', 'nobody there', 'failure', () => connectOldNats({ servers: `127.0.0.1:${NOBODY}`, reconnect: false })],
  ]);
});
