import { request as send, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import {
  Controller,
  Get,
  Injectable,
  Module,
  VersioningType,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import compression from 'compression';
import helmet from 'helmet';
import { ResilienceInterceptor, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { Registry } from 'prom-client';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { parseExposition, seriesOf } from '../support/exposition.js';
import { PLATFORMS, start, startUpError, type StartOptions } from './support/harness.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `fetch` hides how an answer was sent. */
function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    send(url, { headers, method }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** As many apps answer: everything in an envelope. */
@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Injectable()
class Keys {
  readonly key = 'secret';
}

/** A guard that injects something. */
@Injectable()
class KeyGuard implements CanActivate {
  constructor(private readonly keys: Keys) {}

  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: IncomingHttpHeaders }>().headers['x-key'] === this.keys.key;
  }
}

@Module({ providers: [Keys], exports: [Keys] })
class KeysModule {}

@Controller()
class Own {
  @Get('metrics')
  metrics(): string {
    return 'of the app itself';
  }
}

const root = () => ResilienceModule.forRoot({ log: false, policies: { default: { timeout: 5_000 } } });

describe.each(PLATFORMS)('the route of the metrics, on $platform', ({ adapter }) => {
  async function at(
    module: ReturnType<typeof ResilienceMetricsModule.forRoot>,
    more: { providers?: object[]; controllers?: (typeof Own)[]; prepare?: StartOptions['prepare'] } = {},
  ) {
    const { providers = [], controllers = [], prepare } = more;
    const metadata = { imports: [root(), module], providers: providers as never[], controllers };
    return start(metadata, { adapter, ...(prepare && { prepare }) });
  }

  it('gives the registry, in its format', async () => {
    const { app, url } = await at(ResilienceMetricsModule.forRoot({ defaultMetrics: true }));
    await app.get(ResilienceService).execute({ name: 'one', timeout: 1_000 }, () => 1);

    const { status, headers, body } = await get(`${url}/metrics`);

    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    expect(body.toString()).toContain('\nprocess_cpu_user_seconds_total ');
    const all = parseExposition(body.toString());
    expect(seriesOf(all, 'bulwark_calls_total')['name=one,outcome=success']).toBe(1);
  });

  it('answers HEAD, and packs what it gives for whoever takes that', async () => {
    const { url } = await at(ResilienceMetricsModule.forRoot());

    const plain = await get(`${url}/metrics`, { 'accept-encoding': 'gzip;q=0' });
    const packed = await get(`${url}/metrics`, { 'accept-encoding': 'gzip' });
    const head = await get(`${url}/metrics`, {}, 'HEAD');

    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
    expect(Object.keys(parseExposition(gunzipSync(packed.body).toString()))).toContain('values');
    expect([head.status, head.body.length]).toEqual([200, 0]);
  });

  it('stays as it is beside compression, helmet, versions, a prefix and an interceptor that wraps answers', async () => {
    const { app, url } = await at(ResilienceMetricsModule.forRoot(), {
      providers: [{ provide: APP_INTERCEPTOR, useClass: Wrapping }],
      prepare: (app: INestApplication) => {
        // Express middleware stands before Fastify's routes, too.
        for (const middleware of [helmet(), compression({ threshold: 0 })]) app.use(middleware);
        app.enableVersioning({ type: VersioningType.URI });
        app.setGlobalPrefix('api');
        app.enableCors();
      },
    });
    await app.get(ResilienceService).execute({ name: 'one', timeout: 1_000 }, () => 1);

    for (const encoding of ['identity', 'gzip']) {
      const { status, headers, body } = await get(`${url}/api/metrics`, {
        'accept-encoding': encoding,
        origin: 'http://elsewhere',
      });

      expect(status).toBe(200);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['access-control-allow-origin']).toBe('*');
      const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
      expect(seriesOf(parseExposition(text), 'bulwark_calls_total')['name=one,outcome=success']).toBe(1);
    }
  });

  it('is at the path that the options say', async () => {
    const { url } = await at(ResilienceMetricsModule.forRoot({ path: '/internal/prometheus' }));

    expect((await get(`${url}/internal/prometheus`)).status).toBe(200);
    expect((await get(`${url}/metrics`)).status).toBe(404);
  });

  it('is protected by guards, as classes that inject something and as instances', async () => {
    const closed: CanActivate = { canActivate: () => false };
    const byClass = await at(ResilienceMetricsModule.forRoot({ guards: [KeyGuard], imports: [KeysModule] }));
    const later = await at(
      ResilienceMetricsModule.forRootAsync({ useFactory: () => ({}), guards: [KeyGuard], imports: [KeysModule] }),
    );
    const byInstance = await at(ResilienceMetricsModule.forRoot({ guards: [closed] }));

    for (const { url } of [byClass, later]) {
      expect((await get(`${url}/metrics`)).status).toBe(403);
      expect((await get(`${url}/metrics`, { 'x-key': 'secret' })).status).toBe(200);
    }
    expect((await get(`${byInstance.url}/metrics`)).status).toBe(403);
  });

  it('is under the global guards of the app', async () => {
    const closed: CanActivate = { canActivate: () => false };
    const { url } = await at(ResilienceMetricsModule.forRoot(), {
      providers: [{ provide: APP_GUARD, useValue: closed }],
    });

    expect((await get(`${url}/metrics`)).status).toBe(403);
  });

  it('is no call of the app: global policies neither refuse nor count it', async () => {
    const { url } = await at(ResilienceMetricsModule.forRoot(), {
      providers: [{ provide: APP_INTERCEPTOR, useClass: ResilienceInterceptor }],
    });

    await get(`${url}/metrics`);
    const { body } = await get(`${url}/metrics`);

    expect(seriesOf(parseExposition(body.toString()), 'bulwark_calls_total')).toEqual({});
  });

  it.each([
    ['forRoot', () => ResilienceMetricsModule.forRoot({ registry: new Registry() })],
    ['forRootAsync', () => ResilienceMetricsModule.forRootAsync({ useFactory: () => ({ registry: new Registry() }) })],
    ['path: false', () => ResilienceMetricsModule.forRoot({ path: false })],
  ])('is not there where the app has a registry, or wants none: %s', async (_how, module) => {
    const { url } = await at(module(), { controllers: [Own] });

    expect((await get(`${url}/metrics`)).body.toString()).toBe('of the app itself');
  });

  it('shows the registry of the app where a path is given too', async () => {
    const registry = new Registry();
    const { url } = await at(
      ResilienceMetricsModule.forRootAsync({ useFactory: () => ({ registry }), path: '/prometheus' }),
    );

    const { body } = await get(`${url}/prometheus`);

    const names = (text: string) => [...parseExposition(text).types.keys()];
    expect(names(body.toString())).toEqual(names(await registry.metrics()));
  });

  it('fails where a metric of the app does', async () => {
    const registry = new Registry();
    registry.registerMetric({
      name: 'broken',
      get: () => Promise.reject(new Error('broken')),
    } as never);
    const { url } = await at(ResilienceMetricsModule.forRoot({ registry, path: '/metrics' }));

    expect((await get(`${url}/metrics`)).status).toBe(500);
  });
});

it('of the metrics does not start without the module whose calls are counted', async () => {
  const error = await startUpError({ imports: [ResilienceMetricsModule.forRoot()] });

  expect(error.message).toContain('ResilienceModule');
});
