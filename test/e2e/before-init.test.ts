import { Controller, Get, Injectable } from '@nestjs/common';
import { CircuitBreaker, CircuitOpenException, fixed, ResilienceModule, Retry } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { compile, rejection } from './support/harness.js';

const policies = { four: { retry: { maxAttempts: 4, backoff: fixed(0) } } };

/** What takes longer to make than the rest of the app. */
async function afterManyTurns<T>(make: () => T): Promise<T> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return make();
}

describe('a call before init()', () => {
  class Guarded {
    attempts = 0;
    @Retry('four')
    async load(): Promise<string> {
      this.attempts++;
      throw new Error('down');
    }
  }

  it.each(['class', 'value', 'factory', 'async factory'])(
    'is guarded by the app, when %s gave the provider',
    async (how) => {
      Injectable()(Guarded);
      const provide = 'guarded';
      const provider = {
        class: { provide, useClass: Guarded },
        value: { provide, useValue: new Guarded() },
        factory: { provide, useFactory: () => new Guarded() },
        'async factory': {
          provide,
          useFactory: () => afterManyTurns(() => new Guarded()),
        },
      }[how as 'class'];
      const { module } = await compile({ imports: [ResilienceModule.forRoot({ policies })], providers: [provider] });

      await rejection(module.get<Guarded>(provide).load());

      expect(module.get<Guarded>(provide).attempts).toBe(4);
    },
  );

  it('is guarded by the app, when a factory calls a guarded provider while the app is being made', async () => {
    Injectable()(Guarded);
    const { module } = await compile({
      providers: [
        Guarded,
        {
          provide: 'warm',
          inject: [Guarded],
          useFactory: async (guarded: Guarded) => {
            await guarded.load().catch(() => undefined);
            return guarded.attempts;
          },
        },
      ],
      imports: [ResilienceModule.forRoot({ policies })],
    });

    expect(module.get('warm')).toBe(4);
  });

  it('stays guarded by the app, when it was called before the start and after it', async () => {
    Injectable()(Guarded);
    const { module } = await compile({
      imports: [ResilienceModule.forRoot({ policies })],
      providers: [{ provide: 'guarded', useFactory: () => afterManyTurns(() => new Guarded()) }],
    });
    const guarded = module.get<Guarded>('guarded');

    await rejection(guarded.load());
    await module.init();
    guarded.attempts = 0;
    await rejection(guarded.load());

    expect(guarded.attempts).toBe(4);
  });

  it('does not spoil the policies of later calls, when the options come later than the call', async () => {
    @Injectable()
    class Fragile {
      @CircuitBreaker()
      async load(): Promise<string> {
        throw new Error('down');
      }
    }
    const { module } = await compile({
      providers: [
        Fragile,
        {
          provide: 'warm',
          inject: [Fragile],
          useFactory: (fragile: Fragile) => fragile.load().catch((error: Error) => error.message),
        },
      ],
      imports: [
        ResilienceModule.forRootAsync({
          useFactory: () =>
            afterManyTurns(() => ({ policies: { default: { circuitBreaker: { volumeThreshold: 1 } } } })),
        }),
      ],
    });
    await module.init();
    const fragile = module.get(Fragile);

    await rejection(fragile.load());

    expect(await rejection(fragile.load())).toBeInstanceOf(CircuitOpenException);
  });

  it('is guarded by the app, when a controller is called before the start', async () => {
    Injectable()(Guarded);
    @Controller()
    class GuardedController {
      attempts = 0;
      @Get()
      @Retry('four')
      async load(): Promise<string> {
        this.attempts++;
        throw new Error('down');
      }
    }
    const { module } = await compile({
      imports: [ResilienceModule.forRoot({ policies })],
      controllers: [GuardedController],
    });
    const controller = module.get(GuardedController);

    await rejection(controller.load());

    expect(controller.attempts).toBe(4);
  });
});
