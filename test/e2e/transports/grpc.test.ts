import { fileURLToPath } from 'node:url';
import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { Controller, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  ClientProxyFactory,
  GrpcMethod,
  GrpcStreamMethod,
  Transport,
  type ClientGrpc,
  type ClientProxy,
  type GrpcOptions,
} from '@nestjs/microservices';
import {
  Bulkhead,
  CircuitBreaker,
  currentCall,
  Fallback,
  fixed,
  Idempotent,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  type ResilienceErrorCode,
} from 'nestjs-bulwark';
import { ResilienceClientsModule } from 'nestjs-bulwark/microservices';
import { concat, defer, firstValueFrom, lastValueFrom, NEVER, Observable, of, throwError, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../support/servers/free-port.js';
import { rejection, start, until } from '../support/harness.js';
import { itHoldsOnHandlers, type Handler, type Opened } from './support/handlers.js';
import { Work } from './support/work.js';

interface Answer {
  readonly text: string;
}

type Call = ServerUnaryCall<unknown, unknown>;

/** What came to handlers that show it. */
const seen: { readonly metadata: Metadata; readonly deadline: unknown }[] = [];

@Controller()
class Handlers {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @GrpcMethod('Transports', 'Retried')
  @Timeout(30_000)
  async retried(): Promise<Answer> {
    return { text: this.work.failTwice() };
  }

  @GrpcMethod('Transports', 'Hanging')
  @Timeout(30)
  async hanging(
    _question: unknown,
    _metadata: unknown,
    _call: unknown,
    @Signal() signal?: AbortSignal,
  ): Promise<never> {
    return this.work.hang(signal);
  }

  @CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
  @GrpcMethod('Transports', 'Open')
  async open(): Promise<never> {
    return this.work.fail();
  }

  @GrpcMethod('Transports', 'Held')
  @Bulkhead(1)
  async held(): Promise<Answer> {
    return { text: await this.work.hold() };
  }

  @Fallback({ value: { text: 'a substitute' } })
  @GrpcMethod('Transports', 'Answered')
  async answered(): Promise<Answer> {
    return this.work.fail();
  }

  @GrpcMethod('Transports', 'Plain')
  plain(): Promise<never> {
    return this.work.hang();
  }

  @GrpcMethod('Transports', 'Judged')
  @CircuitBreaker('transports-judged', { volumeThreshold: 1 })
  async judged(): Promise<never> {
    return this.work.hang();
  }

  @GrpcMethod('Transports', 'Failing')
  @Retry({ maxAttempts: 5, backoff: fixed(0) })
  async failing(): Promise<never> {
    return this.work.fail();
  }

  @GrpcMethod('Transports', 'Seen')
  see(_question: unknown, metadata: Metadata, call: Call): Answer {
    seen.push({ metadata, deadline: call.getDeadline() });
    return { text: String(currentCall()?.timeLeft()) };
  }

  /** Two items, then nothing. */
  @GrpcMethod('Transports', 'Watch')
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Timeout(100)
  watch({ text }: { text: string }): Observable<Answer> {
    this.work.attempts++;
    if (text === 'late') return NEVER;
    if (text === 'later' && this.work.attempts < 3) return throwError(() => new Error('not yet'));
    return concat(of({ text: '1' }, { text: '2' }), text === 'idle' ? NEVER : throwError(() => new Error('broken')));
  }

  @GrpcStreamMethod('Transports', 'Collect')
  collect(questions: Observable<{ text: string }>, metadata: Metadata, call: Call): Observable<Answer> {
    seen.push({ metadata, deadline: call.getDeadline() });
    return defer(async () => ({
      text: (await lastValueFrom(questions.pipe(toArray()))).map((one) => one.text).join(),
    }));
  }
}

type Method = (question: unknown, metadata?: Metadata, options?: object) => Observable<Answer>;
type Service = Record<Handler | 'plain' | 'judged' | 'failing' | 'seen' | 'watch' | 'collect', Method>;

@Injectable()
class Caller implements OnModuleInit {
  service!: Service;

  constructor(@Inject('SERVICE') readonly client: ClientGrpc) {}

  onModuleInit(): void {
    this.service = this.client.getService<Service>('Transports');
  }

  @Timeout({ total: 5_000 })
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Idempotent({ key: (order: string) => `order-${order}` })
  async see(_order: string, metadata?: Metadata, options?: object): Promise<unknown> {
    return firstValueFrom(this.service.seen({}, metadata, options));
  }

  @Timeout({ total: 5_000 })
  @Idempotent({ key: (order: string) => `order-${order}` })
  async collect(_order: string, questions: Observable<unknown>): Promise<Answer> {
    return firstValueFrom(this.service.collect(questions));
  }

  @Timeout({ total: 200 })
  async judged(): Promise<unknown> {
    return firstValueFrom(this.service.judged({}));
  }

  @Retry({ maxAttempts: 2, backoff: fixed(0), retryOn: () => true })
  async failing(): Promise<unknown> {
    return firstValueFrom(this.service.failing({}));
  }
}

type ModuleOptions = NonNullable<Parameters<typeof ResilienceModule.forRoot>[0]>;

async function open(forRoot: ModuleOptions = {}): Promise<Opened & { caller: Caller; service: Service }> {
  seen.length = 0;
  const options: GrpcOptions = {
    transport: Transport.GRPC,
    options: {
      package: 'transports',
      protoPath: fileURLToPath(new URL('./support/transports.proto', import.meta.url)),
      url: `127.0.0.1:${await freePort()}`,
    },
  };
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
        created.connectMicroservice(options, { inheritAppConfig: true });
        await created.startAllMicroservices();
      },
    },
  );
  const client = ClientProxyFactory.create(options) as unknown as ClientGrpc & ClientProxy;
  onTestFinished(() => void client.close());
  const service = client.getService<Service>('Transports');
  const ask = async (handler: Handler): Promise<unknown> => (await firstValueFrom(service[handler]({}))).text;
  return { app, log, work: app.get(Work), ask, service, caller: app.get(Caller) };
}

