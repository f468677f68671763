import { Controller, Get } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  ResilienceModule,
  Retry,
  Signal,
  Timeout,
  type ResilienceErrorCode,
} from 'nestjs-bulwark';
import { describe, expect } from 'vitest';
import { PLATFORMS, start } from '../support/harness.js';
import { itHoldsOnHandlers, type Handler, type Opened } from './support/handlers.js';
import { Work } from './support/work.js';

@Controller()
class Handlers {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Get('retried')
  async retried(): Promise<string> {
    return this.work.failTwice();
  }

  @Get('hanging')
  @Timeout(30)
  async hanging(@Signal() signal?: AbortSignal): Promise<never> {
    return this.work.hang(signal);
  }

  @CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
  @Get('open')
  async open(): Promise<never> {
    return this.work.fail();
  }

  @Get('held')
  @Bulkhead(1)
  async held(): Promise<string> {
    return this.work.hold();
  }

  @Fallback({ value: 'a substitute' })
  @Get('answered')
  async answered(): Promise<string> {
    return this.work.fail();
  }
}

const STATUS: Partial<Record<ResilienceErrorCode, number>> = { TIMEOUT: 504, CIRCUIT_OPEN: 503, BULKHEAD_FULL: 503 };

/** More on HTTP stands in the tests beside this folder: errors, interceptors, streams, deadlines and hang-ups. */
describe.each(PLATFORMS)('a handler of HTTP on $platform', ({ adapter }) => {
  async function open(): Promise<Opened> {
    const { app, log, url } = await start(
      {
        imports: [ResilienceModule.forRoot({ exceptionFilter: true, log: false })],
        controllers: [Handlers],
        providers: [Work],
      },
      { adapter },
    );
    const ask = async (handler: Handler): Promise<unknown> => {
      // Fastify waits for connections that are kept.
      const response = await fetch(`${url}/${handler}`, { headers: { connection: 'close' } });
      const text = await response.text();
      if (response.ok) return text;
      throw Object.assign(new Error(text), {
        status: response.status,
        retryAfter: response.headers.get('retry-after'),
      });
    };
    return { app, log, ask, work: app.get(Work) };
  }

  itHoldsOnHandlers({
    open,
    answersFirst: true,
    expectError: (error, code) => {
      const { message, status, retryAfter } = error as Error & { status: number; retryAfter: string | null };
      expect(status).toBe(STATUS[code]);
      expect(JSON.parse(message)).toMatchObject({ statusCode: status, errorCode: code });
      expect(retryAfter === null).toBe(code !== 'CIRCUIT_OPEN');
    },
  });
});
