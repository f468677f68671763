import { forwardRef, Inject, Injectable, mixin, Module, Scope, type Provider, type Type } from '@nestjs/common';
import { ContextIdFactory } from '@nestjs/core';
import { CircuitBreaker, fixed, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection } from './support/harness.js';

/** Four attempts tell that the app's policies are in force: without the app there are three. */
const policies = { four: { retry: { maxAttempts: 4, backoff: fixed(0) } } };

@Injectable()
class Stock {
  attempts = 0;
  readonly name = 'stock';

  @Retry('four')
  async level(): Promise<number> {
    this.attempts++;
    throw new Error('the stock is down');
  }
}

const STOCK = Symbol('stock');

async function attemptsOf(provider: Provider, others: Provider[] = []): Promise<number> {
  const { module } = await initialise({
    imports: [ResilienceModule.forRoot({ policies })],
    providers: [...others, provider],
  });
  const stock = await module.resolve<Stock>(STOCK).catch(() => module.get<Stock>(STOCK));
  await rejection(stock.level());
  return stock.attempts;
}

describe('a provider', () => {
  it.each<[string, Provider, Provider[]?]>([
    ['useClass', { provide: STOCK, useClass: Stock }],
    ['useClass of request scope', { provide: STOCK, useClass: Stock, scope: Scope.REQUEST }],
    ['useClass of transient scope', { provide: STOCK, useClass: Stock, scope: Scope.TRANSIENT }],
    ['useValue', { provide: STOCK, useValue: new Stock() }],
    ['useFactory', { provide: STOCK, useFactory: () => new Stock() }],
    ['an async useFactory', { provide: STOCK, useFactory: async () => new Stock() }],
    ['useFactory of request scope', { provide: STOCK, useFactory: () => new Stock(), scope: Scope.REQUEST }],
    [
      'an async useFactory of request scope',
      { provide: STOCK, useFactory: async () => new Stock(), scope: Scope.REQUEST },
    ],
    ['useFactory of transient scope', { provide: STOCK, useFactory: () => new Stock(), scope: Scope.TRANSIENT }],
    ['useExisting', { provide: STOCK, useExisting: Stock }, [Stock]],
    [
      'useExisting of a request-scoped class',
      { provide: STOCK, useExisting: 'scoped' },
      [{ provide: 'scoped', useClass: Stock, scope: Scope.REQUEST }],
    ],
  ])('is guarded by the app, when it is made by %s', async (_, provider, others) => {
    expect(await attemptsOf(provider, others)).toBe(4);
  });

  it('is guarded by the app, when a factory of a request-scoped dependency makes it', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Context {}

    const attempts = await attemptsOf({ provide: STOCK, inject: [Context], useFactory: () => new Stock() }, [Context]);

    expect(attempts).toBe(4);
  });

  it('is guarded by the app, when its instance is frozen', async () => {
    class Frozen {
      readonly counter = { attempts: 0 };
      constructor() {
        Object.freeze(this);
      }
      @Retry('four')
      async load(): Promise<void> {
        this.counter.attempts++;
        throw new Error('down');
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ policies })],
      providers: [
        { provide: 'value', useValue: new Frozen() },
        { provide: 'factory', useFactory: () => new Frozen() },
      ],
    });

    for (const token of ['value', 'factory']) {
      const frozen = module.get<Frozen>(token);
      await rejection(frozen.load());
      expect([token, frozen.counter.attempts]).toEqual([token, 4]);
    }
  });

  it('shows no property of ours, when its own properties are enumerated', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ policies })], providers: [Stock] });
    const stock = module.get(Stock);
    await rejection(stock.level());

    expect(Reflect.ownKeys({ ...stock })).toEqual(['attempts', 'name']);
    expect(JSON.parse(JSON.stringify(stock))).toEqual({ attempts: 4, name: 'stock' });
  });

  it('is guarded on both sides, when two providers depend on each other', async () => {
    @Injectable()
    class Hen {
      constructor(@Inject(forwardRef(() => Egg)) private readonly egg: { crack(): Promise<string> }) {}
      attempts = 0;
      @Retry('four')
      async lay(): Promise<string> {
        if (++this.attempts < 4) throw new Error('not yet');
        return this.egg.crack();
      }
    }
    @Injectable()
    class Egg {
      constructor(@Inject(forwardRef(() => Hen)) readonly hen: unknown) {}
      attempts = 0;
      @Retry('four')
      async crack(): Promise<string> {
        if (++this.attempts < 4) throw new Error('not yet');
        return 'a chick';
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ policies })], providers: [Hen, Egg] });

    const answer = await module.get(Hen).lay();

    expect(answer).toBe('a chick');
  });

  it('is guarded by the app, when it is an object nested in a value and handed to bind()', async () => {
    const clients = { stock: new Stock() };
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ policies })],
      providers: [{ provide: 'clients', useValue: clients }],
    });

    const bound = module.get(ResilienceService).bind(clients.stock);
    await rejection(bound.level());

    expect(bound).toBe(clients.stock);
    expect(clients.stock.attempts).toBe(4);
  });

  it('is one instance a request, when it is request-scoped and resolved twice for one context', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ policies })],
      providers: [{ provide: STOCK, useFactory: () => new Stock(), scope: Scope.REQUEST }],
    });
    const [one, other] = [ContextIdFactory.create(), ContextIdFactory.create()];

    const first = await module.resolve<Stock>(STOCK, one);
    const again = await module.resolve<Stock>(STOCK, one);
    const second = await module.resolve<Stock>(STOCK, other);
    await Promise.all([rejection(first.level()), rejection(second.level())]);

    expect(again).toBe(first);
    expect([first.attempts, second.attempts]).toEqual([4, 4]);
  });
});

