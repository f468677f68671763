import { Agent, request as httpRequest, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Body, Controller, Get, Post, Req, Res, Sse, type MessageEvent } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ResilienceModule, ResilienceService, type SystemProtectionOptions } from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PLATFORMS, start, until } from './support/harness.js';

const LIMIT = 8;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type RawReply = NodeJS.WritableStream & { raw?: NodeJS.WritableStream; hijack?(): void };

@Controller()
class Routes {
  @Get('work')
  async work(): Promise<string> {
    await pause(20);
    return 'worked';
  }

  @Post('upload')
  async upload(@Body() body: unknown): Promise<unknown> {
    await pause(20);
    return body;
  }

  @Get('broken')
  broken(): never {
    throw new Error('a bug of the app');
  }

  @Get('events')
  @Sse()
  events(): Observable<MessageEvent> {
    return new Observable((observer) => observer.next({ data: 'hello' }));
  }

  @Get('download')
  download(@Res() reply: RawReply): void {
    reply.hijack?.();
    Readable.from(chunks(200)).pipe(reply.raw ?? reply);
  }

  @Get('endless')
  endless(@Res() reply: RawReply, @Req() request: { raw?: Readable } & Readable): void {
    reply.hijack?.();
    const source = Readable.from(chunks(Infinity)).pipe(reply.raw ?? reply);
    (request.raw ?? request).once('close', () => source.end());
  }
}

function* chunks(count: number): Generator<Buffer> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(65_536, 'x');
}

const head = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
const json = (length: number | 'chunked', ...more: string[]): string =>
  head(
    'POST /upload',
    'Content-Type: application/json',
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
    ...more,
  );

/** What a client does on a connection of its own, before it goes in some way. */
type Act = (socket: Socket) => unknown;
const say =
  (...texts: string[]): Act =>
  async (socket) => {
    for (const text of texts) {
      socket.write(text);
      await pause(3);
    }
  };
const quietly =
  (act: Act): Act =>
  (socket) => (socket.pause(), act(socket));

