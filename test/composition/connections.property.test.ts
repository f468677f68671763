import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HttpGate } from '../../lib/module/system-protection/http-gate.js';
import { Ingress } from '../../lib/policies/system-protection/ingress.js';
import { parseSystemProtection } from '../../lib/policies/system-protection/system-protection.options.js';
import { pick, seededRandom } from '../support/seeded-random.js';
import { TestEnvironment } from '../support/test-environment.js';
import { runs } from '../support/runs.js';

const HISTORIES = runs(300, 10_000);
const STEPS = 16;
const LIMIT = 5;
const LOOK_MS = 100;
const DESERTED_MS = 60_000;
const BROKEN_OFF_MS = 5_000;
const BUG = 'a bug of the app';

/** Turns of the event loop, until what was written has been read and answered. */
async function turns(count = 4): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** One end of a connection inside the process. The client's end takes what comes, or lets it lie. */
class End extends Duplex {
  other!: End;
  reads = true;
  #taken: (() => void) | undefined;

  override _read(): void {
    /* What comes is pushed. */
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.other.reads) {
      this.other.push(chunk);
      done();
    } else this.other.#taken = done;
  }

  override _final(done: () => void): void {
    this.other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // As a reset does.
    if (!this.other.destroyed) setImmediate(() => this.other.destroy());
    done(error);
  }

  readAgain(): void {
    this.reads = true;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }
}

function pair(): { client: End; server: End } {
  const [client, server] = [new End({ allowHalfOpen: true }), new End({ allowHalfOpen: true })];
  client.other = server;
  server.other = client;
  for (const end of [client, server]) end.on('error', () => undefined);
  client.resume();
  return { client, server };
}

/** What the app knows of a request, and what follows from it for the count. */
interface Seen {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly kind: Kind;
  readonly connection: Connection;
  ended: boolean;
  begun: boolean;
  piped: boolean;
  bodyThere: boolean;
  /** Whether the client held it up when it was last sure to have been looked at. */
  heldUp: boolean;
}

interface Connection {
  readonly client: End;
  readonly server: End;
  /** Of the body under way, what is still to come. */
  missing: number;
  leftAt: number | undefined;
}

const KINDS = ['held', 'body', 'deaf', 'stream', 'write', 'drain', 'events', 'begun', 'throws'] as const;
type Kind = (typeof KINDS)[number];

/** Drives an HTTP server through the gate, in virtual time, and counts on its own account. */
class World {
  readonly environment = new TestEnvironment();
  readonly ingress: Ingress;
  readonly seen: Seen[] = [];
  readonly connections: Connection[] = [];
  readonly log: string[] = [];
  readonly #server = createServer({ insecureHTTPParser: false, connectionsCheckingInterval: 2 ** 31 - 1 });
  readonly #release: () => void;

  constructor(readonly random: () => number) {
    const options = parseSystemProtection('test', { concurrency: LIMIT, eventLoopDelay: false });
    if (options === undefined) throw new Error('expected options');
    this.ingress = new Ingress(options, this.environment, { read: () => 0 });
    this.#release = new HttpGate(this.ingress, options, this.environment).guard(this.#server);
    this.#outliveBugs();
    this.#server.on('request', (request, response) => this.#handle(request, response));
    this.#server.timeout = this.#server.requestTimeout = this.#server.headersTimeout = 0;
    this.#server.keepAliveTimeout = 0;
  }

