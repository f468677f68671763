import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Injectable, Module, Scope, type DynamicModule } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  RateLimit,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  Resilient,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, startUpError, until } from './support/harness.js';

@Injectable()
class Base {
  constructor(readonly host: string) {}

  @CircuitBreaker({ trip: consecutiveFailures(1), scope: 'instance' })
  async call(): Promise<string> {
    if (this.host === 'dead') throw new Error('dead host');
    return this.host;
  }
}

class Api extends Base {}

const of = (host: string) => ({ provide: host, useFactory: () => new Api(host) });

describe("scope: 'instance'", () => {
  it('gives each of two providers of one class a breaker, which plan(), handles and events show', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot()],
      providers: [of('alive'), of('dead')],
    });
    const service = module.get(ResilienceService);
    const events: string[] = [];
    service.events$.subscribe(({ type, name }) => void events.push(`${name} ${type}`));

    await rejection(module.get<Api>('dead').call());

    expect(await module.get<Api>('alive').call()).toBe('alive');
    expect(service.plan().flatMap(({ policies }) => policies.map(({ name }) => name))).toContain('Api.call#2');
    expect(service.circuitBreakers().map(({ name, state }) => [name, state])).toEqual([
      ['Api.call', 'closed'],
      ['Api.call#2', 'open'],
    ]);
    expect(events).toContain('Api.call#2 stateChange');
    service.circuitBreaker('Api.call').forceOpen();
    service.circuitBreaker('Api.call#2').reset();
    expect((await rejection(module.get<Api>('alive').call())).code).toBe('CIRCUIT_OPEN');
    expect((await rejection(module.get<Api>('dead').call())).message).toBe('dead host');
  });

  it('counts from bound and from lazily loaded instances on, and lets execute() mean the name itself', async () => {
    @Injectable()
    class Client {
      @Resilient('hosts')
      async call(): Promise<void> {}
    }
    @Module({ providers: [Client] })
    class Lazy {}
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRoot({
          policies: {
            hosts: { scope: 'instance', circuitBreaker: {}, bulkhead: 3, rateLimit: { limit: 5, per: 1_000 } },
          },
        }),
      ],
      providers: [Client],
    });
    const service = module.get(ResilienceService);
    const bound = service.bind(new Client());
    await bound.call();
    const lazy = await module.get(LazyModuleLoader).load(() => Lazy);

    expect(service.circuitBreakers().map(({ name }) => name)).toEqual(['hosts', 'hosts#2', 'hosts#3']);
    await lazy.get(Client).call();
    await service.execute('hosts', () => 1);

    expect(service.bulkheads().map(({ name }) => name)).toEqual(['hosts', 'hosts#2', 'hosts#3']);
    expect(service.circuitBreakers().map(({ stats }) => stats.fires)).toEqual([1, 1, 1]);
  });

  it.each([
    ['request-scoped', Scope.REQUEST],
    ['transient', Scope.TRANSIENT],
  ])('stops the start on a %s provider', async (_, scope) => {
    @Injectable({ scope })
    class Short {
      @Bulkhead({ maxConcurrent: 1, scope: 'instance' })
      async call(): Promise<void> {}
    }

    const error = await startUpError({ imports: [ResilienceModule.forRoot()], providers: [Short] });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    for (const part of ['Short.call, @Bulkhead', "'scope'", "'instance'"]) expect(error.message).toContain(part);
  });

  it('gives the state of an instance back with the instance', async () => {
    class Client {
      @RateLimit({ limit: 1, per: 60_000, scope: 'instance' })
      @CircuitBreaker({ scope: 'instance', trip: consecutiveFailures(1) })
      async call(): Promise<void> {
        throw new Error('down');
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot()],
      providers: [{ provide: 'one', useFactory: () => new Client() }],
    });
    const service = module.get(ResilienceService);
    for (let i = 0; i < 50; i++) await rejection(service.bind(new Client()).call());
    expect(service.circuitBreakers().length).toBeGreaterThan(10);

    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;

    await until(() => {
      collect();
      return service.circuitBreakers().length <= 2;
    }, 'the end of 49 instances');
  });

  it('is the same for a client class of a module that is registered twice', async () => {
    @Module({})
    class ApiModule {
      static register(host: string): DynamicModule {
        return { module: ApiModule, providers: [of(host)], exports: [host] };
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot(), ApiModule.register('dead'), ApiModule.register('alive')],
    });

    await rejection(module.get<Api>('dead', { strict: false }).call());

    expect(await module.get<Api>('alive', { strict: false }).call()).toBe('alive');
  });
});
