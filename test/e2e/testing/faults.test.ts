import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  RESILIENCE_CLOCK,
  ResilienceInterceptor,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutException,
  TimeoutInterceptor,
} from 'nestjs-bulwark';
import { ResilienceTesting, virtualClock } from 'nestjs-bulwark/testing';
import { firstValueFrom, Observable, of } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { errorOf, track } from '../../support/settle.js';
import { PLATFORMS, start } from '../support/harness.js';

@Injectable()
class Rates {
  calls = 0;

  @CircuitBreaker('rates', { volumeThreshold: 5_000 })
  @Timeout(1_000)
  async load(currency = 'EUR'): Promise<string> {
    this.calls++;
    return currency;
  }

  @Timeout(1_000)
  async other(): Promise<string> {
    return 'other';
  }

  @Timeout(1_000)
  watch(): Observable<string> {
    return of('tick');
  }

  @Timeout(1_000)
  async *pages(): AsyncGenerator<string> {
    yield 'page';
  }

  @Fallback({ value: 'none' })
  label(): string {
    return 'label';
  }
}

const setUp = async () => {
  const clock = virtualClock();
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false, policies: { mail: { timeout: 1_000 } } })],
    providers: [Rates],
  })
    .overrideProvider(RESILIENCE_CLOCK)
    .useValue(clock)
    .compile();
  await module.init();
  onTestFinished(() => module.close());
  const service = module.get(ResilienceService);
  return { clock, module, service, rates: module.get(Rates), testing: ResilienceTesting.for(module) };
};

const failing = async (count: number, call: () => Promise<unknown>): Promise<number[]> => {
  const failed: number[] = [];
  for (let index = 0; index < count; index++) await call().catch(() => failed.push(index));
  return failed;
};

describe('a fault', () => {
  it('takes the time that it says, before the method is called', async () => {
    const { clock, rates, testing } = await setUp();
    const fault = testing.inject({ target: [Rates, 'load'], latency: 400 });

    const call = track(rates.load());
    await clock.advance(399);
    expect([call.status, rates.calls]).toEqual(['pending', 0]);
    await clock.advance(1);

    expect(call.outcome).toBe('EUR');
    expect([fault.seen, fault.hits]).toEqual([1, 1]);
  });

  it('meets the policies as the real thing would', async () => {
    const { clock, rates, testing } = await setUp();
    testing.inject({ target: Rates, hang: true });

    const calls = [
      track(rates.load()),
      track(rates.other()),
      track(firstValueFrom(rates.watch())),
      track(rates.pages().next()),
    ];
    await clock.advance(1_000);

    for (const { outcome } of calls) expect(outcome).toBeInstanceOf(TimeoutException);
    expect(rates.calls).toBe(0);
  });

  it('throws the error that it is given, or what a function makes of the call', async () => {
    const { clock, rates, testing } = await setUp();
    const error = new Error('down');
    testing.inject({ target: [Rates, 'load'], error: ({ args }) => new Error(`no ${String(args[0])}`) });
    testing.inject({ target: [Rates, 'watch'], latency: 10, error });
    testing.inject({ target: 'Rates.pages', error });
    testing.inject({ target: 'Rates.label', error });

    expect((await errorOf(rates.load('CHF'))).message).toBe('no CHF');
    const watched = track(firstValueFrom(rates.watch()));
    await clock.advance(10);
    expect(watched.outcome).toBe(error);
    expect(await errorOf(rates.pages().next())).toBe(error);
    expect(rates.label()).toBe('none');
    expect(await rates.other()).toBe('other');
  });

  it('meets the part of the calls that its rate says, the same ones for the same seed', async () => {
    const { rates, testing, service } = await setUp();
    service.circuitBreaker('rates').disable();
    const run = async (seed?: number) => {
      const fault = testing.inject({ target: 'rates', error: new Error('down'), rate: 0.2, seed });
      const failed = await failing(1_000, () => rates.load());
      expect([fault.seen, fault.hits]).toEqual([1_000, failed.length]);
      fault.stop();
      return failed;
    };

    const [first, again, other] = [await run(7), await run(7), await run(8)];

    expect(first.length).toBeGreaterThan(150);
    expect(first.length).toBeLessThan(250);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(await failing(10, () => rates.load())).toEqual([]);
  });

  it('of rate 0 meets nothing, and one of rate 1 everything', async () => {
    const { rates, testing } = await setUp();
    const never = testing.inject({ target: 'Rates.other', error: new Error('down'), rate: 0 });
    expect(await failing(50, () => rates.other())).toEqual([]);
    never.stop();
    testing.inject({ target: 'Rates.other', error: new Error('down'), rate: 1 });

    expect(await failing(5, () => rates.other())).toEqual([0, 1, 2, 3, 4]);
  });

  it('takes a time between two bounds', async () => {
    const { clock, rates, testing } = await setUp();
    testing.inject({ target: 'Rates.other', latency: [100, 200], seed: 3 });
    const times: number[] = [];

    for (let index = 0; index < 40; index++) {
      const before = clock.now();
      const call = track(rates.other());
      while (call.status === 'pending') await clock.advance(1);
      times.push(clock.now() - before);
    }

    expect(Math.min(...times)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...times)).toBeLessThanOrEqual(200);
    expect(new Set(times).size).toBeGreaterThan(10);
  });

  it('can be told which calls to meet: by arguments, by the number of the attempt, by the environment', async () => {
    const { rates, testing } = await setUp();
    onTestFinished(() => void vi.unstubAllEnvs());
    testing.inject({
      target: 'Rates.load',
      error: new Error('down'),
      when: ({ args, className, methodName, attempt }) =>
        process.env.CHAOS === '1' && args[0] === 'CHF' && `${className}.${methodName}#${attempt}` === 'Rates.load#1',
    });
    expect(await failing(1, () => rates.load('CHF'))).toEqual([]);
    vi.stubEnv('CHAOS', '1');

    expect(await failing(1, () => rates.load('EUR'))).toEqual([]);
    expect(await failing(1, () => rates.load('CHF'))).toEqual([0]);
  });

  it('meets the work of execute() by the name of its set', async () => {
    const { clock, service, testing } = await setUp();
    testing.inject({ target: 'mail', hang: true });

    const call = track(service.execute('mail', async () => 'sent'));
    await clock.advance(1_000);
    expect(call.outcome).toBeInstanceOf(TimeoutException);
    testing.reset();

    expect(await service.execute('mail', async () => 'sent')).toBe('sent');
  });

  it('comes before a script, which the attempts that met it leave as it is', async () => {
    const { rates, testing } = await setUp();
    const script = testing.script(Rates, 'other', ['scripted']);
    const fault = testing.inject({ target: Rates, error: new Error('down') });

    expect((await errorOf(rates.other())).message).toBe('down');
    expect(script.left).toBe(1);
    fault.stop();

    expect(await rates.other()).toBe('scripted');
  });

  it('leaves other apps of the process alone', async () => {
    const { testing } = await setUp();
    const { rates } = await setUp();
    testing.inject({ target: Rates, error: new Error('down') });

    expect(await rates.other()).toBe('other');
  });
});

