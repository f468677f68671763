import { Controller, Get, Injectable, UseInterceptors, type Type } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  ResilienceInterceptor,
  CircuitBreaker,
  fixed,
  RateLimit,
  ResilienceModule,
  Retry,
  RetryInterceptor,
  Timeout,
  TimeoutInterceptor,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Runtime } from '../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../lib/module/tokens.js';

@Injectable()
class Upstream {
  failures = 0;

  ask(): string {
    if (this.failures-- > 0) throw new Error('down');
    return 'here';
  }
}

@Controller()
@UseInterceptors(ResilienceInterceptor.with({ bulkhead: { maxConcurrent: 5 } }))
class Orders {
  constructor(private readonly upstream: Upstream) {}

  @Get('plain')
  plain(): string {
    return this.upstream.ask();
  }

  @Get('own')
  @CircuitBreaker()
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async own(): Promise<string> {
    return this.upstream.ask();
  }

  @Get('named')
  @CircuitBreaker('payments', {})
  async named(): Promise<string> {
    return this.upstream.ask();
  }

  @Get('several')
  @CircuitBreaker('payments')
  @RateLimit('pool', { limit: 5, per: 1_000 })
  async several(): Promise<string> {
    return this.upstream.ask();
  }
}

@Controller('bare')
class Bare {
  constructor(private readonly upstream: Upstream) {}

  @Get()
  @Timeout(500)
  async timed(): Promise<string> {
    return this.upstream.ask();
  }
}

async function start(interceptors: readonly Type[]) {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ policies: { default: { timeout: 1_000 } }, log: false })],
    providers: [Upstream, ...interceptors.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass }))],
    controllers: [Orders, Bare],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  const { readModel } = app.get<Runtime>(RUNTIME);
  readModel.countCalls();
  const url = await app.getUrl();
  const get = async (path: string): Promise<number> => (await fetch(`${url}/${path}`)).status;
  const calls = () =>
    Object.fromEntries(
      [...readModel.counts()].map(([name, { outcomes, inFlight, retries, attemptDurations }]) => [
        name,
        {
          ended: Object.values(outcomes).reduce((sum, count) => sum + count, 0),
          attempts: attemptDurations.success.count + attemptDurations.failure.count,
          inFlight,
          retries,
        },
      ]),
    );
  return { get, calls, upstream: app.get(Upstream) };
}

const ONE = { ended: 1, attempts: 1, inFlight: 0, retries: 0 };

describe('a request counts as one call', () => {
  it.each([
    ['one interceptor', [TimeoutInterceptor]],
    ['two interceptors', [TimeoutInterceptor, RetryInterceptor]],
  ] as const)('whatever stands around its handler: %s', async (_name, interceptors) => {
    const { get, calls } = await start(interceptors);

    expect([await get('plain'), await get('own')]).toEqual([200, 200]);

    expect(calls()).toEqual({ 'Orders.plain': ONE, 'Orders.own': ONE });
  });

  it('under the name that the policies of its handler were given', async () => {
    const { get, calls } = await start([TimeoutInterceptor]);

    expect([await get('named'), await get('several')]).toEqual([200, 200]);

    expect(calls()).toEqual({ payments: ONE, 'Orders.several': ONE });
  });

  it('with the retries of its handler', async () => {
    const { get, calls, upstream } = await start([TimeoutInterceptor]);
    upstream.failures = 2;

    expect(await get('own')).toBe(200);

    expect(calls()).toEqual({ 'Orders.own': { ...ONE, retries: 2 } });
  });

  it('also where its handler has left nothing to the interceptor', async () => {
    const { get, calls } = await start([TimeoutInterceptor]);

    expect(await get('bare')).toBe(200);

    expect(calls()).toEqual({ 'Bare.timed': ONE });
  });
});
