import { Controller, Get, UseInterceptors, type NestInterceptor, type Type } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  CircuitBreakerInterceptor,
  FallbackInterceptor,
  fixed,
  RecoverInterceptor,
  ResilienceInterceptor,
  ResilienceModule,
  ResilienceService,
  RetryInterceptor,
  TimeoutInterceptor,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { PLATFORMS, start, type Platform } from './support/harness.js';

/** The module's defaults, which a bare interceptor uses. */
const options: ResilienceModuleOptions = {
  policies: {
    default: {
      timeout: 40,
      retry: { maxAttempts: 3, backoff: fixed(0) },
      circuitBreaker: { volumeThreshold: 1, resetTimeout: 60_000 },
      fallback: { value: { from: 'default' } },
      recover: { value: { from: 'recover' }, log: false },
    },
  },
};

type Kind = 'failing' | 'flaky' | 'hanging';

interface Case {
  readonly name: string;
  readonly bare: Type<NestInterceptor>;
  readonly configured: Type<NestInterceptor>;
  readonly kind: Kind;
  /** What the client gets from two requests in a row, with the defaults. */
  readonly answers: readonly unknown[];
  /** What it gets with the argument of with(), where that differs. */
  readonly configuredAnswers?: readonly unknown[];
}

const timedOut = { statusCode: 504, message: 'Gateway Timeout', errorCode: 'TIMEOUT' };
const failed = { statusCode: 500, message: 'Internal server error' };
const open = { statusCode: 503, message: 'Service Unavailable', errorCode: 'CIRCUIT_OPEN' };
const served = { calls: 3 };

const CASES: readonly Case[] = [
  {
    name: 'TimeoutInterceptor',
    bare: TimeoutInterceptor,
    configured: TimeoutInterceptor.with(30),
    kind: 'hanging',
    answers: [timedOut, timedOut],
  },
  {
    name: 'RetryInterceptor',
    bare: RetryInterceptor,
    configured: RetryInterceptor.with({ maxAttempts: 3, backoff: fixed(0) }),
    kind: 'flaky',
    answers: [served, { calls: 4 }],
  },
  {
    name: 'CircuitBreakerInterceptor',
    bare: CircuitBreakerInterceptor,
    configured: CircuitBreakerInterceptor.with({ volumeThreshold: 1 }),
    kind: 'failing',
    answers: [failed, open],
  },
  {
    name: 'FallbackInterceptor',
    bare: FallbackInterceptor,
    configured: FallbackInterceptor.with({ value: { from: 'with' } }),
    kind: 'failing',
    answers: [{ from: 'default' }, { from: 'default' }],
    configuredAnswers: [{ from: 'with' }, { from: 'with' }],
  },
  {
    name: 'RecoverInterceptor',
    bare: RecoverInterceptor,
    configured: RecoverInterceptor.with({ value: { from: 'with' }, log: false }),
    kind: 'failing',
    answers: [{ from: 'recover' }, { from: 'recover' }],
    configuredAnswers: [{ from: 'with' }, { from: 'with' }],
  },
  {
    name: 'ResilienceInterceptor',
    bare: ResilienceInterceptor,
    configured: ResilienceInterceptor.with({ retry: { maxAttempts: 3, backoff: fixed(0) }, timeout: 40 }),
    kind: 'flaky',
    // The default breaker opens with the first failure.
    answers: [{ from: 'default' }, { from: 'default' }],
    configuredAnswers: [served, { calls: 4 }],
  },
];

/** A controller whose handlers fail in one way; `decorators` stand on its handler. */
function controllerOf(kind: Kind, ...decorators: MethodDecorator[]): Type {
  let calls = 0;
  @Controller()
  class ProbeController {
    @Get()
    probe(): unknown {
      calls++;
      if (kind === 'hanging') return new Promise(() => undefined);
      if (kind === 'failing' || calls < 3) throw new Error('the upstream says: password=secret');
      return { calls };
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(ProbeController.prototype, 'probe') as PropertyDescriptor;
  for (const decorate of decorators) decorate(ProbeController.prototype, 'probe', descriptor);
  return ProbeController;
}

async function twoAnswers(url: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (let request = 0; request < 2; request++) answers.push(await (await fetch(url)).json());
  return answers;
}

describe.each(PLATFORMS)('interceptors on $platform', ({ adapter }: Platform) => {
  describe.each(CASES)('$name', ({ bare, configured, kind, answers, configuredAnswers = answers }) => {
    it('works with the defaults of the module, when @UseInterceptors() names the class', async () => {
      const { url } = await start(
        {
          imports: [ResilienceModule.forRoot(options)],
          controllers: [controllerOf(kind, UseInterceptors(bare))],
        },
        { adapter },
      );

      expect(await twoAnswers(url)).toEqual(answers);
    });

    it('works with its own options, when @UseInterceptors() names the class of with()', async () => {
      const { url } = await start(
        {
          imports: [ResilienceModule.forRoot()],
          controllers: [controllerOf(kind, UseInterceptors(configured))],
        },
        { adapter },
      );

      expect(await twoAnswers(url)).toEqual(configuredAnswers);
    });

    it('works for every handler, when it is an APP_INTERCEPTOR', async () => {
      const { url } = await start(
        {
          imports: [ResilienceModule.forRoot(options)],
          controllers: [controllerOf(kind)],
          providers: [{ provide: APP_INTERCEPTOR, useClass: bare }],
        },
        { adapter },
      );

      expect(await twoAnswers(url)).toEqual(answers);
    });

    it('works for every handler, when useGlobalInterceptors() takes an instance of the class of with()', async () => {
      const { url } = await start(
        { imports: [ResilienceModule.forRoot()], controllers: [controllerOf(kind)], providers: [configured] },
        { adapter, prepare: (app) => app.useGlobalInterceptors(app.get<NestInterceptor>(configured)) },
      );

      expect(await twoAnswers(url)).toEqual(configuredAnswers);
    });
  });

  it('names its breaker after controller and handler, when CircuitBreakerInterceptor has no name', async () => {
    const { app, url } = await start(
      {
        imports: [ResilienceModule.forRoot()],
        controllers: [controllerOf('failing', UseInterceptors(CircuitBreakerInterceptor))],
      },
      { adapter },
    );

    await fetch(url);

    const breakers = app.get(ResilienceService).circuitBreakers();
    expect(breakers.map(({ name, stats }) => [name, stats.failures])).toEqual([['ProbeController.probe', 1]]);
  });

  it('shares its breaker, when two handlers use one name', async () => {
    @Controller()
    class PairController {
      @Get('one')
      @UseInterceptors(CircuitBreakerInterceptor.with('shared', { volumeThreshold: 1 }))
      one(): string {
        throw new Error('down');
      }
      @Get('two')
      @UseInterceptors(CircuitBreakerInterceptor.with('shared', { volumeThreshold: 1 }))
      two(): string {
        return 'two';
      }
    }
    const { app, url } = await start(
      { imports: [ResilienceModule.forRoot()], controllers: [PairController] },
      { adapter },
    );

    await fetch(`${url}/one`);
    const response = await fetch(`${url}/two`);

    expect(response.status).toBe(503);
    expect(app.get(ResilienceService).circuitBreaker('shared').state).toBe('open');
  });
});
