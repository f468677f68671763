import { Injectable, type INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import {
  Bulkhead,
  CircuitBreaker,
  currentCall,
  Fallback,
  fixed,
  ResilienceModule,
  Retry,
  Signal,
  Timeout,
  type ResilienceErrorCode,
} from 'nestjs-bulwark';
import { io } from 'socket.io-client';
import { concat, NEVER, Observable, of, throwError } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { start, until } from '../support/harness.js';
import { GatewayClient, type Message } from '../support/web-socket.js';
import { itHoldsOnHandlers, type Handler, type Opened } from './support/handlers.js';
import { Work } from './support/work.js';

const answer = (data: unknown): WsResponse => ({ event: 'answer', data });

@Injectable()
@WebSocketGateway()
class Gateway {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @SubscribeMessage('retried')
  async retried(): Promise<WsResponse> {
    return answer(this.work.failTwice());
  }

  @SubscribeMessage('hanging')
  @Timeout(30)
  async hanging(@MessageBody() _data: unknown, @Signal() signal?: AbortSignal): Promise<never> {
    return this.work.hang(signal);
  }

  @CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
  @SubscribeMessage('open')
  async open(): Promise<never> {
    return this.work.fail();
  }

  @SubscribeMessage('held')
  @Bulkhead(1)
  async held(): Promise<WsResponse> {
    return answer(await this.work.hold());
  }

  @Fallback({ value: answer('a substitute') })
  @SubscribeMessage('answered')
  async answered(): Promise<WsResponse> {
    return this.work.fail();
  }

  @SubscribeMessage('plain')
  plain(): Promise<never> {
    return this.work.hang(currentCall()?.signal);
  }

  @SubscribeMessage('close')
  close(): WsResponse {
    return answer('a message like any other');
  }

  @SubscribeMessage('stream')
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Timeout(100)
  stream(@MessageBody() kind: string): Observable<WsResponse> {
    this.work.attempts++;
    if (kind === 'late') return NEVER;
    const end = kind === 'idle' ? NEVER : throwError(() => new Error('broken'));
    return concat(of(answer(1), answer(2)), end);
  }
}

/** A client of one of the two servers. */
interface Client {
  send(event: string, data?: unknown): void;
  readonly received: readonly Message[];
  leave(): void;
}

async function overSocketIo(url: string): Promise<Client> {
  const socket = io(url, { transports: ['websocket'], reconnection: false });
  onTestFinished(() => void socket.disconnect());
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('connect_error', reject);
  });
  const received: Message[] = [];
  for (const event of ['answer', 'exception']) socket.on(event, (data: unknown) => void received.push({ event, data }));
  return { send: (event, data = {}) => void socket.emit(event, data), received, leave: () => socket.disconnect() };
}

async function overWs(url: string): Promise<Client> {
  const client = await GatewayClient.connect(url);
  return {
    send: (event, data) => void client.ask(event, data),
    received: client.received,
    leave: () => client.close(),
  };
}

const SERVERS = [
  { server: 'socket.io', adapter: (app: INestApplication) => new IoAdapter(app), connect: overSocketIo },
  { server: 'ws', adapter: (app: INestApplication) => new WsAdapter(app), connect: overWs },
];

type ModuleOptions = NonNullable<Parameters<typeof ResilienceModule.forRoot>[0]>;

describe.each(SERVERS)('a gateway of $server', ({ adapter, connect }) => {
  async function open(forRoot: ModuleOptions = {}): Promise<Opened & { client: Client; url: string }> {
    const { app, log, url } = await start(
      {
        imports: [ResilienceModule.forRoot({ exceptionFilter: true, callContext: true, log: false, ...forRoot })],
        providers: [Work, Gateway],
      },
      { prepare: (created) => created.useWebSocketAdapter(adapter(created)) },
    );
    const client = await connect(url);
    /** One connection each: answers bring no name of what they answer. */
    const ask = async (handler: Handler): Promise<unknown> => {
      const own = await connect(url);
      own.send(handler);
      await until(() => own.received.length > 0, 'an answer');
      const { event, data } = own.received[0] as Message;
      if (event === 'exception') throw data;
      return data;
    };
    return { app, log, url, client, ask, work: app.get(Work) };
  }

  function expectError(error: unknown, code: ResilienceErrorCode): void {
    const message = code === 'TIMEOUT' ? 'Gateway Timeout' : 'Service Unavailable';
    expect(error).toMatchObject({ status: 'error', code, message });
  }

  itHoldsOnHandlers({ open, expectError });

  it.each([
    ['late', ['exception'], 3],
    ['idle', [1, 2, 'exception'], 1],
    ['broken', [1, 2, 'exception'], 1],
  ])('is cut and never tried again after the first item, when a stream is %s', async (kind, got, attempts) => {
    const { client, work } = await open();

    client.send('stream', kind);

    await until(() => client.received.some(({ event }) => event === 'exception'), 'the exception');
    expect(client.received.map(({ event, data }) => (event === 'answer' ? data : event))).toEqual(got);
    expect(work.attempts).toBe(attempts);
  });

  it.each([
    [true, ['AbortError']],
    ['safe', []],
    [false, []],
  ] as const)('with abortOnDisconnect: %s cuts what is done for a client that has gone: %j', async (option, names) => {
    const { client, work } = await open({ abortOnDisconnect: option, deadlines: { accept: true } });
    client.send('plain');
    await work.hasBegun();

    client.leave();

    if (names.length > 0) await work.wasCut();
    else await new Promise((resolve) => setTimeout(resolve, 60));
    expect(work.cuts.map((reason) => (reason as Error).name)).toEqual(names);
  });

  it('watches one connection once, however many messages are under way', async () => {
    const { client, work } = await open({ abortOnDisconnect: true });
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));

    for (let i = 0; i < 30; i++) client.send('plain');
    await work.hasBegun(30);
    client.leave();

    await work.wasCut(30);
    expect(warnings).toEqual([]);
  });

  it('takes a message called close for no end', async () => {
    const { client, work } = await open({ abortOnDisconnect: true });
    client.send('plain');
    await work.hasBegun();

    client.send('close');

    await until(() => client.received.length > 0, 'its answer');
    expect(work.cuts).toEqual([]);
  });

  it('does not fail, when its client goes before the answer', async () => {
    const { client, work, log } = await open();
    client.send('held');
    await work.hasBegun();

    client.leave();
    work.release();

    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
