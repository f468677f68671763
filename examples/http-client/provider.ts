import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider of weather that fails every third time, and knows one city. */
export async function startProvider(): Promise<string> {
  let requests = 0;
  const server = createServer((request, response) => {
    if (++requests % 3 === 0) response.writeHead(500).end();
    else if (request.url === '/Rome') response.end(JSON.stringify({ city: 'Rome', degrees: 24 }));
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
