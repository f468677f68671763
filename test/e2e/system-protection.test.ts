import { Agent, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  Controller,
  Get,
  Module,
  Post,
  Body,
  Param,
  Res,
  Sse,
  VersioningType,
  type INestApplication,
  type MessageEvent,
} from '@nestjs/common';
import {
  adaptive,
  ResilienceModule,
  ResilienceService,
  type ResilienceEvent,
  type SystemProtectionOptions,
} from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { initialise, PLATFORMS, start, startUpError, until, type Running } from './support/harness.js';

/** Requests that the test ends. */
let held: (() => void)[] = [];
let bodies: unknown[] = [];
/** How many streams of events the app has seen the end of. */
let closed = 0;

@Controller()
class Routes {
  @Get('held')
  async held(): Promise<string> {
    await new Promise<void>((resolve) => held.push(resolve));
    return 'done';
  }

  @Get('quick')
  quick(): string {
    return 'quick';
  }

  @Get(['health', 'health/:part', 'healthier'])
  health(@Param('part') part?: string): string {
    return part ?? 'healthy';
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return new Observable(() => () => closed++);
  }

  @Get('own-events')
  ownEvents(@Res() reply: ServerResponse | { raw: ServerResponse; hijack(): void }): void {
    if ('hijack' in reply) reply.hijack();
    const response = 'raw' in reply ? reply.raw : reply;
    response.once('close', () => closed++).setHeader('Content-Type', 'Text/Event-Stream; charset=utf-8');
    response.flushHeaders();
  }

