import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Fallback, fixed, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection } from './support/harness.js';

abstract class PaymentClient {
  attempts = 0;

  @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 60_000 })
  async charge(): Promise<string> {
    this.attempts++;
    return this.send();
  }

  protected abstract send(): Promise<string>;
}

@Injectable()
class CardClient extends PaymentClient {
  protected async send(): Promise<string> {
    throw new Error('the card service is down');
  }
}

@Injectable()
class BankClient extends PaymentClient {
  protected async send(): Promise<string> {
    return 'paid by bank';
  }
}

class Base {
  @CircuitBreaker()
  async charge(amount: number): Promise<string> {
    return `charged ${amount}`;
  }
}

describe('a self-call', () => {
  it('is guarded, when a method calls another one through this', async () => {
    @Injectable()
    class Orders {
      attempts = 0;
      async place(): Promise<string> {
        return this.reserve();
      }
      @Retry({ maxAttempts: 3, backoff: fixed(0) })
      async reserve(): Promise<string> {
        if (++this.attempts < 3) throw new Error('not yet');
        return 'reserved';
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    expect(await module.get(Orders).place()).toBe('reserved');
  });

  it('is guarded on its own, when both methods are guarded', async () => {
    @Injectable()
    class Orders {
      @CircuitBreaker()
      async place(): Promise<string> {
        return this.reserve();
      }
      @CircuitBreaker()
      async reserve(): Promise<string> {
        return 'reserved';
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Orders] });

    await module.get(Orders).place();

    const counted = module
      .get(ResilienceService)
      .circuitBreakers()
      .map(({ name, stats }) => [name, stats.successes]);
    expect(counted).toEqual([
      ['Orders.place', 1],
      ['Orders.reserve', 1],
    ]);
  });
});

describe('a subclass', () => {
  it('has a breaker of its own, when two clients extend one base', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot()],
      providers: [CardClient, BankClient],
    });
    const service = module.get(ResilienceService);

    await rejection(module.get(CardClient).charge());
    const answer = await module.get(BankClient).charge();

    expect(answer).toBe('paid by bank');
    expect(service.circuitBreaker('CardClient.charge').state).toBe('open');
    expect(service.circuitBreaker('BankClient.charge').state).toBe('closed');
    expect((await rejection(module.get(CardClient).charge())).code).toBe('CIRCUIT_OPEN');
  });

  it('runs the plans of both, when super.charge() is called from a guarded override', async () => {
    @Injectable()
    class Sub extends Base {
      @CircuitBreaker()
      override async charge(amount: number): Promise<string> {
        return `${await super.charge(amount)} once`;
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Sub] });

    const answer = await module.get(Sub).charge(7);

    const service = module.get(ResilienceService);
    expect(answer).toBe('charged 7 once');
    expect(service.circuitBreaker('Sub.charge').stats.successes).toBe(1);
    expect(service.circuitBreaker('Sub.charge (Base)').stats.successes).toBe(1);
  });

  it('makes a start-up warning, when its override drops the decorators', async () => {
    @Injectable()
    class Careless extends CardClient {
      override async charge(): Promise<string> {
        return 'not guarded';
      }
    }

    const { log, module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Careless] });

    const warnings = log.ofBulwark('warn');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('Careless.charge');
    expect(warnings[0]).toContain('PaymentClient.charge');
    expect(await module.get(Careless).charge()).toBe('not guarded');
  });

  it('makes one that says what is guarded, when its override calls super.charge()', async () => {
    @Injectable()
    class Sub extends Base {
      override async charge(amount: number): Promise<string> {
        return `${await super.charge(amount)} once`;
      }
    }

    const { log, module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Sub] });
    const answer = await module.get(Sub).charge(7);

    expect(log.ofBulwark('warn')).toEqual([
      "Sub.charge overrides Base.charge without its decorators: only what super.charge() does is guarded, as 'Sub.charge (Base)', and not what else it does",
    ]);
    expect(answer).toBe('charged 7 once');
    expect(module.get(ResilienceService).circuitBreaker('Sub.charge (Base)').stats.successes).toBe(1);
  });

  it('falls back to its own override, when the fallback method is overridden', async () => {
    class Base {
      @Fallback('substitute')
      async load(): Promise<string> {
        throw new Error('down');
      }
      substitute(): string {
        return 'of the base';
      }
    }
    @Injectable()
    class Sub extends Base {
      override substitute(): string {
        return 'of the subclass';
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Sub] });

    expect(await module.get(Sub).load()).toBe('of the subclass');
  });

  it('inherits no guard for its own methods, when the class decorator stands on the base', async () => {
    @Timeout(20)
    class Base {
      async inherited(): Promise<never> {
        return new Promise(() => undefined);
      }
    }
    @Injectable()
    class Sub extends Base {
      async own(): Promise<string> {
        return 'own';
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Sub] });

    expect((await rejection(module.get(Sub).inherited())).code).toBe('TIMEOUT');
    expect(await module.get(Sub).own()).toBe('own');
    expect(
      module
        .get(ResilienceService)
        .plan()
        .map(({ methodName }) => methodName),
    ).toEqual(['inherited']);
  });
});

describe('a decorator on a class', () => {
  @Timeout(30)
  @Injectable()
  class Covered {
    readonly hooks: string[] = [];
    async promised(): Promise<never> {
      return new Promise(() => undefined);
    }
    @Timeout(false)
    async exempt(): Promise<string> {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return 'slow, and allowed to be';
    }
    synchronous(): string {
      return 'now';
    }
    get accessor(): string {
      return 'accessed';
    }
    async onModuleInit(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 60));
      this.hooks.push('onModuleInit');
    }
  }

  it('covers the methods of known kind and nothing else, when the app runs', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Covered] });
    const covered = module.get(Covered);

    expect((await rejection(covered.promised())).code).toBe('TIMEOUT');
    expect(await covered.exempt()).toBe('slow, and allowed to be');
    expect(covered.synchronous()).toBe('now');
    expect(covered.accessor).toBe('accessed');
    expect(covered.hooks).toEqual(['onModuleInit']);
  });

  it('shows in plan() what it left out, when the class has such members', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Covered] });

    const uncovered = module
      .get(ResilienceService)
      .plan()
      .filter((entry) => entry.uncovered !== undefined)
      .map(({ methodName }) => methodName);

    expect(uncovered.sort()).toEqual(['accessor', 'onModuleInit', 'synchronous']);
  });
});
