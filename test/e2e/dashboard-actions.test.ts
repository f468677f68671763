import { request as httpRequest, type RequestOptions } from 'node:http';
import { Controller, ForbiddenException, Get } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ResilienceEvent } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import {
  act,
  action,
  OPERATOR,
  SAME_ORIGIN,
  StaffGuard,
  startDashboard,
  type DashboardApp,
} from './support/dashboard-app.js';
import { PLATFORMS, until } from './support/harness.js';

const MIB = 1_024 * 1_024;
const HOSTILE = {
  script: '<script>alert(1)</script>',
  long: 'x'.repeat(10_000),
  control: 'a\u0000\n\u001b[31m\u202eb',
};

/** What the log says of the dashboard. */
const lines = ({ log }: DashboardApp): string[] =>
  log.ofBulwark('warn').filter((line) => line.startsWith('Dashboard: '));

/** Sends a body of which fetch would not tell. */
function post(url: string, body: Buffer | undefined, options: RequestOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const { headers, ...more } = options;
    const sent = httpRequest(
      `${url}/api/actions`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...OPERATOR, ...SAME_ORIGIN, ...(headers as object) },
        ...more,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode as number);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

describe.each(PLATFORMS)('an action on $platform', ({ platform, adapter }) => {
  const isExpress = platform === 'Express';

  it('forces a breaker open, and says who did', async () => {
    const app = await startDashboard(undefined, { adapter });
    const { page, state, service } = app;

    const { status, body } = await act(page, action(await state(), { reason: 'failover of the bank' }));

    expect(status).toBe(200);
    expect(body).toEqual({ state: 'forcedOpen' });
    expect(service.circuitBreaker('payments').state).toBe('forcedOpen');
    expect(lines(app)).toEqual([
      "Dashboard: ann at 127.0.0.1: forceOpen 'payments', reason 'failover of the bank': done, it is forcedOpen",
    ]);
    expect((await state()).timeline.map(({ type, name }) => [type, name])).toEqual([
      ['stateChange', 'payments'],
      ['operatorAction', 'payments'],
    ]);
  });

  it.each([
    ['forceOpen', 'closed', 'forcedOpen'],
    ['disable', 'closed', 'disabled'],
    ['reset', 'forcedOpen', 'closed'],
    ['forceClose', 'forcedOpen', 'closed'],
    ['enable', 'disabled', 'closed'],
  ] as const)('%s of a breaker that is %s makes it %s', async (what, seen, then) => {
    const { page, state, service } = await startDashboard(undefined, { adapter });
    if (seen === 'forcedOpen') service.circuitBreaker('payments').forceOpen();
    if (seen === 'disabled') service.circuitBreaker('payments').disable();

    expect(await act(page, action(await state(), { action: what, seen }))).toEqual({
      status: 200,
      body: { state: then },
    });
  });

  it('can be for one key alone', async () => {
    const { page, state, service, payments } = await startDashboard(undefined, { adapter });
    for (const tenant of ['a', 'b']) await payments.ofTenant(tenant, () => 1);

    const { status } = await act(page, action(await state(), { instance: 'tenants', key: 'a' }));

    expect(status).toBe(200);
    expect(['a', 'b'].map((key) => service.circuitBreaker('tenants', key).state)).toEqual(['forcedOpen', 'closed']);
  });

  it('without rights does nothing, and is logged', async () => {
    const app = await startDashboard(undefined, { adapter });

    const { status, body } = await act(app.page, action(await app.state()), SAME_ORIGIN);

    expect([status, body.code]).toEqual([403, 'FORBIDDEN']);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
    expect(lines(app)).toEqual([
      "Dashboard: somebody at 127.0.0.1: forceOpen 'payments': refused (FORBIDDEN), actionGuards did not let this client in",
    ]);
  });

  it('without actionGuards is nobody allowed', async () => {
    const app = await startDashboard({ guards: [] }, { adapter });

    expect((await act(app.page, action(await app.state()))).status).toBe(403);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
  });

  it('that the guards of the page turn away is logged', async () => {
    const app = await startDashboard({ guards: [StaffGuard], actionGuards: [] }, { adapter });
    const request = action(await app.state(OPERATOR));

    expect((await act(app.page, request, SAME_ORIGIN)).status).toBe(403);
    await until(() => lines(app).length > 0);
    expect(lines(app)).toEqual([
      'Dashboard: somebody at 127.0.0.1: an action: refused (HTTP_403), the app has answered 403 before it was read',
    ]);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
    expect((await act(app.page, request)).status).toBe(200);
  });

  it('that a global guard of the app turns away is logged', async () => {
    const refuses = {
      provide: APP_GUARD,
      useValue: {
        canActivate: () => {
          throw new ForbiddenException();
        },
      },
    };
    const app = await startDashboard(undefined, { adapter, providers: [refuses] });

    expect((await act(app.page, action({ process: { id: 'x' } as never }))).status).toBe(403);
    await until(() => lines(app).length > 0);
    expect(lines(app)).toHaveLength(1);
  });

  it('from another origin does nothing, and is logged', async () => {
    const app = await startDashboard(undefined, { adapter, prepare: (nest) => nest.enableCors() });
    const request = action(await app.state());
    const headers: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      {},
    ];

    const statuses: number[] = [];
    for (const sent of headers) statuses.push((await act(app.page, request, { ...OPERATOR, ...sent })).status);

    expect(new Set(statuses)).toEqual(new Set([403]));
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
    expect(lines(app)).toHaveLength(headers.length);
    expect(lines(app)[0]).toContain('refused (FORBIDDEN), the request does not come from this page');
  });

  it('over plain HTTP comes from the host that it is sent to, or from an origin that is allowed', async () => {
    const allowedOrigins = ['https://admin.example.com'];
    const { page, state } = await startDashboard({ actionGuards: [StaffGuard], allowedOrigins }, { adapter });
    const { host } = new URL(page);

    for (const origin of [`http://${host}`, `https://${host}`, ...allowedOrigins])
      expect((await act(page, action(await state(), { action: 'reset' }), { ...OPERATOR, origin })).status).toBe(200);
  });

  it.each(Object.entries(HOSTILE))(
    'for a hostile name (%s) does nothing, and is logged in one line',
    async (_, name) => {
      const app = await startDashboard(undefined, { adapter });

      const { status, body } = await act(app.page, action(await app.state(), { instance: name }));
      const detail = await fetch(`${app.page}/api/instances?name=${encodeURIComponent(name.slice(0, 2_000))}`);

      expect([status, body.code]).toEqual([404, 'UNKNOWN_INSTANCE']);
      expect(detail.status).toBe(404);
      expect(detail.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(lines(app)).toHaveLength(2);
      // eslint-disable-next-line no-control-regex
      for (const line of lines(app)) expect(line).toMatch(/^[^\u0000-\u001f\u202a-\u202e]{1,300}$/);
    },
  );

  it('is not taken twice', async () => {
    const app = await startDashboard(undefined, { adapter });
    const request = action(await app.state(), { action: 'reset' });
    await act(app.page, request);

    const again = await act(app.page, { ...request, id: request.id.toUpperCase() });

    expect([again.status, again.body.code]).toEqual([409, 'REPEATED']);
    expect(lines(app)[1]).toContain('refused (REPEATED)');
  });

  it('of somebody who saw another state does nothing, and is logged', async () => {
    const app = await startDashboard(undefined, { adapter });

    const { status, body } = await act(app.page, action(await app.state(), { seen: 'open', action: 'forceOpen' }));

    expect([status, body.code]).toEqual([409, 'STALE']);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
    expect(lines(app)[0]).toContain('refused (STALE)');
  });

  it('for another process does nothing, and is logged', async () => {
    const app = await startDashboard(undefined, { adapter });
    const elsewhere = { process: { ...(await app.state()).process, id: 'another' } };

    const { status, body } = await act(app.page, action(elsewhere));

    expect([status, body.code]).toEqual([409, 'OTHER_PROCESS']);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
    expect(lines(app)[0]).toContain('refused (OTHER_PROCESS)');
  });

  describe('with a body of 10 MiB', () => {
    const padded = (request: object): Buffer => Buffer.from(JSON.stringify(request).padEnd(10 * MIB, ' '));
    const roomy = (nest: unknown): void => {
      if (isExpress) (nest as NestExpressApplication).useBodyParser('json', { limit: '20mb' });
      else (nest as NestFastifyApplication).useBodyParser('application/json', { bodyLimit: 20 * MIB });
    };

    it.each([
      ['and the limits of the platform', undefined, {}],
      ['that the app would read', roomy, {}],
      ['that the app would read, without its length', roomy, { 'transfer-encoding': 'chunked' }],
    ])('%s does nothing, and is logged', async (_, prepare, headers) => {
      const app = await startDashboard(undefined, { adapter, ...(prepare && { prepare }) });

      const status = await post(app.page, padded(action(await app.state())), { headers });

      expect(status).toBe(413);
      expect(app.service.circuitBreaker('payments').state).toBe('closed');
      await until(() => lines(app).length > 0);
      expect(lines(app)).toHaveLength(1);
    });
  });

  it('of another content type does nothing, and is logged', async () => {
    const app = await startDashboard(undefined, { adapter });
    const request = action(await app.state());

    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'text/plain; application/json',
    ])
      expect((await act(app.page, request, { ...OPERATOR, ...SAME_ORIGIN, 'content-type': type })).status).toBe(415);

    await until(() => lines(app).length === 4);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
  });

  it.each([
    ['no JSON', '{', 400],
    ['no object', '[]', 400],
    ['no id', { id: undefined }, 400],
    ['an id that is no UUID', { id: 'x' }, 400],
    ['an unknown action', { action: 'explode' }, 400],
    ['an unknown state', { seen: 'broken' }, 400],
    ['a reason that is too long', { reason: 'x'.repeat(201) }, 400],
    ['a key that has no breaker', { instance: 'tenants', key: 'nobody' }, 404],
    ['a key, for all processes', { instance: 'tenants', key: 'a', scope: 'fleet' }, 400],
    ['all processes, where there are none', { scope: 'fleet' }, 409],
  ])('with %s is refused', async (_, more, expected) => {
    const app = await startDashboard(undefined, { adapter });
    const body = typeof more === 'string' ? more : { ...action(await app.state()), ...more };

    expect((await act(app.page, body)).status).toBe(expected);
    await until(() => lines(app).length > 0);
    expect(app.service.circuitBreaker('payments').state).toBe('closed');
  });

  it('is told as an event', async () => {
    const app = await startDashboard(undefined, { adapter });
    const events: ResilienceEvent[] = [];
    app.service.events$.subscribe((event) => void (event.type === 'operatorAction' && events.push(event)));
    const state = await app.state();
    await act(app.page, action(state, { reason: 'why' }));
    await act(app.page, action(state));

    expect(events).toMatchObject([
      {
        name: 'payments',
        action: 'forceOpen',
        by: 'ann at 127.0.0.1',
        reason: 'why',
        outcome: 'done',
        scope: 'process',
      },
      { name: 'payments', action: 'forceOpen', by: 'ann at 127.0.0.1', outcome: 'STALE' },
    ]);
  });

  it('is read where the app has no parser', async () => {
    const { page, state } = await startDashboard(undefined, { adapter, nest: { bodyParser: false } });

    expect((await act(page, action(await state()))).status).toBe(200);
    if (isExpress) expect((await act(page, '{')).body.code).toBe('INVALID');
  });
});

@Controller('other')
class Other {
  @Get('api/actions')
  get(): string {
    return 'other';
  }
}

it('is told of the dashboard alone', async () => {
  const app = await startDashboard(undefined, { controllers: [Other] });
  await fetch(`${app.url}/other/api/actions`, { method: 'POST' });

  expect(lines(app)).toEqual([]);
});
