import { once } from 'node:events';
import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Injectable, Post, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  CircuitBreaker,
  currentCall,
  Fallback,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

/** What becomes of the work that hangs until it is cut. */
interface Cut {
  readonly reason: unknown;
}

const cuts: Cut[] = [];
let attempts = 0;
let timeLeft: number | undefined;

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => {
      cuts.push({ reason: signal.reason });
      reject(signal.reason as Error);
    });
  });
}

@Injectable()
class Upstream {
  @CircuitBreaker({ volumeThreshold: 2 })
  @Timeout({ perAttempt: 5_000, total: 8_000 })
  async load(@Signal() signal?: AbortSignal): Promise<unknown> {
    timeLeft = currentCall()?.timeLeft();
    return hang(signal);
  }

  @Retry({ maxAttempts: 5, backoff: fixed(1) })
  async failing(): Promise<unknown> {
    attempts++;
    throw new Error('down');
  }
}

@Controller()
class Shop {
  constructor(private readonly upstream: Upstream) {}

  @Get('load')
  load(): Promise<unknown> {
    return this.upstream.load();
  }

  @Post('load')
  change(): Promise<unknown> {
    return this.upstream.load();
  }

  @Get('plain')
  plain(): Promise<unknown> {
    return hang(currentCall()?.signal);
  }

  @Get('unguarded')
  unguarded(): Promise<unknown> {
    return new Promise(() => undefined);
  }

  @Get('failing')
  @Fallback({ value: 'substitute', on: () => false })
  failing(): Promise<unknown> {
    return this.upstream.failing();
  }
}

type Options = Parameters<typeof ResilienceModule.forRoot>[0];

async function start(options: Options, Adapter: Type<ExpressAdapter | FastifyAdapter> = ExpressAdapter) {
  cuts.length = 0;
  attempts = 0;
  timeLeft = undefined;
  class App {}
  const module = {
    module: App,
    imports: [ResilienceModule.forRoot({ log: false, callContext: true, ...options })],
    controllers: [Shop],
    providers: [Upstream],
  };
  const app = await NestFactory.create(module, new Adapter(), { logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { app, port, url: `http://127.0.0.1:${port}` };
}

/** Sends a request and hangs up after `ms`. */
function hangUp(
  port: number,
  path: string,
  method: string,
  ms: number,
  headers: Record<string, string> = {},
): Promise<void> {
  return new Promise((resolve) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method, headers });
    request.on('error', () => resolve());
    request.end();
    setTimeout(() => request.destroy(), ms);
  });
}