  /** An app that throws in a listener ends its process, unless it has arranged to live on. */
  #outliveBugs(): void {
    const emit = this.#server.emit.bind(this.#server) as (...args: unknown[]) => boolean;
    this.#server.emit = (...args: unknown[]): boolean => {
      try {
        return emit(...args);
      } catch (error) {
        if ((error as Error).message !== BUG) throw error;
        return true;
      }
    };
  }

  close(): void {
    this.#release();
    this.#server.close();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const kind = (request.url ?? '/').slice(1) as Kind;
    const connection = this.connections.find(({ server }) => (server as unknown) === request.socket);
    if (connection === undefined) throw new Error('expected a known connection');
    const seen: Seen = {
      request,
      response,
      kind,
      connection,
      ended: false,
      begun: false,
      piped: false,
      bodyThere: false,
      heldUp: false,
    };
    this.seen.push(seen);
    request.on('error', () => undefined);
    request.once('end', () => (seen.bodyThere = true));
    // A listener of the model's own would be one of the app's, which waits to write more.
    const emit = response.emit.bind(response) as (...args: unknown[]) => boolean;
    response.emit = (...args: unknown[]): boolean => {
      if (args[0] === 'drain' && connection.leftAt === undefined) seen.heldUp = false;
      return emit(...args);
    };
    if (kind === 'body') request.resume();
    if (kind === 'stream') {
      seen.begun = seen.piped = true;
      const source = new Duplex({ read: () => undefined, write: (_c, _e, done) => done() });
      source.pipe(response);
      source.push(Buffer.alloc(40_000));
    }
    if (kind === 'write' || kind === 'drain') {
      seen.begun = true;
      response.write(Buffer.alloc(40_000));
    }
    if (kind === 'drain') response.once('drain', () => undefined);
    if (kind === 'begun') {
      seen.begun = true;
      response.writeHead(200);
    }
    if (kind === 'events') {
      seen.ended = true;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
    }
    if (kind === 'throws') {
      seen.ended = true;
      throw new Error(BUG);
    }
  }

  /** What the model says: who is worked on. */
  expected(): Seen[] {
    const now = this.environment.clock.now();
    return this.seen.filter((one) => {
      if (one.ended) return false;
      const { leftAt } = one.connection;
      if (leftAt === undefined) return !one.heldUp;
      if (one.heldUp || one.piped || one.response.listenerCount('drain') > 0) return false;
      return now - leftAt < (one.begun ? BROKEN_OFF_MS : DESERTED_MS);
    });
  }

  /** After a look at each request. */
  async look(): Promise<void> {
    await this.environment.clock.advance(LOOK_MS);
    for (const one of this.seen) {
      if (one.connection.leftAt !== undefined) continue;
      const waits = one.kind === 'body' && !one.bodyThere;
      one.heldUp = waits || (one.response.writableNeedDrain && !one.response.writableEnded);
    }
  }

  async step(): Promise<void> {
    const { random } = this;
    const living = this.connections.filter(({ client }) => !client.destroyed);
    const connection = living[pick(random, Math.max(1, living.length))];
    const pending = this.seen.filter(({ ended, kind }) => !ended && kind !== 'events');
    const act = pick(random, 12);
    if (connection === undefined || act === 0) return this.#open();
    if (act <= 3) return this.#ask(connection, 1);
    if (act === 4) return this.#ask(connection, 2 + pick(random, 6));
    if (act === 5) return this.#sendMore(connection);
    if (act === 6) return this.#note('end', () => void connection.client.end());
    if (act === 7) return this.#note('reset', () => void connection.client.destroy());
    if (act === 8) return this.#note('stall', () => (connection.client.reads = false));
    if (act === 9) return this.#note('drain', () => connection.client.readAgain());
    const one = pending[pick(random, Math.max(1, pending.length))];
    if (one === undefined) return;
    this.#note(`answer ${one.kind}`, () => {
      one.ended = true;
      if (random() < 0.1) one.response.destroy();
      else one.response.end('answer');
    });
  }

  #note(what: string, act: () => unknown): void {
    this.log.push(what);
    act();
  }

  #open(): void {
    this.log.push('open');
    const connection: Connection = { ...pair(), missing: 0, leftAt: undefined };
    connection.server.once('close', () => {
      connection.leftAt ??= this.environment.clock.now();
      // A body may have come to its end just before.
      for (const one of this.seen)
        if (one.connection === connection && one.kind === 'body')
          one.heldUp = !one.request.complete || one.response.writableEnded;
    });
    this.connections.push(connection);
    this.#server.emit('connection', connection.server);
  }

  #ask(connection: Connection, count: number): void {
    if (connection.missing > 0 || connection.client.writableEnded) return;
    let text = '';
    for (let index = 0; index < count && connection.missing === 0; index++) {
      const kind = KINDS[pick(this.random, KINDS.length)] as Kind;
      const length = kind === 'body' || kind === 'deaf' ? 10 : 0;
      const sent = length === 0 || this.random() < 0.4 ? length : pick(this.random, length);
      connection.missing = length - sent;
      this.log.push(`ask ${kind}${length > 0 ? ` ${sent}/${length}` : ''}`);
      text += `POST /${kind} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(sent)}`;
    }
    connection.client.write(text);
  }

  #sendMore(connection: Connection): void {
    if (connection.missing === 0 || connection.client.writableEnded) return;
    const sent = this.random() < 0.6 ? connection.missing : 1;
    connection.missing -= sent;
    this.log.push(`send ${sent}`);
    connection.client.write('x'.repeat(sent));
  }
}

describe('the count of requests under way', () => {
  it(`is that of a model, whatever connections do, and 0 after it: ${HISTORIES} histories`, async () => {
    let served = 0;
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const world = new World(seededRandom(seed));
      const told = (): string => `seed ${seed}: ${world.log.join(', ')}`;
      for (let index = 0; index < STEPS; index++) {
        await world.step();
        await turns();
        await world.look();
        if (world.random() < 0.1) await world.environment.clock.advance(4_000);
        expect(world.ingress.active, told()).toBe(world.expected().length);
      }
      served += world.seen.length;
      for (const { client } of world.connections) client.destroy();
      await turns();
      await world.environment.clock.advance(DESERTED_MS + LOOK_MS);
      expect(world.ingress.active, told()).toBe(0);
      world.close();
    }
    expect(served).toBeGreaterThan(HISTORIES * 3);
  }, 300_000);
});