describe('the name of an instance', () => {
  function clientNamed(): Type<{ call(): Promise<void> }> {
    @Injectable()
    class Client {
      @CircuitBreaker()
      async call(): Promise<void> {}
    }
    return Client;
  }

  it('has the module before it, when two modules have classes of the same name', async () => {
    const [First, Second] = [clientNamed(), clientNamed()];
    @Module({ providers: [First] })
    class OrdersModule {}
    @Module({ providers: [Second] })
    class UsersModule {}
    const { module } = await initialise({ imports: [ResilienceModule.forRoot(), OrdersModule, UsersModule] });
    const service = module.get(ResilienceService);

    await module.get(First, { strict: false }).call();

    expect(
      service
        .circuitBreakers()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['OrdersModule/Client.call', 'UsersModule/Client.call']);
    expect(service.circuitBreaker('OrdersModule/Client.call').stats.successes).toBe(1);
    expect(service.circuitBreaker('UsersModule/Client.call').stats.successes).toBe(0);
  });

  it('is that of its nearest named ancestor, when mixin() made the class', async () => {
    class Gateway {
      @Timeout(1_000)
      async base(): Promise<string> {
        return 'base';
      }
    }
    function withCalls(): Type<Gateway & { call(): Promise<string> }> {
      const Mixed = class extends Gateway {
        async call(): Promise<string> {
          return 'called';
        }
      };
      CircuitBreaker()(Mixed);
      return mixin(Mixed);
    }
    const Mixed = withCalls();
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Mixed] });

    const answer = await module.get(Mixed).call();

    expect(answer).toBe('called');
    expect(
      module
        .get(ResilienceService)
        .circuitBreakers()
        .map(({ name }) => name),
    ).toEqual(['Gateway.call']);
  });

  it('is shared by nobody else, when mixin() made two classes of one ancestor', async () => {
    class Gateway {
      @CircuitBreaker()
      async call(): Promise<void> {}
    }
    const [First, Second] = [mixin(class extends Gateway {}), mixin(class extends Gateway {})];
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [First, Second] });
    const service = module.get(ResilienceService);

    await module.get<Gateway>(First).call();
    await module.get<Gateway>(First).call();
    await module.get<Gateway>(Second).call();

    const successes = service.circuitBreakers().map(({ stats }) => stats.successes);
    expect(successes.sort()).toEqual([1, 2]);
  });
});
