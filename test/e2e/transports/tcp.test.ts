import { Controller, UseFilters, UseInterceptors } from '@nestjs/common';
import { MessagePattern, Payload, Transport, type ClientProxy, type TcpContext } from '@nestjs/microservices';
import {
  CircuitBreaker,
  Fallback,
  fixed,
  ResilienceExceptionFilter,
  ResilienceModule,
  ResilienceService,
  Retry,
  RetryInterceptor,
  Timeout,
  TimeoutInterceptor,
  type CallInfo,
  FallbackInterceptor,
} from 'nestjs-bulwark';
import { firstValueFrom, lastValueFrom, Observable, of, throwError, toArray } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { rejection, start } from '../support/harness.js';
import { freePort } from '../../support/servers/free-port.js';
import { tcpClient } from '../support/tcp.js';
import { itHoldsOnHandlers } from './support/handlers.js';
import { expectError, openMicroservice, type ModuleOptions } from './support/microservice.js';
import { itHandsOnTheRunningCall } from './support/running-call.js';

let attempts = 0;
const seen: unknown[] = [];
const failTwice = (): void => {
  if (++attempts < 3) throw new Error('not yet');
};

@Controller()
class SumController {
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @MessagePattern('above')
  @Timeout(5_000)
  async above(@Payload() numbers: number[]): Promise<number> {
    failTwice();
    return numbers.reduce((sum, one) => sum + one, 0);
  }

  @MessagePattern('below')
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Fallback('zero')
  async below(@Payload() _numbers: number[]): Promise<number> {
    throw new Error('always');
  }

  zero(_numbers: number[]): number {
    return 0;
  }

  @MessagePattern('stream')
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  stream(): Observable<number> {
    return ++attempts < 3 ? throwError(() => new Error('not yet')) : of(1, 2, 3);
  }

  @MessagePattern('hanging')
  @UseFilters(ResilienceExceptionFilter)
  @Timeout(30)
  async hanging(): Promise<never> {
    return new Promise(() => undefined);
  }

  @MessagePattern('open')
  @UseFilters(ResilienceExceptionFilter)
  @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 60_000, resetJitter: 0 })
  async open(): Promise<never> {
    throw new Error('the upstream says: password=secret');
  }

  @MessagePattern('intercepted')
  @UseInterceptors(RetryInterceptor.with({ maxAttempts: 3, backoff: fixed(0) }))
  intercepted(@Payload() name: string): string {
    failTwice();
    return `hello ${name}`;
  }

  @MessagePattern('slow')
  @UseFilters(ResilienceExceptionFilter)
  @UseInterceptors(TimeoutInterceptor.with(30))
  slow(): Promise<never> {
    return new Promise(() => undefined);
  }

  @MessagePattern('answered')
  @UseInterceptors(
    FallbackInterceptor.with((_error: unknown, { args, context, className, methodName }: CallInfo) => {
      seen.push({ args: args[0], type: (context as { getType(): string }).getType(), className, methodName });
      return 'a substitute';
    }),
  )
  answered(@Payload() _name: string): string {
    throw new Error('down');
  }
}

async function client(): Promise<{ client: ClientProxy; service: ResilienceService }> {
  let connected!: ClientProxy;
  const { app } = await start(
    { imports: [ResilienceModule.forRoot()], controllers: [SumController] },
    { prepare: async (created) => (connected = await tcpClient(created)) },
  );
  return { client: connected, service: app.get(ResilienceService) };
}

describe('a message handler over TCP', () => {
  beforeEach(() => {
    attempts = 0;
    seen.length = 0;
  });

  it('is retried, when the decorators stand above and below @MessagePattern()', async () => {
    const { client: proxy } = await client();

    expect(await firstValueFrom(proxy.send('above', [1, 2, 3]))).toBe(6);
  });

  it('falls back, when the decorators stand below @MessagePattern()', async () => {
    const { client: proxy } = await client();

    expect(await firstValueFrom(proxy.send('below', [1]))).toBe(0);
  });

  it('stays a stream, when it gives an Observable', async () => {
    const { client: proxy } = await client();

    expect(await lastValueFrom(proxy.send('stream', {}).pipe(toArray()))).toEqual([1, 2, 3]);
  });

  it('answers with the code and the standard phrase, when it timed out and the filter is there', async () => {
    const { client: proxy } = await client();

    const error = await rejection(firstValueFrom(proxy.send('hanging', {})));

    expect(error).toEqual({ status: 'error', code: 'TIMEOUT', message: 'Gateway Timeout' });
  });

  it('answers with the time to the next try and no text of the upstream, when its breaker is open', async () => {
    const { client: proxy } = await client();
    await rejection(firstValueFrom(proxy.send('open', {})));

    const error = await rejection(firstValueFrom(proxy.send('open', {})));

    expect(error).toEqual({
      status: 'error',
      code: 'CIRCUIT_OPEN',
      message: 'Service Unavailable',
      retryAfterMs: expect.any(Number),
    });
    expect(error.retryAfterMs).toBeGreaterThan(50_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it('is called anew for each attempt, when an interceptor retries', async () => {
    const { client: proxy } = await client();

    expect(await firstValueFrom(proxy.send('intercepted', 'Ada'))).toBe('hello Ada');
    expect(attempts).toBe(3);
  });

  it('is cut, when an interceptor limits its time', async () => {
    const { client: proxy } = await client();

    const error = await rejection(firstValueFrom(proxy.send('slow', {})));

    expect(error).toMatchObject({ code: 'TIMEOUT' });
  });

  it('hands its payload and context to the handler of a fallback, when an interceptor falls back', async () => {
    const { client: proxy } = await client();

    expect(await firstValueFrom(proxy.send('answered', 'Ada'))).toBe('a substitute');
    expect(seen).toEqual([{ args: 'Ada', type: 'rpc', className: 'SumController', methodName: 'answered' }]);
  });
});

async function open(forRoot?: ModuleOptions) {
  const options = { host: '127.0.0.1', port: await freePort() };
  return openMicroservice({ transport: Transport.TCP, options }, forRoot);
}

describe('a handler of a TCP microservice', () => {
  itHoldsOnHandlers({ open, expectError });
});

describe('the running call, over TCP', () => {
  itHandsOnTheRunningCall({
    open,
    headersIn: (context) => (context as TcpContext).getMetadata() ?? {},
    beforeSending: (client, headers) => client.setOnDispatchHook((packet) => (packet.metadata = headers)),
  });

  it('cuts the handler, when its client closes the connection', async () => {
    const { send, client, work } = await open({ abortOnDisconnect: true });
    const asked = rejection(send('plain'));
    await work.hasBegun();

    client.close();

    await work.wasCut();
    expect((work.cuts[0] as Error).name).toBe('AbortError');
    await asked;
  });

  it('leaves the handler alone, when its client closes the connection and abortOnDisconnect is off', async () => {
    const { send, client, work } = await open({ deadlines: { accept: true } });
    const asked = rejection(send('plain'));
    await work.hasBegun();

    client.close();

    await asked;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(work.cuts).toEqual([]);
  });
});
