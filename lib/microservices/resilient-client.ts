import { ClientProxy, type ClientGrpc } from '@nestjs/microservices';
import { instanceOf } from '../errors/foreign.js';
import { attachService } from './grpc-service.js';
import { attachHeaders } from './message-headers.js';
import { withinCall } from './within-call.js';

const attached = new WeakSet<object>();

/**
 * Lets a client of a microservice know the running guarded call: the call's end cuts what was sent, and the service learns
 * how much time is left (`x-request-timeout`; gRPC: the deadline too), which attempt this is (`x-retry-attempt`, where a retry
 * makes it) and by which key it knows a repetition (`idempotency-key`, where the method is `@Idempotent()`). An event brings
 * the key alone, since nobody waits for what becomes of it. What the app sets itself stays.
 *
 * They go as the headers of NATS and RabbitMQ, as the Metadata of gRPC, and over TCP, Redis and transports of an app's own as
 * the `metadata` of the packet, which Nest 12 hands to its contexts and Nest 11 does not. A client of Kafka or MQTT is only cut.
 *
 * It needs `forRoot({ callContext: true })`; without it, and outside of guarded calls, the client is as it was.
 *
 * @example
 * const client = resilientClient(ClientProxyFactory.create({ transport: Transport.NATS }));
 *
 * @returns the same client.
 *
 * @publicApi
 */
export function resilientClient<T extends ClientProxy | ClientGrpc>(client: T): T {
  if (attached.has(client)) return client;
  attached.add(client);
  if (isGrpc(client)) attachService(client);
  else if (instanceOf(client, ClientProxy)) {
    attachHeaders(client);
    const send = client.send.bind<ClientProxy['send']>(client);
    client.send = (pattern, data) => withinCall(() => send(pattern, data));
  }
  return client;
}

function isGrpc(client: ClientProxy | ClientGrpc): client is ClientGrpc {
  return 'getService' in client;
}
