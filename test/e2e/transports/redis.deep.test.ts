import { Transport, type RedisContext } from '@nestjs/microservices';
import { describe } from 'vitest';
import { redisBroker } from '../../support/servers/brokers.js';
import { itHoldsOnHandlers } from './support/handlers.js';
import { expectError, openMicroservice, type ModuleOptions } from './support/microservice.js';
import { itHandsOnTheRunningCall } from './support/running-call.js';

const { url, missing } = await redisBroker();

function open(forRoot?: ModuleOptions) {
  const options = { host: url.hostname, port: Number(url.port) };
  return openMicroservice({ transport: Transport.REDIS, options }, forRoot);
}

describe.skipIf(missing !== undefined)('a handler of a microservice over Redis', () => {
  itHoldsOnHandlers({ open, expectError });
});

describe.skipIf(missing !== undefined)('the running call, over Redis', () => {
  itHandsOnTheRunningCall({
    open,
    headersIn: (context) => (context as RedisContext).getMetadata() ?? {},
    beforeSending: (client, headers) => client.setOnDispatchHook((packet) => (packet.metadata = headers)),
  });
});
