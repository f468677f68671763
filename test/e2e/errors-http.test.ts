import {
  Catch,
  Controller,
  Get,
  HttpException,
  UseFilters,
  UseInterceptors,
  type ArgumentsHost,
  type ExceptionFilter,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  fixed,
  RateLimit,
  RateLimitExceededException,
  ResilienceExceptionFilter,
  ResilienceInterceptor,
  ResilienceModule,
  Retry,
  setRetryAfter,
  ShutdownException,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { PLATFORMS, start, type Platform } from './support/harness.js';

const SECRET = 'password=secret at 10.0.0.7';
const init = (retryAfterMs?: number) => ({
  policy: 'test',
  instanceName: 'Test.test',
  message: `the upstream said: ${SECRET}`,
  details: { lastError: SECRET },
  cause: new Error(SECRET),
  retryAfterMs,
});

@Controller('thrown')
class ThrowingController {
  @Get('open')
  open(): never {
    throw new CircuitOpenException(init(1_234));
  }
  @Get('timeout')
  timeout(): never {
    throw new TimeoutException(init());
  }
  @Get('full')
  full(): never {
    throw new BulkheadFullException(init(1));
  }
  @Get('limited')
  limited(): never {
    throw new RateLimitExceededException(init(60_000));
  }
  @Get('shutdown')
  shutdown(): never {
    throw new ShutdownException(init(0));
  }
  @Get('other')
  other(): never {
    throw new HttpException('teapot', 418);
  }
}

@Controller('upstream')
class UpstreamController {
  @Get('open')
  @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 2_500, resetJitter: 0 })
  async open(): Promise<never> {
    throw new Error(SECRET);
  }
  @Get('timeout')
  @Timeout(20)
  async timeout(): Promise<never> {
    return new Promise(() => undefined);
  }
  @Get('full')
  @Bulkhead(1)
  @Timeout(300)
  async full(): Promise<never> {
    return new Promise(() => undefined);
  }
  @Get('limited')
  @RateLimit({ limit: 2, per: 5_000 })
  async limited(): Promise<string> {
    return 'served';
  }
  @Get('retried')
  @Retry({ maxAttempts: 2, backoff: fixed(0) })
  async retried(): Promise<never> {
    throw new Error(SECRET);
  }
}

const EXPECTED: readonly [string, number, string, string][] = [
  ['open', 503, 'Service Unavailable', 'CIRCUIT_OPEN'],
  ['timeout', 504, 'Gateway Timeout', 'TIMEOUT'],
  ['full', 503, 'Service Unavailable', 'BULKHEAD_FULL'],
  ['limited', 429, 'Too Many Requests', 'RATE_LIMITED'],
  ['shutdown', 503, 'Service Unavailable', 'SHUTDOWN'],
];

/** What an app writes that answers for every error itself. */
@Catch()
class CatchAllFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}
  catch(error: unknown, host: ArgumentsHost): void {
    setRetryAfter(error, host);
    const status = error instanceof HttpException ? error.getStatus() : 500;
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { own: status }, status);
  }
}

@Controller('listed')
class ListedController {
  @Get()
  @UseInterceptors(
    ResilienceInterceptor.with({
      rateLimit: {
        limit: 1,
        per: 60_000,
        key: (request: { headers: Record<string, string> }) => String(request.headers['x-client']),
      },
    }),
  )
  list(): string[] {
    return ['one'];
  }
}

@Controller('filtered')
@UseFilters(ResilienceExceptionFilter)
class FilteredController {
  @Get()
  open(): never {
    throw new CircuitOpenException(init(1_001));
  }
}

