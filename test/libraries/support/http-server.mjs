import { once } from 'node:events';
import { createServer } from 'node:http';

/** A server on loopback: `/503` answers with that status, `/hang` never, `/cut` ends the connection. */
export class HttpServer {
  /** What each answer carries. */
  retryAfter = '7';
  body = '{}';

  static async start() {
    const server = new HttpServer();
    server.http = createServer((request, response) => server.#answer(request, response)).listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    server.url = `http://127.0.0.1:${server.http.address().port}`;
    return server;
  }

  #answer(request, response) {
    const [, path] = request.url.split('/');
    if (path === 'hang') return;
    if (path === 'cut') return void request.socket.destroy();
    response.writeHead(Number(path), { 'Retry-After': this.retryAfter, 'content-type': 'application/x-amz-json-1.0' });
    response.end(this.body);
  }

  async stop() {
    this.http.closeAllConnections();
    this.http.close();
  }
}
