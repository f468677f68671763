import { Controller, Get, Injectable, Patch, Post, Put, UseInterceptors, type LoggerService } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  Fallback,
  Idempotent,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  RetryInterceptor,
  Signal,
  Timeout,
  TimeoutInterceptor,
  type ResilienceModuleOptions,
  type RuleSource,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import { initialise, PLATFORMS, RecordingLogger, start, startUpError } from './support/harness.js';

@Controller('orders')
class Orders {
  @Post('plain')
  @Retry(3)
  async plain(): Promise<void> {}

  @Patch('set')
  @Resilient('orders')
  async bySet(): Promise<void> {}

  @Post('interceptor')
  @UseInterceptors(RetryInterceptor.with({ methods: ['POST'] }))
  async byInterceptor(): Promise<void> {}

  @Post('default')
  @UseInterceptors(RetryInterceptor)
  async byDefault(): Promise<void> {}

  @Get('read')
  @Retry(3)
  async read(): Promise<void> {}

  @Put('replace')
  @Retry(3)
  async replace(): Promise<void> {}

  @Post('idempotent')
  @Retry(3)
  @Idempotent()
  async idempotent(): Promise<void> {}

  @Post('off')
  @Retry(false)
  async off(): Promise<void> {}
}

@Controller()
class Events {
  @EventPattern('paid')
  @Retry(2)
  async paid(@Payload() _id: string): Promise<void> {}

  @EventPattern('shipped')
  @UseInterceptors(RetryInterceptor)
  async shipped(@Payload() _id: string): Promise<void> {}

  @EventPattern('seen')
  @Idempotent()
  @UseInterceptors(RetryInterceptor)
  async seen(@Payload() _id: string): Promise<void> {}

  @MessagePattern('sum')
  @Retry(2)
  async sum(@Payload() _numbers: number[]): Promise<number> {
    return 1;
  }
}

@CircuitBreaker('quotes', { timeout: 5_000 })
@Injectable()
class Quotes {
  @Timeout({ total: 1_000 })
  @Fallback('cached')
  async today(): Promise<number> {
    return 1;
  }

  async cached(): Promise<number> {
    return 2;
  }
}

const policies = { orders: { retry: 2 } };
const placesOf = (lines: readonly string[]): string[] =>
  lines.map((line) => `${line.split(',')[0]} ${/\((?<code>[a-z-]+);/.exec(line)?.groups?.code}`).sort();

const quotes = (options: ResilienceModuleOptions = {}) =>
  initialise({ imports: [ResilienceModule.forRoot(options)], providers: [Quotes] });

describe.each(PLATFORMS)('the start of an app on $platform', ({ adapter }) => {
  it('warns once of each handler that is repeated although its kind changes something', async () => {
    const { log } = await start(
      { imports: [ResilienceModule.forRoot({ policies })], controllers: [Orders] },
      { adapter },
    );

    expect(placesOf(log.ofBulwark('warn'))).toEqual([
      'Orders.byInterceptor not-idempotent',
      'Orders.bySet not-idempotent',
      'Orders.plain not-idempotent',
    ]);
  });
});

describe('the start of a microservice', () => {
  it('warns of handlers of events that are repeated, and of no messages that are answered', async () => {
    const log = new RecordingLogger();
    const module = await Test.createTestingModule({ imports: [ResilienceModule.forRoot()], controllers: [Events] })
      .setLogger(log)
      .compile();
    const app = module.createNestMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
    onTestFinished(() => app.close());
    await app.listen();

    expect(placesOf(log.ofBulwark('warn'))).toEqual(['Events.paid not-idempotent', 'Events.shipped not-idempotent']);
  });
});

