import { Injectable, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Coalesce,
  currentCall,
  DataService,
  Fallback,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryDataService } from '../support/memory-data.service.js';

@Injectable()
class Rates {
  isUp = true;
  asked = 0;

  constructor(readonly data: DataService) {}

  @Retry({ maxAttempts: 2 })
  @Fallback([
    { lastGood: { key: (currency: string) => currency, maxAge: 60_000, store: (rates: Rates) => rates.data } },
    { value: 'none' },
  ])
  async current(currency: string): Promise<string> {
    if (!this.isUp) throw new Error('down');
    return `${currency} ${++this.asked}`;
  }
}

@Injectable()
class Prices {
  constructor(private readonly rates: Rates) {}

  @Timeout(1_000)
  async of(currency: string): Promise<{ rate: string; stale: boolean }> {
    const before = currentCall()?.staleMs;
    const rate = await this.rates.current(currency);
    return { rate, stale: before === undefined && currentCall()?.staleMs !== undefined };
  }

  @Coalesce({ key: (currency: string) => currency })
  async shared(currency: string): Promise<string> {
    return this.rates.current(currency);
  }

  @Timeout(1_000)
  async ofShared(currency: string): Promise<boolean> {
    await this.shared(currency);
    return currentCall()?.staleMs !== undefined;
  }
}

async function start(data: DataService) {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false, callContext: true })],
    providers: [Rates, Prices, { provide: DataService, useValue: data }],
  }).compile();
  await module.init();
  onTestFinished(() => module.close());
  const events: ResilienceEvent[] = [];
  module.get(ResilienceService).events$.subscribe((event) => events.push(event));
  return { module, rates: module.get(Rates), prices: module.get(Prices), events };
}

describe('the last good answer', () => {
  it('stands in for what fails, for each key, and is told to be stale', async () => {
    const { rates, prices, events } = await start(new MemoryDataService());
    expect(await prices.of('eur')).toEqual({ rate: 'eur 1', stale: false });
    rates.isUp = false;

    expect(await prices.of('eur')).toEqual({ rate: 'eur 1', stale: true });
    expect(await rates.current('usd')).toBe('none');

    const fallbacks = events.filter(({ type }) => type === 'fallback');
    expect(fallbacks).toEqual([
      expect.objectContaining({ name: 'Rates.current', staleMs: expect.any(Number) }),
      expect.not.objectContaining({ staleMs: expect.anything() }),
    ]);
  });

  it('is told to be stale to all that share the run which was given it', async () => {
    const { rates, prices } = await start(new MemoryDataService());
    await prices.of('eur');
    const fresh = await Promise.all([prices.ofShared('eur'), prices.ofShared('eur')]);
    rates.isUp = false;

    const old = await Promise.all([prices.ofShared('eur'), prices.ofShared('eur')]);

    expect({ fresh, old }).toEqual({ fresh: [false, false], old: [true, true] });
  });

  it('is in the data of the app, and so there after a restart', async () => {
    const data = new MemoryDataService();
    const first = await start(data);
    await first.rates.current('eur');
    await first.module.close();
    const second = await start(data);
    second.rates.isUp = false;

    expect(await second.rates.current('eur')).toBe('eur 1');
  });

  it('is nothing that another app of the process knows', async () => {
    await (await start(new MemoryDataService())).rates.current('eur');
    const other = await start(new MemoryDataService());
    other.rates.isUp = false;

    expect(await other.rates.current('eur')).toBe('none');
  });

  it('stays when rules change', async () => {
    const { module, rates } = await start(new MemoryDataService());
    await rates.current('eur');
    module
      .get(ResilienceService)
      .rules.apply({ methods: { 'Rates.current': { retry: { maxAttempts: 3 } } } }, { by: 'ann' });
    Object.assign(rates, { data: new MemoryDataService(), isUp: false });

    expect(await rates.current('eur')).toBe('eur 1');
  });

  it('is refused at the start for a method that gives an async iterable', async () => {
    class Streams {
      @Fallback({ lastGood: { key: () => 'all', maxAge: 1_000 } })
      async *all(): AsyncGenerator<number> {
        yield 1;
      }
    }

    await expect(starting(Streams)).rejects.toThrow(
      "Streams.all, fallback: option 'lastGood': expected a method that gives a promise, or an Observable with one item, got one of kind 'asyncIterable'",
    );
  });

  it.each([
    [{ maxAge: 1_000 }, "expected option 'key', which has no default"],
    [{ key: (): string => 'x' }, "expected option 'maxAge', which has no default"],
    [{ key: async (): Promise<string> => 'x', maxAge: 1_000 }, 'not an async'],
    [{ key: (): string => 'x', maxAge: 0 }, "option 'maxAge'"],
    [{ key: (): string => 'x', maxAge: 1, store: {} }, 'get() and put()'],
  ])('refuses %o at the start', async (lastGood, message) => {
    class Wrong {
      @Fallback({ lastGood: lastGood as never })
      async all(): Promise<number> {
        return 1;
      }
    }

    await expect(starting(Wrong)).rejects.toThrow(message);
  });
});

async function starting(provider: Type) {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false })],
    providers: [provider],
  }).compile();
  onTestFinished(() => module.close());
  return module.init();
}
