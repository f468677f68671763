import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** A folder over HTTP on loopback, as any server of static files gives it. */
export class StaticServer {
  /** What was asked for and is not there. */
  readonly missing: string[] = [];
  readonly #server: Server;

  constructor(private readonly folder: string) {
    this.#server = createServer((request, response) => {
      const path = normalize(decodeURIComponent((request.url ?? '/').split(/[?#]/, 1)[0] ?? '/'));
      const file = path.endsWith('/') ? `${path}index.html` : path;
      readFile(join(this.folder, file)).then(
        (body) => response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'text/plain' }).end(body),
        () => {
          this.missing.push(path);
          response.writeHead(404).end();
        },
      );
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
