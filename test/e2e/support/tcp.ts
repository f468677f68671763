import type { AddressInfo, Server } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { ClientProxyFactory, Transport, type ClientProxy } from '@nestjs/microservices';
import { onTestFinished } from 'vitest';

/** Starts the app's TCP microservice on an ephemeral port of the loopback, and gives a client of it. */
export async function tcpClient(app: INestApplication): Promise<ClientProxy> {
  const microservice = app.connectMicroservice(
    { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  const { port } = microservice.unwrap<Server>().address() as AddressInfo;
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
  onTestFinished(() => client.close());
  return client;
}
