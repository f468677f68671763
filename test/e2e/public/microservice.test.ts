import { fileURLToPath } from 'node:url';
import { Controller } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import {
  ClientProxyFactory,
  GrpcMethod,
  MessagePattern,
  Payload,
  Transport,
  type ClientGrpc,
  type ClientProxy,
  type GrpcOptions,
} from '@nestjs/microservices';
import { ResilienceModule } from 'nestjs-bulwark';
import { concat, defer, firstValueFrom, lastValueFrom, of, type Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../support/servers/free-port.js';
import { rejection, start } from '../support/harness.js';
import {
  ANSWERERS,
  expectPublic,
  InsideClient,
  KINDS,
  MessageFilter,
  type Answerer,
  type Kind,
} from '../support/inside.js';
import { tcpClient } from '../support/tcp.js';

/** @see https://grpc.io/docs/guides/status-codes/ */
const GRPC_CODES = { open: 14, timeout: 4, full: 8, limited: 8, shutdown: 14 } as const;

@Controller()
class InsideController {
  constructor(private readonly client: InsideClient) {}

  @MessagePattern('ask')
  ask(@Payload() kind: Kind): Promise<string> {
    return this.client.fail(kind);
  }

  @MessagePattern('watch')
  watch(@Payload() kind: Kind): Observable<string> {
    return concat(
      of('first'),
      defer(() => this.client.fail(kind)),
    );
  }

  @GrpcMethod('Inside', 'Ask')
  askOverGrpc({ kind }: { kind: Kind }): Promise<string> {
    return this.client.fail(kind);
  }

  @GrpcMethod('Inside', 'Watch')
  watchOverGrpc({ kind }: { kind: Kind }): Observable<{ text: string }> {
    return concat(
      of({ text: 'first' }),
      defer(() => this.client.fail(kind) as Promise<never>),
    );
  }
}

interface InsideService {
  ask(question: { kind: Kind }): Observable<unknown>;
  watch(question: { kind: Kind }): Observable<unknown>;
}

const metadata = (answerer: Answerer) => ({
  imports: [ResilienceModule.forRoot({ exceptionFilter: answerer === 'module' })],
  controllers: [InsideController],
  providers: [InsideClient, ...(answerer === 'own' ? [{ provide: APP_FILTER, useClass: MessageFilter }] : [])],
});

describe.each(ANSWERERS)('an error of ours over TCP, answered by: %s', (answerer) => {
  async function client(): Promise<ClientProxy> {
    let connected!: ClientProxy;
    await start(metadata(answerer), { prepare: async (app) => (connected = await tcpClient(app)) });
    return connected;
  }

  const expectAnswer = (error: unknown, code: string, phrase: string): void => {
    expectPublic(error);
    if (answerer === 'module') expect(error).toMatchObject({ status: 'error', code, message: phrase });
    else if (answerer === 'own') expect((error as { own: string }).own).toContain(`${phrase} (${code})`);
    else expect(error).toEqual({ status: 'error', message: 'Internal server error' });
  };

  it.each(KINDS)('shows nothing of the inside, when it is %s', async (kind, code, phrase) => {
    const proxy = await client();

    expectAnswer(await rejection(firstValueFrom(proxy.send('ask', kind))), code, phrase);
  });

  it.each(KINDS)('shows nothing of the inside in mid-stream, when it is %s', async (kind, code, phrase) => {
    const proxy = await client();

    expectAnswer(await rejection(lastValueFrom(proxy.send('watch', kind))), code, phrase);
  });
});

describe.each(ANSWERERS)('an error of ours over gRPC, answered by: %s', (answerer) => {
  async function client(): Promise<InsideService> {
    const options: GrpcOptions = {
      transport: Transport.GRPC,
      options: {
        package: 'inside',
        protoPath: fileURLToPath(new URL('../support/inside.proto', import.meta.url)),
        url: `127.0.0.1:${await freePort()}`,
      },
    };
    await start(metadata(answerer), {
      prepare: async (app) => {
        app.connectMicroservice(options, { inheritAppConfig: true });
        await app.startAllMicroservices();
      },
    });
    const proxy = ClientProxyFactory.create(options) as unknown as ClientGrpc & ClientProxy;
    onTestFinished(() => proxy.close());
    return proxy.getService<InsideService>('Inside');
  }

  const expectAnswer = (
    error: { code?: unknown; message: string; details?: unknown; metadata?: unknown },
    kind: Kind,
    code: string,
    phrase: string,
  ): void => {
    expectPublic([error.message, error.details, error.metadata, error.code]);
    if (answerer === 'module') expect([error.code, error.details]).toEqual([GRPC_CODES[kind], phrase]);
    else if (answerer === 'own') expect(error.details).toContain(`${phrase} (${code})`);
    else expect(error.code).toBe(2);
  };

  it.each(KINDS)('shows nothing of the inside, when it is %s', async (kind, code, phrase) => {
    const service = await client();

    expectAnswer(await rejection(firstValueFrom(service.ask({ kind }))), kind, code, phrase);
  });

  it.each(KINDS)('shows nothing of the inside in mid-stream, when it is %s', async (kind, code, phrase) => {
    const service = await client();

    expectAnswer(await rejection(lastValueFrom(service.watch({ kind }))), kind, code, phrase);
  });
});
