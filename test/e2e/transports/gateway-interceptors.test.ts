import { Injectable, UseFilters, UseInterceptors, type Type } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CircuitBreaker,
  CircuitBreakerInterceptor,
  Fallback,
  FallbackInterceptor,
  fixed,
  ResilienceExceptionFilter,
  ResilienceModule,
  ResilienceService,
  Retry,
  RetryInterceptor,
  Timeout,
  TimeoutInterceptor,
  type CallInfo,
} from 'nestjs-bulwark';
import { beforeEach, describe, expect, it } from 'vitest';
import { PLATFORMS, start, type Platform } from '../support/harness.js';
import { GatewayClient } from '../support/web-socket.js';

let attempts = 0;
const seen: unknown[] = [];
const failTwice = (): void => {
  if (++attempts < 3) throw new Error('not yet');
};

@Injectable()
@WebSocketGateway()
class ChatGateway {
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @SubscribeMessage('above')
  async above(@MessageBody() text: string): Promise<unknown> {
    failTwice();
    return { event: 'above', data: `heard ${text}` };
  }

  @SubscribeMessage('below')
  @Fallback('silence')
  @Timeout(5_000)
  async below(@MessageBody() _text: string): Promise<unknown> {
    throw new Error('down');
  }

  silence(text: string): unknown {
    return { event: 'below', data: `no answer to ${text}` };
  }

  @UseFilters(ResilienceExceptionFilter)
  @SubscribeMessage('hanging')
  @Timeout(30)
  async hanging(): Promise<never> {
    return new Promise(() => undefined);
  }

  @UseFilters(ResilienceExceptionFilter)
  @SubscribeMessage('open')
  @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 60_000 })
  async open(): Promise<never> {
    throw new Error('the upstream says: password=secret');
  }

  @SubscribeMessage('retried')
  @UseInterceptors(RetryInterceptor.with({ maxAttempts: 3, backoff: fixed(0) }))
  retried(@MessageBody() text: string): unknown {
    failTwice();
    return { event: 'retried', data: text };
  }

  @SubscribeMessage('answered')
  @UseInterceptors(
    FallbackInterceptor.with((_: unknown, { args, context }: CallInfo) => {
      seen.push([args[1], (context as { getType(): string }).getType()]);
      return { event: 'answered', data: 'a substitute' };
    }),
  )
  answered(@MessageBody() _text: string): unknown {
    throw new Error('down');
  }
}

@Injectable()
@WebSocketGateway()
@UseFilters(ResilienceExceptionFilter)
@UseInterceptors(TimeoutInterceptor.with(30), CircuitBreakerInterceptor)
class SlowGateway {
  @SubscribeMessage('slow')
  slow(): Promise<never> {
    return new Promise(() => undefined);
  }
}

describe.each(PLATFORMS)('a gateway beside $platform', ({ adapter }: Platform) => {
  async function connect(gateway: Type = ChatGateway) {
    const { app, url } = await start(
      { imports: [ResilienceModule.forRoot()], providers: [gateway] },
      { adapter, prepare: (created) => created.useWebSocketAdapter(new WsAdapter(created)) },
    );
    return { client: await GatewayClient.connect(url), service: app.get(ResilienceService) };
  }

  beforeEach(() => {
    attempts = 0;
    seen.length = 0;
  });

  it('is retried, when the decorator stands above @SubscribeMessage()', async () => {
    const { client } = await connect();

    expect(await client.ask('above', 'Ada')).toEqual({ event: 'above', data: 'heard Ada' });
  });

  it('falls back, when the decorators stand below @SubscribeMessage()', async () => {
    const { client } = await connect();

    const { data } = await client.ask('below', 'Ada');

    expect(data).toBe('no answer to Ada');
  });

  it('gets an exception event, when it timed out and the filter is there', async () => {
    const { client } = await connect();

    const message = await client.ask('hanging');

    expect(message).toEqual({
      event: 'exception',
      data: { status: 'error', code: 'TIMEOUT', message: 'Gateway Timeout' },
    });
  });

  it('gets the time to the next try and no text of the upstream, when its breaker is open', async () => {
    const { client } = await connect();
    await client.ask('open');

    const { event, data } = await client.ask('open');

    expect(event).toBe('exception');
    expect(data).toEqual({
      status: 'error',
      code: 'CIRCUIT_OPEN',
      message: 'Service Unavailable',
      retryAfterMs: expect.any(Number),
    });
    expect(JSON.stringify(client.received)).not.toContain('secret');
  });

  it('is called anew for each attempt, when an interceptor retries', async () => {
    const { client } = await connect();

    expect(await client.ask('retried', 'Ada')).toEqual({ event: 'retried', data: 'Ada' });
    expect(attempts).toBe(3);
  });

  it('has a breaker named after the handler, when interceptors limit and judge it', async () => {
    const { client, service } = await connect(SlowGateway);

    const { data } = await client.ask('slow');

    expect(data).toMatchObject({ code: 'TIMEOUT' });
    expect(service.circuitBreakers().map(({ name }) => name)).toEqual(['SlowGateway.slow']);
  });

  it('hands its message and context to the handler of a fallback, when an interceptor falls back', async () => {
    const { client } = await connect();

    expect((await client.ask('answered', 'Ada')).data).toBe('a substitute');
    expect(seen).toEqual([['Ada', 'ws']]);
  });
});