/** @see https://grpc.io/docs/guides/status-codes/ */
const CODES: Partial<Record<ResilienceErrorCode, [number, string]>> = {
  TIMEOUT: [4, 'Gateway Timeout'],
  CIRCUIT_OPEN: [14, 'Service Unavailable'],
  BULKHEAD_FULL: [8, 'Service Unavailable'],
};

function expectError(error: unknown, code: ResilienceErrorCode): void {
  const { code: status, details } = error as { code: number; details: string };
  expect([status, details]).toEqual(CODES[code]);
}

describe('a handler of gRPC', () => {
  itHoldsOnHandlers({ open, expectError });
});

describe('a stream of gRPC', () => {
  const all = (items: Observable<Answer>): Promise<unknown[]> => {
    const got: unknown[] = [];
    return new Promise((resolve) =>
      items.subscribe({
        next: ({ text }) => got.push(text),
        error: (error: { code: unknown }) => resolve([...got, error.code]),
        complete: () => resolve(got),
      }),
    );
  };

  it('is tried again before its first item, and never after it', async () => {
    const { service, work } = await open();

    expect(await all(service.watch({ text: 'later' }))).toEqual(['1', '2', 2]);
    expect(work.attempts).toBe(3);
  });

  it.each([
    ['late', [4], 3],
    ['idle', ['1', '2', 4], 1],
  ])('is cut, when its next item is %s', async (text, items, attempts) => {
    const { service, work } = await open();

    expect(await all(service.watch({ text }))).toEqual(items);
    expect(work.attempts).toBe(attempts);
  });
});