  @Post('orders')
  order(@Body() body: unknown): string {
    bodies.push(body);
    return 'ordered';
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends one request; the promise is given back with a way to go away. */
function ask(
  url: string,
  path: string,
  { agent, body, headers }: { agent?: Agent; body?: string; headers?: Record<string, string> } = {},
) {
  const outgoing = httpRequest(`${url}${path}`, {
    agent,
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
  });
  outgoing.end(body);
  return { answer, leave: () => outgoing.destroy() };
}

const get = async (url: string, path: string, headers?: Record<string, string>): Promise<Answer> =>
  ask(url, path, headers === undefined ? {} : { headers }).answer;

beforeEach(() => {
  held = [];
  bodies = [];
  closed = 0;
});

describe.each(PLATFORMS)('system protection on $platform', ({ adapter }) => {
  async function run(
    systemProtection: SystemProtectionOptions | boolean,
    asynchronous = false,
    prepare?: (app: INestApplication) => void,
  ) {
    const root = asynchronous
      ? ResilienceModule.forRootAsync({ useFactory: async () => ({ systemProtection }) })
      : ResilienceModule.forRoot({ systemProtection });
    const running = await start({ imports: [root], controllers: [Routes] }, { adapter, ...(prepare && { prepare }) });
    onTestFinished(() => held.forEach((end) => end()));
    return { ...running, service: running.app.get(ResilienceService) };
  }

  /** Makes `count` requests that are held. */
  async function hold({ url }: Pick<Running, 'url'>, count: number, headers?: Record<string, string>) {
    const before = held.length;
    const asked = Array.from({ length: count }, () => ask(url, '/held', headers === undefined ? {} : { headers }));
    for (const { answer } of asked) answer.catch(() => undefined);
    await until(() => held.length === before + count, 'every request is held');
    return asked;
  }

  it.each([false, true])(
    'sheds what exceeds the limit with 503 and Retry-After, options given later: %s',
    async (later) => {
      const app = await run({ concurrency: 2, retryAfter: 2_500 }, later);
      const [first] = await hold(app, 2);

      const shed = await get(app.url, '/quick');
      held[0]?.();
      await first?.answer;
      await until(() => app.service.systemProtection?.active === 1);
      const after = await get(app.url, '/quick');

      expect(shed).toMatchObject({
        status: 503,
        headers: { 'retry-after': '3', 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({ statusCode: 503, message: 'Service Unavailable', errorCode: 'SHED' }),
      });
      expect(after).toMatchObject({ status: 200, body: 'quick' });
      expect(app.service.systemProtection).toMatchObject({ limit: 2, shed: 1 });
    },
  );

  it('tells of each as an event', async () => {
    const app = await run({ concurrency: 1 });
    const events: ResilienceEvent[] = [];
    const subscription = app.service.events$.subscribe((event) => events.push(event));
    await hold(app, 1);

    await get(app.url, '/quick');
    subscription.unsubscribe();

    expect(events).toMatchObject([
      {
        type: 'shed',
        name: 'ingress',
        policy: 'systemProtection',
        reason: 'concurrency',
        details: { active: 1, limit: 1, priority: 0 },
      },
    ]);
  });

  it('lets health routes in, and what an own list or function names', async () => {
    const app = await run({ concurrency: 1 });
    await hold(app, 1);
    const paths = ['/health', '/health/db', '/health?full=1', '/healthier', '/quick'];
    const byDefault = await Promise.all(paths.map((path) => get(app.url, path)));
    expect(byDefault.map(({ status }) => status)).toEqual([200, 200, 200, 503, 503]);

    const listed = await run({ concurrency: 1, exempt: ['/quick'] });
    await hold(listed, 1);
    const byList = await Promise.all(paths.map((path) => get(listed.url, path)));
    expect(byList.map(({ status }) => status)).toEqual([503, 503, 503, 503, 200]);

    const asked = await run({ concurrency: 1, exempt: ({ headers }) => headers['x-probe'] === 'yes' });
    await hold(asked, 1);
    const byFunction = [
      await get(asked.url, '/quick', { 'x-probe': 'yes' }),
      await get(asked.url, '/health'),
      await get(asked.url, '/quick'),
    ];
    expect(byFunction.map(({ status }) => status)).toEqual([200, 200, 503]);
  });

  it.each<[string, string, (app: INestApplication) => unknown]>([
    ['a prefix', '/api', (app) => app.setGlobalPrefix('api')],
    ['one with slashes', '/api/v1', (app) => app.setGlobalPrefix('/api/v1/')],
    ['one with a parameter', '/acme', (app) => app.setGlobalPrefix(':tenant')],
    ['one from which they are excluded', '', (app) => app.setGlobalPrefix('api', { exclude: ['health'] })],
    ['a version', '/v2', (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' })],
    [
      'a prefix and a version without a prefix of its own',
      '/api/2',
      (app) =>
        app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, prefix: false, defaultVersion: '2' }),
    ],
  ])('lets health routes in under %s', async (_what, before, prepare) => {
    const app = await run({ concurrency: 1 }, false, prepare);
    const after = before === '' ? '/api' : before;
    const heldUp = ask(app.url, `${after}/held`);
    heldUp.answer.catch(() => undefined);
    await until(() => held.length > 0, 'the request is held');

    const paths = [
      `${before}/health`,
      `${before}/health?full=1`,
      `${after}/healthier`,
      `${after}/quick`,
      `/x${before}/health`,
    ];
    const answers = await Promise.all(paths.map((path) => get(app.url, path)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 503, 503, 503]);
  });

  it('takes an own list for whole paths, whatever the prefix', async () => {
    const app = await run({ concurrency: 1, exempt: ['/api/quick'] }, false, (one) => one.setGlobalPrefix('api'));
    ask(app.url, '/api/held').answer.catch(() => undefined);
    await until(() => held.length > 0, 'the request is held');

    const answers = await Promise.all(['/api/quick', '/api/health'].map((path) => get(app.url, path)));

    expect(answers.map(({ status }) => status)).toEqual([200, 503]);
  });

  it('keeps a part of the limit for the more important', async () => {
    const app = await run({ concurrency: 4, priority: ({ headers }) => Number(headers['x-priority'] ?? 0) });
    await get(app.url, '/quick', { 'x-priority': '9' });
    await hold(app, 3);

    const low = await get(app.url, '/quick');
    const [high] = await hold(app, 1, { 'x-priority': '9' });
    const full = await get(app.url, '/quick', { 'x-priority': '9' });

    expect([low.status, full.status]).toEqual([503, 503]);
    expect(high).toBeDefined();
  });

  it('lets so many in each second', async () => {
    const app = await run({ concurrency: false, eventLoopDelay: false, rate: 5 });

    const statuses = (await Promise.all(Array.from({ length: 12 }, () => get(app.url, '/quick')))).map(
      ({ status }) => status,
    );

    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(5);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(4);
  });

  it('keeps the connection of a client that was shed, also when its body was never read', async () => {
    const app = await run({ concurrency: 1 });
    await hold(app, 1);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    let connections = 0;
    (app.app.getHttpServer() as Server).on('connection', () => connections++);
    const body = JSON.stringify({ sku: 'x'.repeat(50_000) });

    const shed = await ask(app.url, '/orders', { agent, body }).answer;
    held[0]?.();
    await until(() => app.service.systemProtection?.active === 0);
    const taken = await ask(app.url, '/orders', { agent, body }).answer;

    expect([shed.status, taken.status, connections]).toEqual([503, 201, 1]);
    expect(bodies).toEqual([JSON.parse(body)]);
  });

  it('gives the slot of a client back that has gone, once its handler has ended', async () => {
    const app = await run({ concurrency: 1 });
    const closed = new Promise((resolve) =>
      app.app
        .getHttpServer()
        .once('request', (_: unknown, response: ServerResponse) => response.once('close', resolve)),
    );
    const [gone] = await hold(app, 1);

    gone?.leave();
    await closed;
    expect(app.service.systemProtection?.active).toBe(1);
    held[0]?.();
    await until(() => app.service.systemProtection?.active === 0);

    expect(await get(app.url, '/quick')).toMatchObject({ status: 200 });
  });

  it('does not count streams of events, for as long as they may go on', async () => {
    const app = await run({ concurrency: 2 });
    const streams: IncomingMessage[] = [];
    onTestFinished(() => streams.forEach((stream) => stream.destroy()));
    for (const path of ['/events', '/events', '/own-events', '/own-events', '/own-events']) {
      await new Promise<void>((resolve, reject) => {
        const outgoing = httpRequest(`${app.url}${path}`, (response) => {
          streams.push(response.on('error', () => undefined).resume());
          resolve();
        });
        outgoing.on('error', reject).end();
      });
    }

    expect(streams.map(({ statusCode, headers }) => [statusCode, headers['content-type']?.toLowerCase()])).toEqual(
      streams.map(() => [200, expect.stringContaining('text/event-stream')]),
    );
    expect(app.service.systemProtection).toMatchObject({ active: 0, shed: 0 });
    await hold(app, 2);
    expect((await get(app.url, '/quick')).status).toBe(503);

    // Their end gives nothing back a second time.
    for (const stream of streams) stream.destroy();
    await until(() => closed === 5, 'the app knows of their end');
    expect(app.service.systemProtection).toMatchObject({ active: 2 });
  });

  it('sheds while one turn of the loop after the other is too long, and stops when that is over', async () => {
    @Controller()
    class Busy {
      @Get('busy')
      busy(): string {
        for (const end = performance.now() + 20; performance.now() < end;);
        return 'busy';
      }
    }
    @Module({
      imports: [ResilienceModule.forRoot({ systemProtection: { concurrency: false, eventLoopDelay: 40 } })],
      controllers: [Busy, Routes],
    })
    class App {}
    const { url, app } = await start({ imports: [App] }, { adapter });
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    onTestFinished(() => agent.destroy());
    const shed = () => app.get(ResilienceService).systemProtection?.shed ?? 0;

    let going = true;
    const statuses = new Set<number>();
    const clients = Array.from({ length: 20 }, async () => {
      while (going) statuses.add((await ask(url, '/busy', { agent }).answer).status);
    });
    await until(() => shed() > 50, 'enough are shed', 20_000);
    going = false;
    await Promise.all(clients);
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    expect([...statuses].sort()).toEqual([200, 503]);
    expect((await get(url, '/quick')).status).toBe(200);
  });

  it('has defaults: an adaptive limit', async () => {
    const app = await run(true);

    expect((await get(app.url, '/quick')).status).toBe(200);
    expect(app.service.systemProtection).toMatchObject({ limit: adaptive().options.initial, shed: 0 });
  });

  it('leaves the server as it was, when the app is closed', async () => {
    const app = await run({ concurrency: 1 });
    const server = app.app.getHttpServer() as Server;
    expect(Object.hasOwn(server, 'emit')).toBe(true);

    await app.app.close();

    expect(Object.hasOwn(server, 'emit')).toBe(false);
  });
});

describe('system protection', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['systemProtection: false', { systemProtection: false }, undefined],
    ['enabled: false', { systemProtection: true, enabled: false }, undefined],
    ['BULWARK_DISABLED=1', { systemProtection: true }, '1'],
  ])('is off with %s', async (_, options, variable) => {
    vi.stubEnv('BULWARK_DISABLED', variable);

    const { app } = await start({ imports: [ResilienceModule.forRoot(options)], controllers: [Routes] });

    expect(app.get(ResilienceService).systemProtection).toBeUndefined();
    expect(Object.hasOwn(app.getHttpServer() as Server, 'emit')).toBe(false);
  });

  it('does nothing where there is no HTTP server', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ systemProtection: true })] });

    expect(module.get(ResilienceService).systemProtection).toBeUndefined();
  });

  it.each([
    [{ concurrency: 0 }, "option 'concurrency': expected false, or a whole number of at least 1, or adaptive(), got 0"],
    [{ eventLoopDelay: -1 }, "option 'eventLoopDelay': expected false, or a number of milliseconds above 0"],
    [{ rate: 0 }, "option 'rate': expected false, or a number above 0, got 0"],
    [{ exempt: ['health'] }, "option 'exempt': expected a list of paths that begin with '/', or a function"],
    [{ priority: 1 }, "option 'priority': expected a function (not an async one), got 1"],
    [{ retryAfter: 0 }, "option 'retryAfter': expected a number of milliseconds above 0"],
    [{ limit: 1 }, "unknown option 'limit'"],
    ['yes', "expected an options object, got 'yes'"],
  ])('refuses %j at start', async (systemProtection, message) => {
    const error = await startUpError({ imports: [ResilienceModule.forRoot({ systemProtection } as object)] });

    expect(error.message).toContain(`ResilienceModule.forRoot.systemProtection: ${message}`);
  });
});
