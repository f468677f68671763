import {
  Catch,
  Injectable,
  Scope,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { ResilienceModule } from 'nestjs-bulwark';
import { io } from 'socket.io-client';
import { concat, defer, of, type Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { start, until } from '../support/harness.js';
import { ANSWERERS, expectPublic, InsideClient, KINDS, type Answerer, type Kind } from '../support/inside.js';
import { GatewayClient, type Message } from '../support/web-socket.js';

/** The same on every class of gateways below: what they differ in is their filters and their scope. */
abstract class Handlers {
  constructor(protected readonly client: InsideClient) {}
}

@Injectable()
@WebSocketGateway()
class PlainGateway extends Handlers {
  constructor(client: InsideClient) {
    super(client);
  }

  @SubscribeMessage('ask')
  ask(@MessageBody() kind: Kind): Promise<string> {
    return this.client.fail(kind);
  }

  @SubscribeMessage('stream')
  stream(@MessageBody() kind: Kind): Observable<unknown> {
    return concat(
      of({ event: 'item', data: 'first' }),
      defer(() => this.client.fail(kind)),
    );
  }

  @SubscribeMessage('other')
  other(): never {
    throw new WsException('of the app itself');
  }
}

/** What an app writes that publishes the message, or the error itself. */
@Catch()
class OwnFilter implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const client = host
      .switchToWs()
      .getClient<{ readyState?: number; send(text: string): void; emit(event: string, data: unknown): void }>();
    const data = { own: error.message, error };
    if (typeof client.readyState === 'number') client.send(JSON.stringify({ event: 'exception', data }));
    else client.emit('exception', data);
  }
}

@Injectable()
@WebSocketGateway()
@UseFilters(OwnFilter)
class OwnGateway extends PlainGateway {
  constructor(client: InsideClient) {
    super(client);
  }
}

@Injectable({ scope: Scope.REQUEST })
@WebSocketGateway()
class RequestGateway extends PlainGateway {
  constructor(client: InsideClient) {
    super(client);
  }
}

@Injectable()
@WebSocketGateway()
class MethodGateway extends Handlers {
  constructor(client: InsideClient) {
    super(client);
  }

  @UseFilters(OwnFilter)
  @SubscribeMessage('ask')
  ask(@MessageBody() kind: Kind): Promise<string> {
    return this.client.fail(kind);
  }
}

/** A client that asks and gives the exception event that answers. */
type Ask = (event: string, data: unknown) => Promise<Message>;

async function overSocketIo(url: string): Promise<Ask> {
  const socket = io(url, { transports: ['websocket'], reconnection: false });
  onTestFinished(() => void socket.disconnect());
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('connect_error', reject);
  });
  return (event, data) =>
    new Promise((resolve) => {
      socket.once('exception', (answer: unknown) => resolve({ event: 'exception', data: answer }));
      socket.emit(event, data);
    });
}

async function overWs(url: string): Promise<Ask> {
  const client = await GatewayClient.connect(url);
  return async (event, data) => {
    const exception = (): Message | undefined => client.received.find((message) => message.event === 'exception');
    void client.ask(event, data);
    await until(() => exception() !== undefined, 'an exception event');
    return exception() as Message;
  };
}

const SERVERS = [
  { server: 'socket.io', adapter: (app: INestApplication) => new IoAdapter(app), connect: overSocketIo },
  { server: 'ws', adapter: (app: INestApplication) => new WsAdapter(app), connect: overWs },
];

describe.each(SERVERS)('an error of ours over WebSocket with $server', ({ adapter, connect }) => {
  async function client(gateway: Type, exceptionFilter: boolean): Promise<Ask> {
    const { url } = await start(
      { imports: [ResilienceModule.forRoot({ exceptionFilter })], providers: [InsideClient, gateway] },
      { prepare: (app) => app.useWebSocketAdapter(adapter(app)) },
    );
    return connect(url);
  }

  const gatewayOf = (answerer: Answerer): Type => (answerer === 'own' ? OwnGateway : PlainGateway);

  describe.each(ANSWERERS)('answered by: %s', (answerer) => {
    it.each(KINDS)('shows nothing of the inside, when it is %s', async (kind, code, phrase) => {
      const ask = await client(gatewayOf(answerer), answerer !== 'nest');

      const { event, data } = await ask('ask', kind);

      expect(event).toBe('exception');
      expectPublic(data);
      if (answerer === 'module') {
        expect(data).toMatchObject({ status: 'error', code, message: phrase });
        expect(Object.keys(data as object).filter((key) => key !== 'retryAfterMs')).toEqual([
          'status',
          'code',
          'message',
        ]);
      } else if (answerer === 'own') {
        expect((data as { own: string }).own).toMatch(new RegExp(`^${phrase} \\(${code}\\)`));
      } else {
        expect(data).toMatchObject({ status: 'error', message: 'Internal server error' });
      }
    });

    it('shows nothing of the inside in mid-stream', async () => {
      const ask = await client(gatewayOf(answerer), answerer !== 'nest');

      const { data } = await ask('stream', 'open');

      expectPublic(data);
      expect(JSON.stringify(data)).toContain(answerer === 'nest' ? 'Internal server error' : 'CIRCUIT_OPEN');
    });
  });

  it("is answered by the filter of the gateway's own method, though the module's is there", async () => {
    const ask = await client(MethodGateway, true);

    const { data } = await ask('ask', 'open');

    expect(data).toHaveProperty('own');
  });

  it('is answered by the filter of the module, when the gateway lives for one request', async () => {
    const ask = await client(RequestGateway, true);

    const { data } = await ask('ask', 'open');

    expect(data).toMatchObject({ status: 'error', code: 'CIRCUIT_OPEN' });
  });

  it("leaves the app's own exceptions to Nest", async () => {
    const ask = await client(PlainGateway, true);

    const { data } = await ask('other', 1);

    expect(data).toMatchObject({ status: 'error', message: 'of the app itself' });
  });

  it('is answered as each app wants it, when two of one process share the gateway', async () => {
    const wanting = await client(PlainGateway, true);
    const other = await client(PlainGateway, false);
    const again = await client(PlainGateway, true);

    const answers = [];
    for (const ask of [wanting, other, again]) answers.push((await ask('ask', 'shutdown')).data);

    expect(answers[0]).toMatchObject({ code: 'SHUTDOWN' });
    expect(answers[1]).toMatchObject({ message: 'Internal server error' });
    expect(answers[2]).toMatchObject({ code: 'SHUTDOWN' });
  });
});