describe.each([
  ['Express', ExpressAdapter],
  ['Fastify', FastifyAdapter],
] as const)('what comes in from outside, on %s', (_name, Adapter) => {
  const timed = (timeout: string) => ({ headers: { 'X-Request-Timeout': timeout } });

  it('brings its time limit, which cuts what is called for it', async () => {
    const { url } = await start({ deadlines: { accept: true } }, Adapter);
    const since = performance.now();

    const response = await fetch(`${url}/load`, timed('300m'));

    expect(response.status).toBe(504);
    expect(performance.now() - since).toBeLessThan(3_000);
    expect(timeLeft).toBeLessThanOrEqual(300);
    expect(cuts).toHaveLength(1);
  });

  it('does nothing for a caller whose time is over', async () => {
    const { url } = await start({ deadlines: { accept: true } }, Adapter);

    expect((await fetch(`${url}/failing`, timed('0m'))).status).toBe(504);

    expect(attempts).toBe(0);
  });

  it('opens no breaker by tiny limits', async () => {
    const { url, app } = await start({ deadlines: { accept: true } }, Adapter);

    for (let i = 0; i < 5; i++) expect((await fetch(`${url}/load`, timed('20m'))).status).toBe(504);

    const [breaker] = app.get(ResilienceService).circuitBreakers();
    expect(breaker?.state).toBe('closed');
    expect(breaker?.stats.failures).toBe(0);
  });

  it('is answered in time where nothing guards the handler', async () => {
    const { url } = await start({ deadlines: { accept: true, max: 250 } }, Adapter);

    expect((await fetch(`${url}/unguarded`, timed('30S'))).status).toBe(504);
    expect((await fetch(`${url}/plain`, timed('30S'))).status).toBe(504);
    expect(cuts).toHaveLength(1);
  });

  it('has no limit where it brings none, nonsense, or none is accepted', async () => {
    const { url, port } = await start({ deadlines: { accept: true }, abortOnDisconnect: true }, Adapter);
    const off = await start({ abortOnDisconnect: true }, Adapter);

    for (const [place, headers] of [
      [url, {}],
      [url, { 'X-Request-Timeout': 'soon' }],
      [off.url, { 'X-Request-Timeout': '5m' }],
    ] as const)
      await expect(fetch(`${place}/load`, { headers, signal: AbortSignal.timeout(500) })).rejects.toThrow('timeout');
    await vi.waitFor(() => expect(cuts).toHaveLength(3));
    expect(port).toBeGreaterThan(0);
  });

  it('brings a time that runs while its body comes', async () => {
    const { app, port } = await start({ deadlines: { accept: true } }, Adapter);
    const arrived = once(app.getHttpServer() as Server, 'request');
    const headers = { 'X-Request-Timeout': '60m', 'Content-Type': 'application/json', 'Content-Length': '2' };
    const request = httpRequest({ port, host: '127.0.0.1', path: '/load', method: 'POST', headers });
    const answered = new Promise<number | undefined>((resolve) => {
      request.on('response', (response) => resolve(response.resume().statusCode));
    });
    request.write('{');
    await arrived;
    setTimeout(() => request.end('}'), 150);

    expect(await answered).toBe(504);

    expect(cuts).toEqual([]);
    expect(timeLeft).toBeUndefined();
  });

  it('keeps its time limit when its client hangs up', async () => {
    const { port } = await start({ deadlines: { accept: true } }, Adapter);
    const since = performance.now();

    await hangUp(port, '/load', 'GET', 30, timed('400m').headers);
    await vi.waitFor(() => expect(cuts).toHaveLength(1), { timeout: 5_000 });

    expect(performance.now() - since).toBeGreaterThan(350);
    expect((cuts[0]?.reason as Error).name).toBe('TimeoutException');
  });

  it('is tried again by one layer only', async () => {
    const { url } = await start({ deadlines: { accept: true } }, Adapter);

    await fetch(`${url}/failing`);
    const alone = attempts;
    await fetch(`${url}/failing`, { headers: { 'X-Retry-Attempt': '1' } });

    expect([alone, attempts - alone]).toEqual([5, 1]);
  });

  it.each([
    [true, 'GET', true],
    [true, 'POST', true],
    ['safe', 'GET', true],
    ['safe', 'POST', false],
    [false, 'GET', false],
  ] as const)(
    'with abortOnDisconnect: %s a %s of a client that hangs up is cut: %s',
    async (abortOnDisconnect, method, cut) => {
      const { port } = await start({ abortOnDisconnect }, Adapter);

      await hangUp(port, '/load', method, 50);
      await new Promise((resolve) => setTimeout(resolve, 100));

      expect(cuts.map(({ reason }) => (reason as Error).name)).toEqual(cut ? ['AbortError'] : []);
    },
  );
});

describe('what comes in from outside', () => {
  it.each([
    [
      { deadlines: { accept: true }, callContext: false },
      "options 'deadlines', 'abortOnDisconnect' and 'staleHeaders: true' need to know",
    ],
    [{ abortOnDisconnect: 'safe', callContext: false }, 'expected callContext: true'],
    [{ deadlines: { max: 0 } }, "option 'max'"],
    [{ abortOnDisconnect: 'always' }, "option 'abortOnDisconnect': expected true, false or 'safe', got 'always'"],
  ])('has wrong options %j told at start', async (options, text) => {
    await expect(start(options as Options)).rejects.toThrow(text);
  });
});
