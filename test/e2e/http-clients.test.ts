import type { AddressInfo } from 'node:net';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Headers, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { currentCall, fixed, Idempotent, ResilienceModule, Retry, Timeout } from 'nestjs-bulwark';
import { ResilienceHttpModule, resilientFetch, UpstreamHttpError } from 'nestjs-bulwark/http';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';

type Seen = Record<string, string | undefined>;

/** What came to the upstream, and what it answers. */
const seen: Seen[] = [];
let answer: () => unknown = () => 'fine';

@Controller()
class Upstream {
  @Get()
  get(@Headers() headers: Seen): unknown {
    seen.push(headers);
    return answer();
  }
}

async function listen(
  module: DynamicModule,
): Promise<{ url: string; app: Awaited<ReturnType<typeof NestFactory.create>> }> {
  const app = await NestFactory.create(module, { logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { app, url: `http://127.0.0.1:${port}` };
}

@Module({})
class UpstreamApp {}
@Module({})
class App {}

async function start(callContext = true) {
  seen.length = 0;
  answer = () => 'fine';
  const upstream = await listen({ module: UpstreamApp, controllers: [Upstream] });

  @Injectable()
  class Client {
    constructor(readonly http: HttpService) {}

    @Timeout({ total: 1_000 })
    @Retry({ maxAttempts: 3, backoff: fixed(1) })
    @Idempotent({ key: (order: string) => `order-${order}` })
    async fetched(_order: string, init?: RequestInit): Promise<string> {
      return (await resilientFetch(upstream.url, init)).text();
    }

    @Timeout({ total: 1_000 })
    @Retry({ maxAttempts: 3, backoff: fixed(1) })
    @Idempotent()
    async asked(): Promise<string> {
      return (await firstValueFrom(this.http.get<string>(upstream.url))).data;
    }

    @Timeout(50)
    async hurried(by: 'fetch' | 'axios'): Promise<unknown> {
      return by === 'fetch' ? resilientFetch(upstream.url) : firstValueFrom(this.http.get(upstream.url));
    }
  }
  const module = {
    module: App,
    imports: [ResilienceModule.forRoot({ log: false, callContext }), ResilienceHttpModule.register()],
    providers: [Client],
  } as DynamicModule;
  const { app } = await listen(module);
  return { client: app.get(Client), url: upstream.url };
}

describe.each(['fetched', 'asked'] as const)('an HTTP client of a guarded method: %s()', (how) => {
  it('hands on the time left, the attempt and one key for all attempts', async () => {
    const { client } = await start();
    let calls = 0;
    answer = () => {
      if (++calls < 3) throw new Error('down');
      return 'fine';
    };

    expect(await client[how]('7')).toBe('fine');

    expect(seen.map((headers) => headers['x-retry-attempt'])).toEqual(['1', '2', '3']);
    for (const headers of seen) expect(headers['x-request-timeout']).toMatch(/^\d{1,4}m$/);
    const keys = new Set(seen.map((headers) => headers['idempotency-key']));
    expect(keys.size).toBe(1);
    if (how === 'fetched') expect([...keys]).toEqual(['order-7']);
  });

  it('is cut with its call', async () => {
    const { client } = await start();
    answer = () => new Promise(() => undefined);

    await expect(client.hurried(how === 'fetched' ? 'fetch' : 'axios')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('resilientFetch()', () => {
  it('leaves headers of the app alone', async () => {
    const { client } = await start();

    await client.fetched('7', { headers: { 'Idempotency-Key': 'own', Accept: 'text/plain' } });

    expect(seen[0]).toMatchObject({ 'idempotency-key': 'own', accept: 'text/plain' });
  });

  it('gives an answer that says no, and fails by a status that counts', async () => {
    const { url } = await start();
    await expect(resilientFetch(`${url}/nowhere`)).resolves.toMatchObject({ status: 404 });
    await expect(resilientFetch(`${url}/nowhere`, { failOn: ({ ok }) => !ok })).rejects.toBeInstanceOf(
      UpstreamHttpError,
    );
    answer = () => {
      throw new Error('down');
    };

    await expect(resilientFetch(url)).rejects.toMatchObject({ status: 500, name: 'UpstreamHttpError' });
  });

  it('counts what it always counts beside what the app adds', async () => {
    const { url } = await start();
    const failOn = ({ status }: Response): boolean => status === 404;

    await expect(resilientFetch(url, { failOn })).resolves.toMatchObject({ status: 200 });
    await expect(resilientFetch(`${url}/nowhere`, { failOn })).rejects.toMatchObject({ status: 404 });
    answer = () => {
      throw new Error('down');
    };
    await expect(resilientFetch(url, { failOn })).rejects.toMatchObject({ status: 500 });
  });

  it('says what failOn is, before it sends anything', async () => {
    const { url } = await start();

    await expect(resilientFetch(url, { failOn: true as never })).rejects.toThrow(
      "resilientFetch(): option 'failOn': expected a function (not an async one), got true",
    );
    await expect(resilientFetch(url, { failOn: (async () => true) as never })).rejects.toThrow('not an async one');
    expect(seen).toEqual([]);

    await expect(resilientFetch(url, { failOn: () => Promise.resolve(true) as never })).resolves.toMatchObject({
      status: 200,
    });
  });

  it('is fetch outside of guarded calls', async () => {
    const { url } = await start();

    expect(await (await resilientFetch(url)).text()).toBe('fine');

    expect(currentCall()).toBeUndefined();
    expect(seen[0]?.['x-request-timeout']).toBeUndefined();
  });
});

describe('ResilienceHttpModule', () => {
  it('needs callContext', async () => {
    await expect(start(false)).rejects.toThrow('ResilienceHttpModule: needs to know the running call');
  });
});