const ACTS: readonly (readonly [string, Act])[] = [
  ['says nothing', say()],
  ['says half a head', say('GET /work HTTP/1.1\r\nHost:')],
  ['says what is no HTTP', say('\x16\x03\x01 hello\r\n\r\n')],
  ['asks', say(head('GET /work'))],
  ['pipelines 25 requests', say(head('GET /work').repeat(25))],
  ['pipelines requests and half a body', say(head('GET /work').repeat(3) + json(100) + '{')],
  ['pipelines behind a stream of events', say(head('GET /events') + head('GET /work').repeat(5))],
  [
    'pipelines behind a download that it does not read',
    quietly(say(head('GET /download') + head('GET /work').repeat(5))),
  ],
  ['sends no body', say(json(100))],
  ['trickles a body', say(json(100), '{', ' ', ' ', ' ', ' ', ' ')],
  ['sends a body in pieces', say(json(7), '{"', 'a":', '1}')],
  ['sends a body in chunks', say(json('chunked'), '2\r\n{}\r\n', '0\r\n\r\n')],
  ['sends a chunk without an end', say(json('chunked'), 'ff\r\n{')],
  ['sends a chunk that is none', say(json('chunked'), 'xyz\r\n')],
  ['gives two lengths', say(json('chunked', 'Content-Length: 7'), '{"a":1}')],
  ['sends a body that is no JSON', say(json(5), '{{{{{')],
  ['sends a body that nobody reads', say(head('GET /work', 'Content-Length: 9'), '1')],
  ['waits to go on, and sends nothing', say(json(100, 'Expect: 100-continue'))],
  ['waits to go on, and sends the body', say(json(7, 'Expect: 100-continue'), '{"a":1}')],
  ['expects what nobody can', say(json(7, 'Expect: 200-ok'), '{"a":1}')],
  ['asks for a head', say(head('HEAD /work'), head('HEAD /download'))],
  ['keeps the connection', say(head('GET /work'), head('GET /work'), head('GET /work'))],
  ['closes the connection', say(head('GET /work', 'Connection: close'))],
  ['speaks an older HTTP', say('GET /work HTTP/1.0\r\n\r\n')],
  ['asks for an upgrade', say(head('GET /work', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'))],
  ['asks for a tunnel', say(head('CONNECT example.test:443'))],
  ['asks by strange methods', say(head('PROPFIND /work'), head('M-SEARCH /work'), head('TRACE /work'))],
  ['meets a bug', say(head('GET /broken'), head('GET /broken'))],
  ['follows events', say(head('GET /events'))],
  ['does not read events', quietly(say(head('GET /events')))],
  ['downloads', say(head('GET /download'))],
  ['does not read a download', quietly(say(head('GET /download')))],
  ['does not read one without an end', quietly(say(head('GET /endless')))],
  ['reads one without an end', say(head('GET /endless'))],
];

const GOODBYES: readonly Act[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  async (socket) => (socket.end(), await pause(50), socket.destroy()),
  async (socket) => (await pause(250), socket.destroy()),
];

const HOSTILE = [
  ...['/', '//', '/..', '/%', '/%00', '/%ff', '/__proto__', '/constructor', '/work/../work', '/work%2f..', '*'],
  ...['/health/../work', '/health%2f..%2fwork', '/HEALTH', '/healthz/', '/live?x', 'http://x/work', '/\u{fffd}'],
];

describe.each(PLATFORMS)('hostile clients on $platform', ({ adapter }) => {
  async function run(options: SystemProtectionOptions = {}) {
    const { app, url } = await start(
      {
        imports: [
          ResilienceModule.forRoot({ systemProtection: { concurrency: LIMIT, eventLoopDelay: false, ...options } }),
        ],
        controllers: [Routes],
      },
      { adapter },
    );
    const server = app.getHttpServer() as Server;
    const { port } = server.address() as AddressInfo;
    const gate = app.get(ResilienceService).systemProtection as NonNullable<ResilienceService['systemProtection']>;
    const open = (): Promise<Socket> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(socket));
        socket.on('error', () => undefined).resume();
        onTestFinished(() => void socket.destroy());
      });
    return { gate, url, open, get: async (path: string) => (await fetch(url + path)).status };
  }

  it.each(ACTS)('give every place back: one %s', async (_, act) => {
    const { gate, open, get } = await run();
    const visit = async (goodbye: Act): Promise<void> => {
      const socket = await open();
      await act(socket);
      await goodbye(socket);
    };
    await Promise.all(Array.from({ length: 2 * LIMIT }, (_, index) => visit(GOODBYES[index % 4] as Act)));
    await until(() => gate.active === 0, 'every place is free', 4_500);

    // On a busy machine some of what was sent is read only now.
    await expect.poll(() => get('/work'), { timeout: 10_000 }).toBe(200);
    await until(() => gate.active === 0, 'every place is free again', 10_000);
  });

  it('give every place back: 300 strange paths and priorities', async () => {
    const strange: unknown[] = [
      NaN,
      Infinity,
      -Infinity,
      -0,
      1e308,
      '9',
      'high',
      {},
      [],
      null,
      undefined,
      5n,
      Symbol('x'),
    ];
    strange.push(
      Promise.resolve(1),
      Promise.reject(new Error('no')),
      {
        valueOf: () => {
          throw new Error('no');
        },
      },
      () => 1,
    );
    for (const one of strange) if (one instanceof Promise) one.catch(() => undefined);
    let asked = 0;
    const { gate, open, get } = await run({
      priority: () => {
        if (++asked % 20 === 0) throw new Error('no priority');
        return strange[asked % strange.length] as number;
      },
      exempt: () => (asked % 30 === 0 ? (Promise.resolve(true) as never) : false),
    });
    for (let index = 0; index < 300; index++) {
      const path = HOSTILE[index] ?? `/${encodeURIComponent(String.fromCodePoint(index * 37))}`;
      const socket = await open();
      socket.write(head(`GET ${path}`, 'Connection: close'));
      await pause(1);
    }
    await until(() => gate.active === 0);

    expect(asked).toBeGreaterThanOrEqual(HOSTILE.length);
    expect(await get('/work')).toBe(200);
  });

  it('do not shed others while they trickle bodies, read no downloads or only wait', async () => {
    const { gate, open, get } = await run();
    const slow = [json(100) + '{', head('GET /download'), head('GET /endless'), head('GET /events'), 'GET /work'];
    for (const text of slow) {
      const sockets = await Promise.all(Array.from({ length: LIMIT }, open));
      for (const socket of sockets) socket.pause().write(text);
      await pause(50);
      await until(() => gate.active === 0, `no place is taken by ${text}`);
    }
    for (let index = 0; index < 20; index++) expect(await get('/work')).toBe(200);
  });

  it('are turned away when their bodies are there and no place is, before any handler begins', async () => {
    const { gate, open, url } = await run({ concurrency: 1 });
    const late = await Promise.all([open(), open(), open()]);
    const answers = late.map((socket) => {
      let text = '';
      return new Promise<string>((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text.includes('\r\n\r\n')) resolve(text);
        });
      });
    });
    for (const socket of late) socket.write(json(7) + '{"a"');
    await until(() => gate.active === 0);
    await pause(50);
    for (const socket of late) socket.write(':1}');
    const statuses = (await Promise.all(answers)).map((text) => text.slice(9, 12)).sort();

    expect(statuses).toEqual(['201', '503', '503']);
    expect(gate.shed).toBe(2);
    await until(() => late.filter(({ readableEnded }) => readableEnded).length === 2, 'their connections end');
    expect((await fetch(`${url}/work`)).status).toBe(200);
    expect(gate.active).toBe(0);
  });

  it('find a full house only while work is done for them', async () => {
    const { gate, url } = await run({ concurrency: 2 });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const ask = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { agent, headers: { connection: Math.random() < 0.5 ? 'close' : 'keep-alive' } };
        httpRequest(`${url}/work`, options, (response) => {
          response.resume().once('end', () => resolve(response.statusCode as number));
        })
          .on('error', reject)
          .end();
      });
    const statuses = new Set((await Promise.all(Array.from({ length: 100 }, ask))).values());

    expect([...statuses].sort()).toEqual([200, 503]);
    expect(gate.active).toBe(0);
  });
});

