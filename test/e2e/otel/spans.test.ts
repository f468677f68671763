import { HttpException, Injectable } from '@nestjs/common';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  CircuitBreaker,
  Fallback,
  fixed,
  Hedge,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  consecutiveFailures,
} from 'nestjs-bulwark';
import { ResilienceTelemetryModule, type TelemetryModuleOptions } from 'nestjs-bulwark/otel';
import { defer, lastValueFrom, Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from '../support/harness.js';
import { request, startSdk, treesOf } from '../support/telemetry.js';

type Work = () => unknown;

const fail: Work = () => {
  throw Object.assign(new Error('cannot reach postgres://ann:secret@db/shop'), { code: 'ECONNREFUSED' });
};
const no: Work = () => {
  throw new HttpException('no', 404);
};
const hang: Work = () => new Promise(() => undefined);

@Injectable()
class Shop {
  runs = 0;

  @Timeout(1_000)
  async charge(work: Work = () => 'fine'): Promise<unknown> {
    await Promise.resolve();
    request('GET /charge');
    return work();
  }

  @Retry({ maxAttempts: 3, backoff: fixed(1) })
  async find(): Promise<string> {
    const run = ++this.runs;
    await Promise.resolve();
    request(`GET /find ${run}`);
    if (run < 3) fail();
    return 'found';
  }

  @Timeout(1_000)
  prices(): Observable<string> {
    return defer(() => {
      request('GET /prices');
      return of('cheap');
    });
  }

  @Timeout(1_000)
  async *pages(): AsyncGenerator<number> {
    request('GET /pages 1');
    yield 1;
    await Promise.resolve();
    request('GET /pages 2');
    yield 2;
  }

  @Hedge({ after: 1, budget: false })
  async slow(): Promise<string> {
    const run = ++this.runs;
    request(`GET /slow ${run}`);
    if (run === 1) await hang();
    return 'fine';
  }

  @CircuitBreaker('payments', { trip: consecutiveFailures(1) })
  async pay(work: Work): Promise<unknown> {
    return work();
  }

  @Timeout(5)
  @Fallback({ value: 'substitute' })
  async covered(work: Work): Promise<unknown> {
    return work();
  }
}

async function app(options?: TelemetryModuleOptions) {
  const { spans } = startSdk();
  const { module } = await initialise({
    imports: [ResilienceModule.forRoot({ log: false }), ResilienceTelemetryModule.forRoot(options)],
    providers: [Shop],
  });
  const named = (name: string) => spans().filter((span) => span.name === name);
  return { module, shop: module.get(Shop), spans, named };
}

const settled = (call: Promise<unknown>): Promise<unknown> => call.catch(() => undefined);
const eventsOf = (span: ReadableSpan | undefined): string[] => span?.events.map(({ name }) => name) ?? [];

describe('the spans of a call', () => {
  it('stand inside the one that is active, each attempt in its call, what the method does in its attempt', async () => {
    const { shop, spans, named } = await app();
    const tracer = trace.getTracer('app');

    await tracer.startActiveSpan('POST /orders', async (span) => {
      await shop.charge();
      request('after');
      span.end();
    });

    expect(treesOf(spans())).toEqual([
      ['POST /orders', ['Shop.charge', ['Shop.charge attempt', ['GET /charge']]], ['after']],
    ]);
    const [call] = named('Shop.charge');
    expect(call?.attributes).toEqual({
      'bulwark.name': 'Shop.charge',
      'bulwark.kind': 'promise',
      'code.function.name': 'Shop.charge',
      'bulwark.outcome': 'success',
      'bulwark.attempts': 1,
      'bulwark.retries': 0,
    });
    expect(call?.status.code).toBe(SpanStatusCode.UNSET);
    expect(call?.instrumentationScope).toMatchObject({ name: 'nestjs-bulwark', version: '0.1.0' });
    expect(named('Shop.charge attempt')[0]?.attributes).toMatchObject({
      'bulwark.attempt.number': 1,
      'bulwark.outcome': 'success',
    });
  });

  it('show each attempt of a retry, with its error', async () => {
    const { shop, spans, named } = await app();
    await shop.find();

    expect(treesOf(spans())).toEqual([
      [
        'Shop.find',
        ['Shop.find attempt', ['GET /find 1']],
        ['Shop.find attempt', ['GET /find 2']],
        ['Shop.find attempt', ['GET /find 3']],
      ],
    ]);
    const [first, , third] = named('Shop.find attempt');
    expect(first?.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: 'Error: cannot reach postgres://***@db/shop',
    });
    expect(first?.attributes['error.type']).toBe('ECONNREFUSED');
    expect(third?.status.code).toBe(SpanStatusCode.UNSET);
    const [call] = named('Shop.find');
    expect(call?.attributes).toMatchObject({
      'bulwark.outcome': 'success',
      'bulwark.attempts': 3,
      'bulwark.retries': 2,
    });
    expect(eventsOf(call)).toEqual(['bulwark.retry', 'bulwark.retry']);
    expect(call?.events[0]?.attributes).toMatchObject({ 'bulwark.policy': 'retry', 'bulwark.delay': 0.001 });
  });

  it('keep errors without the credentials in them, once', async () => {
    const { shop, named } = await app();
    await settled(shop.charge(fail));

    const [exception] = named('Shop.charge attempt')[0]?.events ?? [];
    expect(exception?.name).toBe('exception');
    expect(exception?.attributes?.['exception.message']).toBe('cannot reach postgres://***@db/shop');
    expect(
      JSON.stringify([...named('Shop.charge'), ...named('Shop.charge attempt')].map((s) => [s.events, s.status])),
    ).not.toContain('secret');
    expect(named('Shop.charge')[0]?.events).toEqual([]);
    expect(named('Shop.charge')[0]?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('are those of each subscription to an Observable', async () => {
    const { shop, spans } = await app();
    const prices = shop.prices();
    expect(spans()).toEqual([]);
    await lastValueFrom(prices);
    await lastValueFrom(prices);

    const one = ['Shop.prices', ['Shop.prices attempt', ['GET /prices']]];
    expect(treesOf(spans())).toEqual([one, one]);
  });

  it('are those of an async iterable', async () => {
    const { shop, spans } = await app();
    const pages: number[] = [];
    for await (const page of shop.pages()) pages.push(page);

    expect(pages).toEqual([1, 2]);
    expect(treesOf(spans())).toEqual([['Shop.pages', ['Shop.pages attempt', ['GET /pages 1'], ['GET /pages 2']]]]);
  });

  it('show a hedge beside the attempt that it has overtaken', async () => {
    const { shop, spans, named } = await app();
    await shop.slow();

    expect(treesOf(spans())).toEqual([
      ['Shop.slow', ['Shop.slow attempt', ['GET /slow 1']], ['Shop.slow attempt', ['GET /slow 2']]],
    ]);
    expect(
      named('Shop.slow attempt').map(({ attributes }) => [attributes['bulwark.outcome'], attributes['bulwark.cut']]),
    ).toEqual(
      expect.arrayContaining([
        ['success', undefined],
        ['aborted', 'hedge'],
      ]),
    );
    expect(eventsOf(named('Shop.slow')[0])).toEqual(['bulwark.hedge']);
  });

  it('say why a call was refused, and have no attempt then', async () => {
    const { shop, named } = await app();
    await settled(shop.pay(fail));
    await settled(shop.pay(fail));

    const [, refused] = named('Shop.pay');
    expect(named('payments attempt')).toHaveLength(1);
    expect(refused?.attributes).toMatchObject({
      'bulwark.name': 'payments',
      'bulwark.outcome': 'refused',
      'error.type': 'CIRCUIT_OPEN',
    });
    expect(refused?.status.code).toBe(SpanStatusCode.ERROR);
    expect(eventsOf(refused)).toEqual(['bulwark.refused', 'exception']);
    expect(refused?.events[0]?.attributes).toEqual({
      'bulwark.policy': 'circuit_breaker',
      'bulwark.policy.name': 'payments',
      'bulwark.refusal.code': 'CIRCUIT_OPEN',
    });
  });

  it('say that a fallback answered, and what for', async () => {
    const { shop, named } = await app();
    await shop.covered(hang);

    const [call] = named('Shop.covered');
    expect(call?.attributes).toMatchObject({ 'bulwark.outcome': 'fallback', 'bulwark.cut': 'per_attempt' });
    expect(call?.status.code).toBe(SpanStatusCode.UNSET);
    expect(eventsOf(call)).toEqual(['bulwark.timeout', 'bulwark.fallback']);
    expect(call?.events[1]?.attributes?.['error.type']).toBe('TIMEOUT');
  });

  it('of a call that the dependency answered with no are no failures', async () => {
    const { shop, named } = await app();
    await settled(shop.charge(no));

    const [call] = named('Shop.charge');
    expect(call?.status.code).toBe(SpanStatusCode.UNSET);
    expect(call?.attributes).toMatchObject({
      'bulwark.outcome': 'client_error',
      'error.type': 'HttpException',
    });
  });

  it('of execute() go by the name of the set', async () => {
    const { module, spans, named } = await app();
    await module.get(ResilienceService).execute({ name: 'inline', timeout: 1_000 }, () => request('GET /x'));

    expect(treesOf(spans())).toEqual([['inline', ['inline attempt', ['GET /x']]]]);
    expect(named('inline')[0]?.attributes['code.function.name']).toBe('ResilienceService.execute');
  });

  it('last as long as the call and the attempt', async () => {
    const { shop, named } = await app();
    await shop.find();

    const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1e3 + nanos / 1e6;
    const [call] = named('Shop.find');
    const attempts = named('Shop.find attempt');
    expect(attempts).toHaveLength(3);
    for (const span of attempts) {
      expect(ms(span.startTime)).toBeGreaterThanOrEqual(ms(call?.startTime as [number, number]) - 0.01);
      expect(ms(span.endTime)).toBeLessThanOrEqual(ms(call?.endTime as [number, number]) + 0.01);
    }
    expect(Math.abs(ms(call?.startTime as [number, number]) - Date.now())).toBeLessThan(60_000);
  });

  it('are of calls alone where the options say so', async () => {
    const { shop, spans } = await app({ spans: 'calls' });
    await shop.charge();

    expect(treesOf(spans())).toEqual([['Shop.charge', ['GET /charge']]]);
  });

  it('are not there where the options say so', async () => {
    const { shop, spans } = await app({ spans: false });
    await shop.charge();

    expect(treesOf(spans())).toEqual([['GET /charge']]);
  });

  it('end with the app', async () => {
    const { module, shop, spans } = await app();
    await module.close();
    await shop.charge();

    expect(treesOf(spans())).toEqual([['GET /charge']]);
  });
});

describe('the options of the telemetry', () => {
  it('are refused where they are wrong', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot({ log: false }), ResilienceTelemetryModule.forRoot({ spans: 'all' as never })],
    });

    expect(error.message).toContain("option 'spans': expected false, or one of 'attempts', 'calls'");
  });

  it('may come later', async () => {
    const { spans } = startSdk();
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRoot({ log: false }),
        ResilienceTelemetryModule.forRootAsync({ useFactory: async () => ({ spans: 'calls' as const }) }),
      ],
      providers: [Shop],
    });
    await module.get(Shop).charge();

    expect(treesOf(spans())).toEqual([['Shop.charge', ['GET /charge']]]);
  });

  it('need a ResilienceModule', async () => {
    const error = await startUpError({ imports: [ResilienceTelemetryModule.forRoot()] });

    expect(error.message).toContain('there is no ResilienceModule');
  });
});