describe('reset()', () => {
  @Injectable()
  class Limited {
    @RateLimit({ limit: 1, per: 60_000 })
    async limited(): Promise<string> {
      return 'ok';
    }

    @Bulkhead(1)
    async one(work: Promise<unknown>): Promise<unknown> {
      return work;
    }

    @Retry({ maxAttempts: 2, budget: { ratio: 0.1, minPerSecond: 0 } as never })
    async retried(): Promise<never> {
      throw new Error('down');
    }
  }

  it('empties limits and bulkheads', async () => {
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ log: false })],
      providers: [Limited],
    }).compile();
    onTestFinished(() => module.close());
    const testing = ResilienceTesting.for(module);
    const limited = module.get(Limited);
    await limited.limited();
    void limited.one(new Promise(() => undefined)).catch(() => undefined);
    expect(await failing(1, () => limited.limited())).toEqual([0]);
    expect(await failing(1, () => limited.one(Promise.resolve()))).toEqual([0]);

    testing.reset();

    expect(await failing(1, () => limited.limited())).toEqual([]);
    expect(await failing(1, () => limited.one(Promise.resolve()))).toEqual([]);
  });
});

describe.each(PLATFORMS)('on $platform', ({ adapter }) => {
  @Injectable()
  class Deep {
    @Timeout(60_000)
    async load(): Promise<string> {
      return 'loaded';
    }
  }

  @Controller()
  class Shop {
    constructor(private readonly deep: Deep) {}

    @Get('deep')
    @UseInterceptors(TimeoutInterceptor.with(60_000))
    load(): Promise<string> {
      return this.deep.load();
    }

    @Get('plain')
    @UseInterceptors(ResilienceInterceptor, TimeoutInterceptor.with(60_000))
    plain(): string {
      return 'plain';
    }

    @Get('known')
    async known(): Promise<string> {
      return this.deep.load();
    }
  }

  const app = (options: Parameters<typeof ResilienceModule.forRoot>[0]) =>
    start(
      {
        imports: [
          ResilienceModule.forRoot({
            log: false,
            policies: { default: { timeout: 50_000 } },
            ...options,
          }),
        ],
        controllers: [Shop],
        providers: [Deep],
      },
      { adapter },
    );

  it('meets the requests with a header, at the handler behind an interceptor and deep below it', async () => {
    const { app: nest, url } = await app({ callContext: true, deadlines: { accept: true } });
    const testing = ResilienceTesting.for(nest);
    const when = (call: { header(name: string): string | undefined }) => call.header('X-Fault') === 'yes';
    testing.inject({ target: Deep, error: new Error('deep'), when });
    testing.inject({ target: [Shop, 'plain'], error: new Error('plain'), when });
    const status = async (path: string, headers = {}) => (await fetch(`${url}/${path}`, { headers })).status;

    for (const path of ['deep', 'plain', 'known']) {
      expect([path, await status(path)]).toEqual([path, 200]);
      expect([path, await status(path, { 'x-fault': 'no' })]).toEqual([path, 200]);
      expect([path, await status(path, { 'x-fault': 'yes' })]).toEqual([path, 500]);
    }
  });

  it('stands behind all interceptors, and a script does', async () => {
    const { app: nest, url } = await app({});
    const testing = ResilienceTesting.for(nest);
    const script = testing.script(Shop, 'plain', ['scripted']);
    const fault = testing.inject({ target: Shop, latency: 1 });

    const texts = [await (await fetch(`${url}/plain`)).text(), await (await fetch(`${url}/plain`)).text()];

    expect(texts).toEqual(['scripted', 'plain']);
    expect([script.left, fault.hits]).toEqual([0, 2]);
    expect(testing.plan(Shop, 'plain').policies.length).toBeGreaterThan(0);
  });
});
