import { randomUUID } from 'node:crypto';
import { Controller, Inject, Injectable, type INestApplication } from '@nestjs/common';
import {
  ClientProxyFactory,
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  type ClientOptions,
  type ClientProxy,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  Idempotent,
  ResilienceModule,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { ResilienceClientsModule } from 'nestjs-bulwark/microservices';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished } from 'vitest';
import { start } from '../../support/harness.js';
import type { Opened, TransportTests } from './handlers.js';
import { Work } from './work.js';

/** The same server may serve others at the same time. */
const RUN = randomUUID();
export const at = (name: string): string => `${name}-${RUN}`;

@Controller()
class Handlers {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @MessagePattern(at('retried'))
  @Timeout(30_000)
  async retried(@Payload() _data: unknown): Promise<string> {
    return this.work.failTwice();
  }

  @MessagePattern(at('hanging'))
  @Timeout(30)
  async hanging(@Payload() _data: unknown, @Signal() signal?: AbortSignal): Promise<never> {
    return this.work.hang(signal);
  }

  @CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
  @MessagePattern(at('open'))
  async open(): Promise<never> {
    return this.work.fail();
  }

  @MessagePattern(at('held'))
  @Bulkhead(1)
  async held(): Promise<string> {
    return this.work.hold();
  }

  @Fallback({ value: 'a substitute' })
  @MessagePattern(at('answered'))
  async answered(): Promise<string> {
    return this.work.fail();
  }

  /** Nothing guards it but what its caller brings. */
  @MessagePattern(at('plain'))
  plain(): Promise<never> {
    return this.work.hang();
  }

  @MessagePattern(at('judged'))
  @CircuitBreaker('transports-judged', { volumeThreshold: 1 })
  async judged(@Signal() signal?: AbortSignal): Promise<never> {
    return this.work.hang(signal);
  }

  @MessagePattern(at('failing'))
  @Retry({ maxAttempts: 5, backoff: fixed(0) })
  async failing(): Promise<never> {
    return this.work.fail();
  }

  @EventPattern(at('event'))
  @Idempotent()
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async event(@Ctx() context: unknown): Promise<void> {
    seen.push(context);
    this.work.failTwice();
  }

  @MessagePattern(at('seen'))
  see(@Ctx() context: unknown): string {
    seen.push(context);
    return 'seen';
  }
}

/** The contexts that came to handlers which show them. */
export const seen: unknown[] = [];

/** Calls the handlers from inside guarded calls. */
@Injectable()
export class Caller {
  constructor(@Inject('SERVICE') readonly client: ClientProxy) {}

  @Timeout({ total: 5_000 })
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Idempotent({ key: (order: string) => `order-${order}` })
  async see(_order: string, data: unknown = {}): Promise<string> {
    return firstValueFrom(this.client.send<string>(at('seen'), data));
  }

  @Timeout({ total: 200 })
  async judged(): Promise<unknown> {
    return firstValueFrom(this.client.send(at('judged'), {}));
  }

  @Retry({ maxAttempts: 2, backoff: fixed(0), retryOn: () => true })
  async failing(): Promise<unknown> {
    return firstValueFrom(this.client.send(at('failing'), {}));
  }

  @Timeout({ total: 5_000 })
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Idempotent({ key: (order: string) => `order-${order}` })
  async emit(_order: string): Promise<void> {
    await firstValueFrom(this.client.emit(at('event'), { an: 'event' }), { defaultValue: undefined });
  }
}

export interface OpenedMicroservice extends Opened {
  readonly caller: Caller;
  readonly client: ClientProxy;
  /** From outside of guarded calls. */
  send(handler: string, data?: unknown): Promise<unknown>;
}

export type ModuleOptions = NonNullable<Parameters<typeof ResilienceModule.forRoot>[0]>;

/** An app that is both ends of a transport. */
export async function openMicroservice(
  options: ClientOptions,
  forRoot: ModuleOptions = {},
  beforeClose?: (app: INestApplication) => Promise<void>,
): Promise<OpenedMicroservice> {
  seen.length = 0;
  const { app, log } = await start(
    {
      imports: [
        ResilienceModule.forRoot({ exceptionFilter: true, callContext: true, log: false, ...forRoot }),
        ResilienceClientsModule.register([{ name: 'SERVICE', ...options }]),
      ],
      controllers: [Handlers],
      providers: [Work, Caller],
    },
    {
      prepare: async (created) => {
        closesOnce(created, beforeClose);
        created.connectMicroservice(options as MicroserviceOptions, { inheritAppConfig: true });
        await created.startAllMicroservices();
      },
    },
  );
  const client = ClientProxyFactory.create(options);
  onTestFinished(() => void client.close());
  await client.connect();
  const send = (handler: string, data: unknown = {}): Promise<unknown> =>
    firstValueFrom(client.send(at(handler), data));
  return { app, log, work: app.get(Work), caller: app.get(Caller), client, send, ask: send };
}

/** Some of Nest's servers fail when they are closed again. */
function closesOnce(app: INestApplication, before?: (app: INestApplication) => Promise<void>): void {
  const close = app.close.bind(app);
  let closing: Promise<void> | undefined;
  app.close = () => (closing ??= Promise.resolve(before?.(app)).then(close));
}

/** How errors look over every transport of Nest's packets. */
export const expectError: TransportTests['expectError'] = (error, code) => {
  const message = code === 'TIMEOUT' ? 'Gateway Timeout' : 'Service Unavailable';
  expect(error).toMatchObject({ status: 'error', code, message });
  if (code === 'CIRCUIT_OPEN') expect(error).toHaveProperty('retryAfterMs');
};
