import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';

/**
 * The other end of the HTTP rows, in a process of its own: a few connections that are kept, each with one request at a
 * time. It parses as little as it can, so that the server is what the machine is busy with.
 */
const CONNECTIONS = 8;

const port = Number(process.argv[2]);
const sockets = await Promise.all(
  Array.from({ length: CONNECTIONS }, async () => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    return socket;
  }),
);
const lengths = new Map();

process.on('message', async ({ path, requests, stream }) => {
  if (stream !== undefined) return void get({ host: '127.0.0.1', port, path: stream }, (answer) => answer.resume());
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
  if (!lengths.has(path)) lengths.set(path, await probe(request));
  let left = requests;
  const take = () => left-- > 0;
  await Promise.all(sockets.map((socket) => drive(socket, request, lengths.get(path), take)));
  process.send('done');
});
process.on('disconnect', () => process.exit());

/** How long the answer is; answers of one route differ only in their date. */
async function probe(request) {
  const [socket] = sockets;
  socket.write(request);
  const [chunk] = await once(socket, 'data');
  const text = chunk.toString();
  if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`unexpected answer: ${text.split('\r\n', 1)}`);
  const head = text.indexOf('\r\n\r\n') + 4;
  return head + Number(/content-length: (\d+)/i.exec(text)[1]);
}

/** Sends requests over one connection until `take` says that there are enough. */
function drive(socket, request, length, take) {
  return new Promise((resolve, reject) => {
    let missing = 0;
    const next = () => {
      if (!take()) {
        socket.off('data', onData).off('error', reject);
        return resolve();
      }
      missing = length;
      socket.write(request);
    };
    const onData = (chunk) => {
      missing -= chunk.length;
      if (missing < 0) reject(new Error('an answer has changed its length'));
      if (missing === 0) next();
    };
    socket.on('data', onData).on('error', reject);
    next();
  });
}
