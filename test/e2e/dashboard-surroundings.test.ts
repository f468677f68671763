import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  Catch,
  Injectable,
  ValidationPipe,
  VersioningType,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import compression from 'compression';
import helmet from 'helmet';
import { ResilienceInterceptor, TimeoutInterceptor } from 'nestjs-bulwark';
import { map, type Observable } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARD_PAGE } from '../../lib/observability/dashboard/dashboard.tokens.js';
import {
  act,
  action,
  listen,
  OPERATOR,
  StaffGuard,
  startDashboard,
  type DashboardApp,
} from './support/dashboard-app.js';
import { PLATFORMS, until, type StartOptions } from './support/harness.js';

const HTML =
  '<!doctype html><html><head>\n<link rel="icon" href="./icon.svg" /></head><body><script type="module" src="./assets/page.js"></script></body></html>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(5_000))});`;
/** Other pages of the app must not hear of these answers. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

let folder: URL;
beforeAll(async () => {
  const path = await mkdtemp(join(tmpdir(), 'page-'));
  await mkdir(join(path, 'assets'));
  await writeFile(join(path, 'index.html'), HTML);
  await writeFile(join(path, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await writeFile(join(path, 'assets', 'page.js'), SCRIPT);
  folder = pathToFileURL(`${path}/`);
});

const withPage: StartOptions['override'] = (builder) => builder.overrideProvider(DASHBOARD_PAGE).useValue(folder);

@Injectable()
class Wrapping {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Catch()
class CatchAll implements ExceptionFilter {
  catch(): never {
    throw new Error('nothing of the page is an error');
  }
}

/** Page, assets, state, stream and actions are as they should be. */
async function expectIntact({ page, state }: DashboardApp): Promise<void> {
  const html = await fetch(page);
  expect(html.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const text = await html.text();
  expect(text).toBe(HTML.replace('<head>', '<head>\n    <base href="./resilience/" />'));
  const script = await fetch(`${page}/assets/page.js`);
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(await script.text()).toBe(SCRIPT);

  const stream = await listen(page, { 'accept-encoding': 'gzip, br' });
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  await until(() => stream.events.length > 0);
  expect(stream.events[0]).toMatchObject({ event: 'state', data: { instances: expect.any(Array) } });

  const seen = await state(OPERATOR);
  expect(seen.canAct).toBe(true);
  expect((await act(page, action(seen))).status).toBe(200);
  await until(() => stream.events.some(({ event }) => event === 'tick'));
  expect(stream.events.at(-1)?.data).toMatchObject({ timeline: [{ type: 'stateChange' }, { type: 'operatorAction' }] });
  stream.leave();
  await stream.ended;

  const api = await fetch(`${page}/api/state`, { headers: { origin: 'https://evil.example' } });
  for (const { headers } of [html, script, stream.response, api]) {
    expect(headers.get('content-security-policy')).toBe(CSP);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-encoding')).toBeNull();
    expect(headers.get('cache-control')).toContain('no-transform');
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  }
  expect(api.headers.get('cache-control')).toContain('no-store');
}

const guarded = { actionGuards: [StaffGuard] };

describe.each(PLATFORMS)('the dashboard on $platform stays intact', ({ platform, adapter }) => {
  const isExpress = platform === 'Express';
  const both: [string, Parameters<typeof startDashboard>[1]][] = [
    ['in a plain app', {}],
    ['under a global prefix', { prefix: '/api/v7', prepare: (app) => app.setGlobalPrefix('api/v7') }],
    [
      'with versions in paths',
      { prepare: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }) },
    ],
    [
      'with versions in headers',
      { prepare: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'v', defaultVersion: '1' }) },
    ],
    ['with CORS for everybody', { prepare: (app) => app.enableCors({ origin: true, credentials: true }) }],
    ['with an interceptor that wraps every answer', { providers: [{ provide: APP_INTERCEPTOR, useClass: Wrapping }] }],
    ['with a filter for everything', { providers: [{ provide: APP_FILTER, useClass: CatchAll }] }],
    [
      'with a pipe for everything',
      {
        providers: [
          {
            provide: APP_PIPE,
            useValue: new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
          },
        ],
      },
    ],
    [
      'with interceptors of this package for everything',
      {
        policies: { default: { timeout: 50, circuitBreaker: {}, bulkhead: 5 } },
        providers: [
          { provide: APP_INTERCEPTOR, useClass: TimeoutInterceptor.with(50) },
          { provide: APP_INTERCEPTOR, useClass: ResilienceInterceptor },
        ],
      },
    ],
  ];
  const onExpress: typeof both = [
    ['with compression', { prepare: (app: INestApplication) => void app.use(compression({ threshold: 0 })) }],
    ['with helmet', { prepare: (app: INestApplication) => void app.use(helmet()) }],
    [
      'with all of that',
      {
        prefix: '/api',
        prepare: (app: INestApplication) => {
          app.use(helmet(), compression({ threshold: 0 }));
          app.enableCors();
          app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI });
        },
        providers: [
          { provide: APP_INTERCEPTOR, useClass: Wrapping },
          { provide: APP_FILTER, useClass: CatchAll },
        ],
      },
    ],
  ];

  it.each(isExpress ? [...both, ...onExpress] : both)('%s', async (_, more) => {
    await expectIntact(await startDashboard(guarded, { adapter, override: withPage, ...more }));
  });

  it('at a path of its own', async () => {
    const { page } = await startDashboard({ path: 'ops/bulwark' }, { adapter, override: withPage, prefix: '/' });

    expect(await (await fetch(page)).text()).toContain('<base href="./bulwark/" />');
    // Fastify tells the two paths apart, unless it is told otherwise.
    if (isExpress) expect(await (await fetch(`${page}/`)).text()).toContain('<base href="./" />');
    expect((await fetch(`${page}/icon.svg`)).headers.get('content-type')).toBe('image/svg+xml');
  });

  it('and is not itself under the policies of the app', async () => {
    const { state } = await startDashboard(guarded, {
      adapter,
      policies: { default: { timeout: 50, circuitBreaker: {} } },
      providers: [{ provide: APP_INTERCEPTOR, useClass: ResilienceInterceptor }],
    });

    const { instances } = await state();

    expect(instances.filter(({ name }) => name.includes('Dashboard'))).toEqual([]);
  });

  it('and gives no other file', async () => {
    const { page, url } = await startDashboard(guarded, { adapter, override: withPage });

    for (const path of [
      'assets/..%2findex.html',
      'assets/..%2f..%2f..%2fetc%2fpasswd',
      '..%2fpackage.json',
      'index.html',
      'assets',
      'x',
    ])
      expect((await fetch(`${page}/${path}`)).status).toBe(404);
    expect((await fetch(`${url}/resilience/assets/%2e%2e/%2e%2e/package.json`)).status).toBe(404);
  });

  it('and sends what has not changed once only', async () => {
    const { page } = await startDashboard(guarded, { adapter, override: withPage });
    for (const path of ['', '/assets/page.js']) {
      const etag = (await fetch(page + path)).headers.get('etag') as string;

      expect((await fetch(page + path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    }
  });

  it('to whoever asks for headers only', async () => {
    const { page } = await startDashboard(guarded, { adapter, override: withPage });

    for (const path of ['', '/api/state', '/api/stream'])
      expect((await fetch(page + path, { method: 'HEAD' })).status).toBe(200);
  });

  it('and says so where the page was not built', async () => {
    const nowhere = new URL('nowhere/', folder);
    const override: StartOptions['override'] = (builder) => builder.overrideProvider(DASHBOARD_PAGE).useValue(nowhere);
    const { page } = await startDashboard(guarded, { adapter, override });

    const answer = await fetch(page);

    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('not part of this build')]);
  });
});
