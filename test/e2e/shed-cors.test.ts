import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import type { CorsOptions } from '@nestjs/common/interfaces/external/cors-options.interface.js';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { PLATFORMS, start, until } from './support/harness.js';

/** Requests that the test ends. */
let held: (() => void)[] = [];

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
}

const ORIGIN = 'https://shop.example';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(url: string, method = 'GET', headers: Record<string, string> = { origin: ORIGIN }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on('error', reject).end();
  });
}

const corsOf = ({ headers }: Answer): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name === 'vary' || name.startsWith('access-control-')));

describe.each(PLATFORMS)('an answer in the place of an app that is full, on $platform', ({ platform, adapter }) => {
  /** An app whose only place is taken, once `whileFree` has been asked. */
  async function full(prepare: (app: INestApplication) => unknown) {
    held = [];
    const { app, url } = await start(
      {
        imports: [ResilienceModule.forRoot({ systemProtection: { concurrency: 1, eventLoopDelay: false } })],
        controllers: [Routes],
      },
      { adapter, prepare },
    );
    const free = await ask(`${url}/quick`);
    const first = ask(`${url}/held`, 'GET', {});
    await until(() => held.length === 1);
    return { app, url, free, end: () => (held.forEach((go) => go()), first) };
  }

  type Cors = CorsOptions | undefined;

  it.each<[string, Cors]>([
    ['any origin', undefined],
    ['an origin, with credentials', { origin: ORIGIN, credentials: true }],
    ['a list', { origin: ['https://other.example', ORIGIN], exposedHeaders: ['Retry-After'] }],
    ['an expression', { origin: /\.example$/ }],
    ['other origins only', { origin: ['https://other.example'] }],
    ['none', { origin: false }],
    ['what a function says', { origin: (origin, done) => done(null, origin === ORIGIN) }],
    ['what a function says later', { origin: (_origin, done) => void setTimeout(() => done(null, true), 10) }],
    [
      'what a function cannot say',
      { origin: (from, done) => done(from === undefined ? null : new Error('no database'), true) },
    ],
  ])('has the headers by which a browser shows it: %s', async (_, options) => {
    const { app, url, free, end } = await full((app) => app.enableCors(options));

    const shed = await ask(`${url}/quick`);

    expect(shed.status).toBe(503);
    expect(JSON.parse(shed.body)).toMatchObject({ errorCode: 'SHED' });
    expect(shed.headers['retry-after']).toBe('1');
    if (free.status === 200) expect(corsOf(shed)).toEqual(corsOf(free));
    else expect(corsOf(shed)).not.toHaveProperty('access-control-allow-origin');
    expect(app.get(ResilienceService).systemProtection?.shed).toBe(1);
    await end();
  });

  it('has none where the app sets none, or no page asks', async () => {
    const bare = await full(() => undefined);
    expect(corsOf(await ask(`${bare.url}/quick`))).toEqual({});
    await bare.end();

    const open = await full((app) => app.enableCors());
    expect((await ask(`${open.url}/quick`, 'GET', {})).status).toBe(503);
    await open.end();
  });

  it('does not wait for an app that never says what it allows', async () => {
    let asked = 0;
    const never: CorsOptions = { origin: (_origin, done) => void (asked++ === 0 && done(null, true)) };
    held = [];
    const { url } = await start(
      {
        imports: [ResilienceModule.forRoot({ systemProtection: { concurrency: 1, eventLoopDelay: false } })],
        controllers: [Routes],
      },
      { adapter, prepare: (app) => app.enableCors(never) },
    );
    const first = ask(`${url}/held`, 'GET', { origin: ORIGIN });
    await until(() => held.length === 1);

    expect((await ask(`${url}/quick`)).status).toBe(503);
    held[0]?.();
    await first;
  });

  it('is not given to a preflight, which the app answers', async () => {
    const { app, url, end } = await full((app) => app.enableCors({ origin: ORIGIN }));
    const preflight = { origin: ORIGIN, 'access-control-request-method': 'POST' };

    const answer = await ask(`${url}/quick`, 'OPTIONS', preflight);
    const plain = await ask(`${url}/quick`, 'OPTIONS');

    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': ORIGIN });
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    expect(plain.status).toBe(503);
    expect(app.get(ResilienceService).systemProtection).toMatchObject({ active: 1, shed: 1 });
    await end();
  });

  it('has those of the package itself, where the app uses that', async () => {
    const load = createRequire(import.meta.resolve(`@nestjs/platform-${platform.toLowerCase()}`));
    const { url, end } = await full((app) => {
      const instance = app.getHttpAdapter().getInstance() as {
        use(middleware: unknown): void;
        register(plugin: unknown, options: object): void;
      };
      const options = { origin: ORIGIN };
      if (platform === 'Express') instance.use((load('cors') as (options: object) => unknown)(options));
      else instance.register(load('@fastify/cors'), options);
    });

    const shed = await ask(`${url}/quick`);

    expect(shed.status).toBe(503);
    expect(shed.headers['access-control-allow-origin']).toBe(ORIGIN);
    await end();
  });
});
