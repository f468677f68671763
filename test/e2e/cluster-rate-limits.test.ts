import { Injectable, Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  Bulkhead,
  CircuitBreaker,
  RateLimit,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { ResilienceRedisModule, type RedisModuleOptions, type RedisOptionsFactory } from 'nestjs-bulwark/redis';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/servers/free-port.js';
import { compile, initialise, rejection, startUpError } from './support/harness.js';

@Injectable()
class Search {
  @RateLimit({ limit: 4, per: 60_000, scope: 'cluster' })
  async find(): Promise<string> {
    return 'found';
  }
}

/** Nobody listens there. */
const nowhere = async (): Promise<string> => `redis://user:s3cret@127.0.0.1:${await freePort()}`;

const NEEDED =
  "rate limit 'Search.find': option 'scope': 'cluster' counts in Redis; expected ResilienceRedisModule.forRoot({ url }) of 'nestjs-bulwark/redis' among the imports of the app";

describe("scope: 'cluster'", () => {
  it('is a start-up error without a store, which says what to import', async () => {
    const error = await startUpError({ imports: [ResilienceModule.forRoot()], providers: [Search] });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toBe(NEEDED);
  });

  it('is one in a set as well that only execute() uses, and an error of the call in a set without a name', async () => {
    const rateLimit = { limit: 4, per: 1_000, scope: 'cluster' } as const;
    const error = await startUpError({ imports: [ResilienceModule.forRoot({ policies: { api: { rateLimit } } })] });
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()] });
    const ofCall = await rejection(
      module.get(ResilienceService).execute({ name: 'inline', rateLimit }, async () => undefined),
    );

    expect(error.message).toContain("rate limit 'api': option 'scope': 'cluster' counts in Redis");
    expect(ofCall).toBeInstanceOf(ResilienceConfigurationError);
  });

  it('is for rate limits alone', async () => {
    class Wrong {
      @CircuitBreaker({ scope: 'cluster' as 'class' })
      async one(): Promise<void> {}
      @Bulkhead({ maxConcurrent: 1, scope: 'cluster' as 'class' })
      async other(): Promise<void> {}
      @RateLimit({ limit: 1, per: 1, scope: 'cluster', warmUp: { over: 1_000 } })
      async third(): Promise<void> {}
      @RateLimit({ limit: 1, per: 1, onStoreError: 'open' })
      async fourth(): Promise<void> {}
    }
    const error = await startUpError({ imports: [ResilienceModule.forRoot()], providers: [Wrong] });

    expect(error.message).toContain(
      "Wrong.one, @CircuitBreaker: option 'scope': expected one of 'class', 'instance', got 'cluster'",
    );
    expect(error.message).toContain(
      "Wrong.other, @Bulkhead: option 'scope': expected one of 'class', 'instance', got 'cluster'",
    );
    expect(error.message).toContain("Wrong.third, @RateLimit: option 'warmUp': expected none beside scope: 'cluster'");
    expect(error.message).toContain(
      "Wrong.fourth, @RateLimit: option 'onStoreError': expected scope: 'cluster' beside it",
    );
  });

  it('is a limit of the process where the class is used without the module', async () => {
    const search = new Search();

    const results = await Promise.allSettled(Array.from({ length: 5 }, () => search.find()));

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  });
});

