import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../support/servers/tcp-proxy.js';
import { until } from '../support/until.js';

/** Gives back what it gets; `received` is all of it. */
async function echo() {
  let received = '';
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        received += String(bytes);
        socket.write(bytes);
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, received: () => received };
}

let peer: Awaited<ReturnType<typeof echo>>;
let proxy: TcpProxy;
let clients: Socket[] = [];

beforeEach(async () => {
  peer = await echo();
  proxy = await TcpProxy.to(peer.port);
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  await proxy.close();
  peer.server.close();
});

async function client(connected = true) {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let answer = '';
  let end: string | undefined;
  socket.on('data', (bytes) => (answer += String(bytes)));
  socket.on('error', (error: NodeJS.ErrnoException) => (end ??= error.code));
  socket.on('close', () => (end ??= 'closed'));
  if (connected) await once(socket, 'connect');
  return { socket, answer: () => answer, end: () => end };
}

describe('the TCP proxy', () => {
  it('passes what it gets', async () => {
    const { socket, answer } = await client();
    socket.write('hello');

    await until('an echo', () => answer() === 'hello');
  });

  it('is late by a delay, and keeps the order when the delay ends', async () => {
    const { socket, answer } = await client();
    const began = performance.now();
    proxy.fault = { type: 'delay', ms: 50 };
    socket.write('a');
    await until('the proxy has it', () => socket.bytesWritten === 1);
    socket.write('b');
    await until('it arrives', () => peer.received() === 'ab');
    expect(performance.now() - began).toBeGreaterThan(45);
    proxy.fault = { type: 'pass' };
    socket.write('c');

    await until('all of it', () => answer() === 'abc');
  });

  it('lets so much pass in a second', async () => {
    const { socket, answer } = await client();
    const began = performance.now();
    proxy.fault = { type: 'bandwidth', bytesPerSecond: 1_000_000 };
    socket.write('x'.repeat(100_000));
    await until('all of it', () => answer().length === 100_000);

    expect(performance.now() - began).toBeGreaterThan(95);
  });

  it('swallows both ways in a black hole, and cuts the connection afterwards', async () => {
    const { socket, answer, end } = await client();
    proxy.fault = { type: 'blackHole' };
    socket.write('a');
    await until('it was sent', () => socket.bytesWritten === 1);
    proxy.fault = { type: 'pass' };
    await until('the connection is cut', () => end() === 'ECONNRESET');

    expect([peer.received(), answer()]).toEqual(['', '']);
  });

  it('half open, lets requests through and no answers', async () => {
    const { socket, answer } = await client();
    proxy.fault = { type: 'halfOpen' };
    socket.write('a');
    await until('the request arrives', () => peer.received() === 'a');

    expect(answer()).toBe('');
  });

  it('resets the connections that are there, and new ones', async () => {
    const old = await client();
    proxy.fault = { type: 'reset' };
    await until('the old one is cut', () => old.end() === 'ECONNRESET');
    const fresh = await client(false);
    await until('the new one is cut', () => fresh.end() !== undefined);
    proxy.fault = { type: 'pass' };
    const later = await client();
    later.socket.write('a');

    await until('an echo', () => later.answer() === 'a');
  });
});