describe('hostile clients over HTTP/2', () => {
  it('give every place back', async () => {
    const { app } = await start(
      {
        imports: [ResilienceModule.forRoot({ systemProtection: { concurrency: LIMIT, eventLoopDelay: false } })],
        controllers: [Routes],
      },
      { adapter: () => withoutClosing(new FastifyAdapter({ http2: true } as never)) },
    );
    const { port } = app.getHttpServer().address() as AddressInfo;
    const gate = app.get(ResilienceService).systemProtection;
    const sessions: ReturnType<typeof connectHttp2>[] = [];
    onTestFinished(() => sessions.forEach((one) => one.destroy()));
    const session = () => {
      const made = connectHttp2(`http://127.0.0.1:${port}`);
      made.on('error', () => undefined);
      sessions.push(made);
      return made;
    };
    const post = { ':method': 'POST', ':path': '/upload', 'content-type': 'application/json' };
    const streamsOf = (one: ReturnType<typeof session>, headers: Record<string, string>, endStream = true) =>
      Array.from({ length: LIMIT }, () => one.request(headers, { endStream }).on('error', () => undefined));

    for (const goodbye of ['reset', 'destroy', 'close'] as const) {
      for (const [headers, endStream] of [
        [{ ':path': '/work' }, true],
        [{ ':method': 'HEAD', ':path': '/work' }, true],
        [{ ':path': '/events' }, true],
        [{ ':path': '/download' }, true],
        [{ ':path': '/broken' }, true],
        [post, false],
      ] as const) {
        const one = session();
        const streams = streamsOf(one, headers, endStream);
        if (!endStream) for (const stream of streams) stream.write('{"a":');
        await pause(40);
        if (goodbye === 'reset') for (const stream of streams) stream.close(8);
        else if (goodbye === 'destroy') one.destroy();
        else {
          for (const stream of streams) stream.end(endStream ? undefined : '1}').resume();
        }
        if (goodbye !== 'close' || headers[':path' as never] !== '/events')
          await until(() => gate?.active === 0, `${goodbye} ${JSON.stringify(headers)}`);
        one.destroy();
      }
      await until(() => gate?.active === 0);
    }

    const one = session();
    const stalled = streamsOf(one, post, false);
    for (const stream of stalled) stream.write('{"a":');
    streamsOf(one, { ':path': '/download' });
    await pause(50);
    await until(() => gate?.active === 0, 'the line of the client takes no place');
    const status = await new Promise((resolve) =>
      session()
        .request({ ':path': '/work' })
        .on('response', (headers) => resolve(headers[':status'])),
    );
    expect(status).toBe(200);
  });
});

/** The harness ends what HTTP/1 has: sessions of HTTP/2 are ended by the test. */
function withoutClosing(adapter: FastifyAdapter): FastifyAdapter {
  Object.assign(adapter.getHttpServer(), { closeAllConnections: () => undefined });
  return adapter;
}