describe('the running call, over gRPC', () => {
  const accepting = () => open({ deadlines: { accept: true } });
  const metadataIn = (index: number) => {
    const { 'user-agent': _agent, ...own } = seen[index]?.metadata.getMap() ?? {};
    return own;
  };

  it('tells the deadline, the attempt and the key of a repetition', async () => {
    const { caller } = await open();

    await caller.see('7');

    expect(metadataIn(0)).toEqual({
      'x-retry-attempt': '1',
      'idempotency-key': 'order-7',
      'x-request-timeout': expect.stringMatching(/^\d+m$/),
    });
    const left = Number(seen[0]?.deadline) - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5_011);
  });

  it('tells nothing, when no guarded call sends', async () => {
    const { caller, service } = await open();

    await firstValueFrom(service.seen({}));
    await firstValueFrom(caller.service.seen({}));

    expect([metadataIn(0), metadataIn(1)]).toEqual([{}, {}]);
    expect(seen.map(({ deadline }) => deadline)).toEqual([Infinity, Infinity]);
  });

  it('leaves what the app sets itself, and takes the sooner deadline', async () => {
    const { caller } = await open();
    const metadata = new Metadata();
    metadata.set('X-Retry-Attempt', '9');

    await caller.see('7', metadata, { deadline: Date.now() + 1_000 });

    expect(metadataIn(0)).toMatchObject({ 'x-retry-attempt': '9', 'idempotency-key': 'order-7' });
    expect(Number(seen[0]?.deadline)).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(metadata.getMap()).toEqual({ 'x-retry-attempt': '9' });
  });

  it('goes with a stream of messages too', async () => {
    const { caller } = await open();

    expect(await caller.collect('7', of({ text: 'a' }, { text: 'b' }))).toEqual({ text: 'a,b' });

    expect(metadataIn(0)).toMatchObject({ 'idempotency-key': 'order-7' });
    expect(metadataIn(0)['x-request-timeout']).toMatch(/^\d+m$/);
  });

  it('bounds what the handler does, and opens no breaker', async () => {
    const { caller, work, app } = await accepting();

    // Its own, or what the handler had to say of the same moment.
    expect(['TIMEOUT', 4]).toContain((await rejection(caller.judged())).code);

    await work.wasCut();
    expect(work.timesLeft[0]).toBeLessThanOrEqual(201);
    const { state, stats } = app.get(ResilienceService).circuitBreaker('transports-judged');
    expect([state, stats.failures]).toEqual(['closed', 0]);
  });

  it('lets one layer retry', async () => {
    const { caller, service, work } = await accepting();

    await rejection(caller.failing());
    const byCaller = work.attempts;
    await rejection(firstValueFrom(service.failing({})));

    expect([byCaller, work.attempts - byCaller]).toEqual([2, 5]);
  });

  it('is bounded by the deadline of any client', async () => {
    const { service, work } = await accepting();

    const error = await rejection(firstValueFrom(service.plain({}, new Metadata(), { deadline: Date.now() + 80 })));

    expect(error.code).toBe(4);
    await work.wasCut();
    expect((work.cuts[0] as Error).name).toMatch(/^(?:TimeoutException|AbortError)$/);
  });

  it('holds nothing of a call that is answered', async () => {
    const { service, work } = await accepting();

    await firstValueFrom(service.seen({}, new Metadata(), { deadline: Date.now() + 60_000 }));

    expect(work.cuts).toEqual([]);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('with abortOnDisconnect: %s a call that its client cancels cuts %d handlers', async (abortOnDisconnect, cuts) => {
    const { service, work } = await open({ abortOnDisconnect });
    const asked = service.plain({}).subscribe({ error: () => undefined });
    await work.hasBegun();

    asked.unsubscribe();

    if (cuts > 0) await until(() => work.cuts.length === cuts, 'the cut');
    else await new Promise((resolve) => setTimeout(resolve, 60));
    expect(work.cuts.map((reason) => (reason as Error).name)).toEqual(cuts > 0 ? ['AbortError'] : []);
  });
});
