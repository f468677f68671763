import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from './provider.js';

const provider = new Provider();
const server = createServer((request, response) => {
  // A body that is no JSON, or a client that left halfway: not worth a process.
  provider.handle(request, response).catch(() => response.destroy());
});

// The channel to the shop closes when the shop ends, however it ends.
process.on('disconnect', () => process.exit());
// Ctrl-C reaches every process of the terminal; the shop stops this one in its own time.
process.on('SIGINT', () => undefined);

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