describe('ResilienceRedisModule', () => {
  it.each<[string, object, string]>([
    ['neither url nor client', {}, "expected either 'url' or 'client', got neither"],
    [
      'another scheme',
      { url: 'http://u:s3cret@host' },
      "option 'url': expected redis://... or rediss://..., got 'http://***@host'",
    ],
    ['no text', { url: 6379 }, "option 'url': expected redis://... or rediss://..., got 6379"],
    ['no client', { client: { password: 's3cret' } }, "option 'client': expected a client of ioredis"],
    ['an unknown option', { url: 'redis://h', host: 'x' }, "unknown option 'host'"],
    [
      'no time',
      { url: 'redis://h', commandTimeout: 0 },
      "option 'commandTimeout': expected a whole number of at least 1, got 0",
    ],
    [
      'another word',
      { url: 'redis://h', onStoreError: 'shut' },
      "option 'onStoreError': expected one of 'local', 'open', 'closed', got 'shut'",
    ],
    ['no process', { url: 'redis://h', expectedProcesses: 0 }, "option 'expectedProcesses'"],
    ['no prefix', { url: 'redis://h', prefix: '' }, "option 'prefix': expected a non-empty string"],
  ])('refuses %s', async (_, options, expected) => {
    const imports = [ResilienceModule.forRoot(), ResilienceRedisModule.forRoot(options)];
    const error = await startUpError({ imports });

    expect(error.message).toContain('ResilienceRedisModule.forRoot');
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain('s3cret');
  });

  it('refuses a url beside a client, and never shows it', async () => {
    const client = new Redis({ lazyConnect: true });
    const error = await startUpError({
      imports: [ResilienceModule.forRoot(), ResilienceRedisModule.forRoot({ url: 'redis://u:s3cret@h', client })],
    });

    expect(error.message).toContain("expected either 'url' or 'client', got both");
    expect(error.message).not.toContain('s3cret');
  });

  it('is imported once, beside ResilienceModule', async () => {
    const redis = () => ResilienceRedisModule.forRoot({ url: 'redis://127.0.0.1:1' });
    @Module({ imports: [ResilienceRedisModule.forRoot({ url: 'redis://127.0.0.1:2' })] })
    class Other {}
    const alone = await startUpError({ imports: [redis()] });
    const twice = await startUpError({ imports: [ResilienceModule.forRoot(), redis(), Other] });

    expect(alone.message).toContain('there is no ResilienceModule');
    expect(twice.message).toContain('is imported more than once');
  });

  it('does not keep an app from starting when Redis is away: each process lets its part through', async () => {
    const url = await nowhere();
    const redis = ResilienceRedisModule.forRoot({ url, expectedProcesses: 2 });
    const { module, log } = await compile({ imports: [ResilienceModule.forRoot(), redis], providers: [Search] });
    const events: ResilienceEvent[] = [];
    module.get(ResilienceService).events$.subscribe((event) => events.push(event));
    const started = performance.now();
    await module.init();
    const tookMs = performance.now() - started;

    const results = await Promise.allSettled(Array.from({ length: 4 }, () => module.get(Search).find()));

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(tookMs).toBeLessThan(5_000);
    expect(events.filter(({ type }) => type === 'store')).toMatchObject([
      {
        type: 'store',
        store: 'redis',
        up: false,
        name: 'redis',
        policy: 'rateLimit',
        reason: expect.stringContaining('ECONNREFUSED'),
      },
    ]);
    expect(log.ofBulwark('warn')).toEqual([
      expect.stringContaining('redis is away, and each process decides by itself'),
    ]);
    expect(JSON.stringify([events, log.lines])).not.toContain('s3cret');
  });

  it('shows the limit in plan(), and takes its options from a factory', async () => {
    const url = await nowhere();
    @Injectable()
    class Options implements RedisOptionsFactory {
      createRedisOptions(): RedisModuleOptions {
        return { url, onStoreError: 'closed' };
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot(), ResilienceRedisModule.forRootAsync({ useClass: Options })],
      providers: [Search],
    });

    const [entry] = module.get(ResilienceService).plan();
    const refused = await rejection(module.get(Search).find());

    expect(entry?.policies[0]?.options).toMatchObject({ limit: 4, per: 60_000, burst: 4, scope: 'cluster' });
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(refused.explanation).toContain("onStoreError is 'closed'");
  });

  it('changes limits by rules, but not whom they belong to', async () => {
    const redis = ResilienceRedisModule.forRoot({ url: await nowhere() });
    const { module } = await initialise({ imports: [ResilienceModule.forRoot(), redis], providers: [Search] });
    const { rules } = module.get(ResilienceService);
    const rule = (rateLimit: object) => ({ methods: { 'Search.find': { rateLimit } } });

    rules.apply(rule({ limit: 7, per: 60_000, onStoreError: 'local' }), { by: 'ann' });
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => module.get(Search).find()));

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    expect(() => rules.apply(rule({ scope: 'class' }), { by: 'ann' })).toThrow(/'scope' belongs to the code/);
  });

  it('leaves nothing behind when the app is closed', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length;
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot(), ResilienceRedisModule.forRoot({ url: await nowhere() })],
      providers: [Search],
    });

    await module.close();

    await expect
      .poll(() => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length)
      .toBeLessThanOrEqual(before);
  });
});