describe('warnings of plans', () => {
  it('name the place, what stands there, what was expected and what silences them', async () => {
    const { log } = await start({ imports: [ResilienceModule.forRoot({ policies })], controllers: [Orders] });

    const [line] = log.ofBulwark('warn').filter((one) => one.startsWith('Orders.bySet'));
    expect(line).toBe(
      'Orders.bySet, retry: what it does may be done twice, since an attempt that failed may have done it: expected ' +
        '@Idempotent() beside it, or no retry; got a handler of PATCH requests with up to 2 attempts (not-idempotent; ' +
        "@Idempotent() on it says that it may be; forRoot({ lint: { off: ['not-idempotent'] } }) silences this)",
    );
  });

  it('come in one block, all before the app serves, and in plan()', async () => {
    const { log, module } = await quotes();

    const isWarning = log.lines.map(({ text }) => text.includes('silences this'));
    const [first, last] = [isWarning.indexOf(true), isWarning.lastIndexOf(true)];
    expect(placesOf(log.ofBulwark('warn'))).toEqual([
      'Quotes.today fallback-same-breaker',
      'Quotes.today inner-timeout-longer',
    ]);
    expect(last - first).toBe(1);
    const found = module.get(ResilienceService).plan();
    expect(found.map(({ methodName, warnings }) => [methodName, warnings?.map(({ code }) => code)])).toEqual([
      ['today', ['inner-timeout-longer', 'fallback-same-breaker']],
      ['cached', undefined],
    ]);
  });

  it('have fields for loggers that keep them', async () => {
    const written: unknown[] = [];
    const nothing = (): void => undefined;
    const logger = {
      log: nothing,
      error: nothing,
      debug: nothing,
      warn: (message: unknown) => written.push(message),
      getWinstonLogger: nothing,
    } as LoggerService;
    const module = await Test.createTestingModule({ imports: [ResilienceModule.forRoot()], providers: [Quotes] })
      .setLogger(logger)
      .compile();
    onTestFinished(() => module.close());
    await module.init();

    expect(written).toEqual([
      {
        message: expect.stringMatching(/^Quotes\.today, timeout: /) as string,
        bulwark: {
          event: 'lint',
          instance: 'Quotes.today',
          policy: 'timeout',
          code: 'inner-timeout-longer',
          value: 'perAttempt 5000 ms (@CircuitBreaker)',
          expected: 'perAttempt below total 1000 ms (@Timeout)',
        },
      },
      expect.objectContaining({ bulwark: expect.objectContaining({ code: 'fallback-same-breaker' }) as object }),
    ]);
  });

  it.each<[string, ResilienceModuleOptions, string[]]>([
    ['those whose codes are off', { lint: { off: ['inner-timeout-longer'] } }, ['Quotes.today fallback-same-breaker']],
    ['all with `lint: false`', { lint: false }, []],
    ['all with `log: false`', { log: false }, []],
    ['all that the kill switch makes idle', { enabled: false }, []],
  ])('leave out %s', async (_, options, left) => {
    const { log } = await quotes(options);

    expect(placesOf(log.ofBulwark('warn'))).toEqual(left);
  });

  it('read the parameters of methods in their source', async () => {
    @Injectable()
    class Rates {
      @Fallback('lastKnown')
      async rate(_currency: string, @Signal() _signal?: AbortSignal): Promise<number> {
        return 1;
      }
      @Timeout(1_000)
      async lastKnown(_currency: string, _error?: unknown): Promise<number> {
        return 2;
      }
    }
    const { log } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Rates] });

    expect(log.ofBulwark('warn')).toEqual([
      "Rates.rate, fallback: 'lastKnown' gets the error after the parameters of the method, and as '_error' parameter 2 of them: " +
        "expected the error as parameter 3 of 'lastKnown'; got lastKnown(_currency, _error) " +
        "(fallback-misses-error; forRoot({ lint: { off: ['fallback-misses-error'] } }) silences this)",
    ]);
  });

  it.each([
    ['a code that there is not', { off: ['no-such-code'] }, 'not-idempotent'],
    ['what is no option', { only: [] }, 'off'],
    ['true', true, 'false, or { off }'],
  ])('are not silenced by %s: the app does not start', async (_, lint, expected) => {
    const error = await startUpError({ imports: [ResilienceModule.forRoot({ lint: lint as never })] });

    expect(error.message).toContain('ResilienceModule.forRoot, lint');
    expect(error.message).toContain(expected);
  });

  it('are at most twenty, and a line that counts the others', async () => {
    const policies = Object.fromEntries(
      Array.from({ length: 25 }, (_, index) => [`set${index}`, { timeout: { perAttempt: 2_000, total: 1_000 } }]),
    );
    const { log } = await initialise({ imports: [ResilienceModule.forRoot({ policies })] });

    const lines = log.ofBulwark('warn');
    expect(lines).toHaveLength(21);
    expect(lines[0]).toContain('policies.set0, timeout');
    expect(lines.at(-1)).toMatch(/^5 more warnings/);
  });

  it('look at the limits that callers and interceptors leave', async () => {
    @Controller()
    class Reports {
      @Get()
      @UseInterceptors(TimeoutInterceptor.with(10_000))
      async slow(): Promise<void> {}

      @Retry(3)
      @Timeout(1_000)
      async load(): Promise<void> {}
    }
    const { log } = await start({
      imports: [ResilienceModule.forRoot({ callContext: true, deadlines: { accept: true, max: 1_500 } })],
      controllers: [Reports],
      providers: [{ provide: APP_INTERCEPTOR, useValue: new (TimeoutInterceptor.with(5_000))() }],
    });

    expect(placesOf(log.ofBulwark('warn'))).toEqual([
      'Reports.load retries-past-limit',
      'Reports.slow inner-timeout-longer',
    ]);
  });
});

describe('rules', () => {
  const wrong = { methods: { 'Jobs.run': { retry: { maxAttempts: 3, backoff: { fixed: 50 } } } } };

  @Injectable()
  class Jobs {
    @Retry()
    async run(): Promise<void> {}
  }

  it('that are in force at the start are warned of with the rest', async () => {
    const source: RuleSource = {
      name: 'memory',
      read: () => Promise.resolve(wrong),
      watch: () => undefined,
      close: () => undefined,
    };
    const { log } = await initialise({
      imports: [ResilienceModule.forRoot({ rules: { source } })],
      providers: [Jobs],
    });

    expect(placesOf(log.ofBulwark('warn'))).toEqual(['Jobs.run backoff-without-jitter']);
  });

  it('that come later write no warnings, and plan() shows what they bring about', async () => {
    const { log, module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Jobs] });
    const resilience = module.get(ResilienceService);

    for (let version = 0; version < 50; version++) {
      resilience.rules.validate(wrong);
      resilience.rules.apply(wrong, { by: 'ann' });
      resilience.rules.clear({ by: 'ann' });
    }
    resilience.rules.apply(wrong, { by: 'ann' });

    expect(log.ofBulwark('warn')).toEqual([]);
    expect(resilience.plan()[0]?.warnings).toMatchObject([{ code: 'backoff-without-jitter' }]);
  });
});
