import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { ChargeBook } from './charge-book.js';
import { exchangeRate } from './exchange-rates.js';
import { isMode, type Mode } from './mode.js';

const SLOW_MS = 300;
const FLAKY_SHARE = 0.3;

/** What careless providers put into their errors. It must never reach a customer of the shop. */
const INTERNALS = {
  error: "db password 'tr0ub4dor' rejected for ledger@10.0.7.4",
  stack: 'at Ledger.connect (ledger.js:7)',
};

/** A payment provider with a control endpoint by which it is made to misbehave. */
export class Provider {
  #mode: Mode = 'healthy';
  readonly #charges = new ChargeBook();

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://provider');
    if (pathname === '/control') return this.#control(request, response);
    switch (this.#mode) {
      case 'hanging':
        return;
      case 'failing':
        return send(response, 500, INTERNALS);
      case 'flaky':
        if (Math.random() < FLAKY_SHARE) return send(response, 500, INTERNALS);
        break;
      case 'slow':
        await wait(SLOW_MS);
        break;
      case 'healthy':
      case 'gone':
        break;
    }
    if (request.method === 'POST' && pathname === '/charges') return this.#charge(request, response);
    const currency = /^\/rates\/(\w+)$/.exec(pathname)?.[1];
    const rate = currency === undefined ? undefined : exchangeRate(currency);
    return rate === undefined ? send(response, 404, INTERNALS) : send(response, 200, { currency, rate });
  }

  async #charge(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { amountCents } = (await json(request)) as { amountCents?: unknown };
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || typeof amountCents !== 'number') return send(response, 400, INTERNALS);
    const charge = this.#charges.charge(key, amountCents);
    return charge === undefined ? send(response, 402, INTERNALS) : send(response, 201, charge);
  }

  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { mode } = (await json(request)) as { mode?: unknown };
    if (!isMode(mode)) return send(response, 400, { error: 'unknown mode' });
    this.#mode = mode;
    if (mode === 'gone') response.on('close', () => process.exit());
    return send(response, 200, { mode });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