describe.each(PLATFORMS)('an error over HTTP on $platform', ({ adapter }: Platform) => {
  const app = (
    options = {},
    controllers: Type[] = [ThrowingController, UpstreamController],
    providers: object[] = [],
  ) => start({ imports: [ResilienceModule.forRoot(options)], controllers, providers: providers as never }, { adapter });

  it.each(EXPECTED)('has the fixed body and status, when it is %s', async (path, statusCode, message, errorCode) => {
    const { url } = await app();

    const response = await fetch(`${url}/thrown/${path}`);

    expect(response.status).toBe(statusCode);
    expect(await response.json()).toEqual({ statusCode, message, errorCode });
    expect(response.headers.get('retry-after')).toBeNull();
  });

  it('carries no text of the upstream, when a breaker is open or retries have run out', async () => {
    const { url } = await app({ exceptionFilter: true });

    const texts: string[] = [];
    for (const path of ['open', 'open', 'retried', 'timeout']) {
      const response = await fetch(`${url}/upstream/${path}`);
      texts.push(`${response.status} ${await response.text()} ${JSON.stringify([...response.headers])}`);
    }

    expect(texts.join('\n')).not.toContain('secret');
    expect(texts.map((text) => text.slice(0, 3))).toEqual(['500', '503', '500', '504']);
  });

  it('is 503 with its code, when the bulkhead of a handler is full', async () => {
    const { url } = await app();

    const answers = await Promise.all([fetch(`${url}/upstream/full`), fetch(`${url}/upstream/full`)]);

    const codes = await Promise.all(
      answers.map(async (one) => ((await one.json()) as { errorCode: string }).errorCode),
    );
    expect(codes.sort()).toEqual(['BULKHEAD_FULL', 'TIMEOUT']);
  });

  it.each([
    ['open', '2'],
    ['full', '1'],
    ['limited', '60'],
    ['shutdown', '1'],
    ['timeout', null],
    ['other', null],
  ])('says when to come back, when the filter of the module answers for %s', async (path, seconds) => {
    const { url } = await app({ exceptionFilter: true });

    const response = await fetch(`${url}/thrown/${path}`);

    expect(response.headers.get('retry-after')).toBe(seconds);
  });

  it.each(EXPECTED)('keeps its body, when the filter answers for %s', async (path, statusCode, message, errorCode) => {
    const { url } = await app({ exceptionFilter: true });

    const response = await fetch(`${url}/thrown/${path}`);

    expect(response.status).toBe(statusCode);
    expect(await response.json()).toEqual({ statusCode, message, errorCode });
  });

  it('rounds the time to the next probe up to whole seconds, when a real breaker is open', async () => {
    const { url } = await app({ exceptionFilter: true });
    await fetch(`${url}/upstream/open`);

    const response = await fetch(`${url}/upstream/open`);

    expect(response.headers.get('retry-after')).toBe('3');
  });

  it('is 429 and says when the next place is free, when the rate limit of a handler is used up', async () => {
    const { url } = await app({ exceptionFilter: true });
    const get = () => fetch(`${url}/upstream/limited`);
    expect([(await get()).status, (await get()).status]).toEqual([200, 200]);

    const response = await get();

    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await response.json()).toEqual({
      statusCode: 429,
      message: 'Too Many Requests',
      errorCode: 'RATE_LIMITED',
    });
  });

  it('is 429 for the client that asks too often, when an interceptor limits by address', async () => {
    const { url } = await app({ exceptionFilter: true }, [ListedController]);
    const get = (client: string) => fetch(`${url}/listed`, { headers: { 'x-client': client } });

    const statuses = [];
    for (const client of ['a', 'b', 'a', 'b']) statuses.push((await get(client)).status);

    expect(statuses).toEqual([200, 200, 429, 429]);
  });

  it.each<[string, () => object]>([
    ['an APP_FILTER', () => ({ provide: APP_FILTER, useClass: ResilienceExceptionFilter })],
    ["the app's own catch-all filter", () => ({ provide: APP_FILTER, useClass: CatchAllFilter })],
  ])('says when to come back, when %s answers', async (_, filter) => {
    const { url } = await app({}, [ThrowingController], [filter()]);

    const response = await fetch(`${url}/thrown/open`);

    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });

  it('says when to come back, when @UseFilters() names the filter', async () => {
    const { url } = await app({}, [FilteredController]);

    const response = await fetch(`${url}/filtered`);

    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      errorCode: 'CIRCUIT_OPEN',
    });
  });

  it('says when to come back, when useGlobalFilters() takes an instance', async () => {
    const { url } = await start(
      { imports: [ResilienceModule.forRoot()], controllers: [ThrowingController] },
      {
        adapter,
        prepare: (created) =>
          created.useGlobalFilters(new ResilienceExceptionFilter(created.get(HttpAdapterHost).httpAdapter)),
      },
    );

    expect((await fetch(`${url}/thrown/limited`)).headers.get('retry-after')).toBe('60');
  });
});
