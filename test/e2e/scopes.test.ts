import { Controller, Get, Inject, Injectable, Query, Scope, type ScopeOptions, type Type } from '@nestjs/common';
import {
  ContextIdFactory,
  REQUEST,
  type ContextId,
  type ContextIdStrategy,
  type HostComponentInfo,
} from '@nestjs/core';
import { CircuitBreaker, Fallback, fixed, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLATFORMS, start } from './support/harness.js';

interface Query {
  query: { id?: string; tenant?: string };
}

/** One durable tree for each tenant. */
class ByTenant implements ContextIdStrategy<Query> {
  readonly #trees = new Map<string, ContextId>();

  attach(contextId: ContextId, { query }: Query) {
    const tenant = query?.tenant ?? 'none';
    const tree = this.#trees.get(tenant) ?? ContextIdFactory.create();
    this.#trees.set(tenant, tree);
    return {
      resolve: (info: HostComponentInfo) => (info.isTreeDurable === true ? tree : contextId),
      payload: { tenant },
    };
  }
}

const SCOPES: readonly { scope: string; options: ScopeOptions & { durable?: boolean } }[] = [
  { scope: 'singleton', options: {} },
  { scope: 'request-scoped', options: { scope: Scope.REQUEST } },
  { scope: 'transient', options: { scope: Scope.TRANSIENT } },
  { scope: 'durable', options: { scope: Scope.REQUEST, durable: true } },
];

/** A service that is down, guarded by policies of the app. */
function downService(options: ScopeOptions) {
  @Injectable(options)
  class Rates {
    static instances = 0;
    static calls = 0;

    constructor() {
      Rates.instances++;
    }

    @CircuitBreaker({ volumeThreshold: 4, resetTimeout: 60_000 })
    @Retry('twice')
    @Fallback('lastKnown')
    async rate(currency: string): Promise<string> {
      Rates.calls++;
      throw new Error(`no rate for ${currency}`);
    }

    lastKnown(currency: string, error: Error): string {
      return `${currency} by ${error.name}`;
    }
  }
  return Rates;
}

const policies = { twice: { retry: { maxAttempts: 2, backoff: fixed(0), budget: false } } } as const;

describe.each(PLATFORMS)('scopes on $platform', ({ adapter }) => {
  beforeAll(() => ContextIdFactory.apply(new ByTenant() as ContextIdStrategy));
  afterAll(() =>
    ContextIdFactory.apply({ attach: (contextId: ContextId) => () => contextId } satisfies ContextIdStrategy),
  );

  describe.each(SCOPES)('a $scope provider', ({ options }) => {
    it('is guarded by the policies of the app, when a request reaches it', async () => {
      const Rates = downService(options);
      @Controller()
      class RatesController {
        constructor(@Inject(Rates) private readonly rates: InstanceType<typeof Rates>) {}
        @Get()
        rate() {
          return this.rates.rate('EUR');
        }
      }
      const { url } = await start(
        { imports: [ResilienceModule.forRoot({ policies })], controllers: [RatesController], providers: [Rates] },
        { adapter },
      );

      const answer = await (await fetch(url)).text();

      expect(answer).toBe('EUR by Error');
      expect(Rates.calls).toBe(2);
    });

    it('has one breaker for all its instances, when many requests fail', async () => {
      const Rates = downService(options);
      @Controller()
      class RatesController {
        constructor(@Inject(Rates) private readonly rates: InstanceType<typeof Rates>) {}
        @Get()
        rate() {
          return this.rates.rate('EUR');
        }
      }
      const { app, url } = await start(
        { imports: [ResilienceModule.forRoot({ policies })], controllers: [RatesController], providers: [Rates] },
        { adapter },
      );

      const answers: string[] = [];
      for (let request = 0; request < 3; request++)
        answers.push(await (await fetch(`${url}/?tenant=t${request}`)).text());

      expect(answers).toEqual(['EUR by Error', 'EUR by Error', 'EUR by CircuitOpenException']);
      expect(Rates.calls).toBe(4);
      expect(
        app
          .get(ResilienceService)
          .circuitBreakers()
          .map(({ name, state }) => [name, state]),
      ).toEqual([['Rates.rate', 'open']]);
    });
  });

  describe.each(SCOPES)('a $scope controller', ({ options }) => {
    it('is guarded on the handler itself, when a request reaches it', async () => {
      @Controller(options)
      class HangingController {
        @Get()
        @Timeout('short')
        async hang(): Promise<never> {
          return new Promise(() => undefined);
        }
      }
      const { url } = await start(
        {
          imports: [ResilienceModule.forRoot({ policies: { short: { timeout: 30 } } })],
          controllers: [HangingController as Type],
        },
        { adapter },
      );

      const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });

      expect(response.status).toBe(504);
    });
  });

  it('never mixes the state of request-scoped instances, when requests run at once and are retried', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Session {
      #failed = false;
      constructor(@Inject(REQUEST) private readonly request: Query) {}

      @Retry('twice')
      @Timeout(5_000)
      async id(): Promise<string> {
        await new Promise((resolve) => setImmediate(resolve));
        if (!this.#failed) {
          this.#failed = true;
          throw new Error('the first attempt fails');
        }
        return `${this.request.query.id}`;
      }
    }
    @Controller()
    class SessionController {
      constructor(@Inject(Session) private readonly session: Session) {}
      @Get()
      async id(@Query('id') asked: string) {
        return { asked, got: await this.session.id() };
      }
    }
    const { url } = await start(
      { imports: [ResilienceModule.forRoot({ policies })], controllers: [SessionController], providers: [Session] },
      { adapter },
    );

    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, id) => (await fetch(`${url}/?id=${id}`)).json()),
    );

    expect(answers).toEqual(Array.from({ length: 30 }, (_, id) => ({ asked: `${id}`, got: `${id}` })));
  });
});
