import { Controller, Get, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import {
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  RateLimit,
  RESILIENCE_CLOCK,
  ResilienceModule,
  ResilienceService,
} from 'nestjs-bulwark';
import { ResilienceHealthIndicator, ResilienceHealthModule, type HealthOptions } from 'nestjs-bulwark/health';
import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../lib/module/tokens.js';
import { MAX_SHOWN } from '../../lib/observability/health/health-details.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { deferred, initialise, PLATFORMS, rejection, start, startUpError, type Platform } from './support/harness.js';

const fail = (): never => {
  throw new Error('password of the upstream: hunter2');
};

@Injectable()
class Shop {
  @CircuitBreaker('payments', { trip: consecutiveFailures(1), resetTimeout: 30_000, resetJitter: 0 })
  async pay(work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('tenants', { trip: consecutiveFailures(1), key: (tenant: string) => tenant })
  async ofTenant(_tenant: string, work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('watched', { trip: consecutiveFailures(1), mode: 'metricsOnly' })
  async watched(work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('watchedTenants', { trip: consecutiveFailures(1), mode: 'metricsOnly', key: () => 'one' })
  async watchedTenant(work: () => unknown): Promise<unknown> {
    return work();
  }

  @Bulkhead('pool', { maxConcurrent: 1, maxQueue: 1 })
  async pooled(work: () => unknown): Promise<unknown> {
    return work();
  }

  @RateLimit('rate', { limit: 1, per: 60_000 })
  async limited(): Promise<void> {}
}

let named: HealthOptions | undefined;

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly resilience: ResilienceHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.resilience.check('resilience', named)]);
  }
}

async function startShop(adapter: Platform['adapter'], options?: HealthOptions) {
  named = options;
  const clock = new VirtualClock();
  const { app, url } = await start(
    {
      imports: [
        ResilienceModule.forRoot({ log: false }),
        ResilienceHealthModule,
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
      providers: [Shop],
    },
    { adapter, override: (builder) => builder.overrideProvider(RESILIENCE_CLOCK).useValue(clock) },
  );
  const check = async () => {
    const response = await fetch(`${url}/health`);
    const text = await response.text();
    return { status: response.status, text, details: (JSON.parse(text) as HealthCheckResult).details?.['resilience'] };
  };
  return { app, clock, check, shop: app.get(Shop), resilience: app.get(ResilienceService) };
}

describe.each(PLATFORMS)('the health check on $platform', ({ adapter }) => {
  it('is up and says no more while all is as usual', async () => {
    const { check } = await startShop(adapter);

    expect(await check()).toMatchObject({ status: 200, details: { status: 'up' } });
    expect(Object.keys((await check()).details ?? {})).toEqual(['status']);
  });

  it('answers 200 with a detail while a breaker is open that was not named', async () => {
    const { check, clock, shop } = await startShop(adapter, { down: ['tenants'] });
    await rejection(shop.pay(fail));

    const { status, text, details } = await check();

    expect(status).toBe(200);
    expect(details).toEqual({
      status: 'up',
      breakers: {
        payments: { state: 'open', failureRatio: 1, probesAt: new Date(clock.wallNow() + 30_000).toISOString() },
      },
    });
    expect(text).not.toContain('hunter2');
  });

  it('answers 503 while a breaker is open that was named, and 200 as soon as it probes', async () => {
    const { check, clock, shop, resilience } = await startShop(adapter, { down: ['payments'] });
    await rejection(shop.pay(fail));

    expect(await check()).toMatchObject({ status: 503, details: { status: 'down', down: ['payments'] } });
    await clock.advance(30_001);
    expect(await check()).toMatchObject({ status: 200, details: { breakers: { payments: { state: 'halfOpen' } } } });
    resilience.circuitBreaker('payments').forceOpen('secret of an operator');
    const forced = await check();
    expect(forced).toMatchObject({ status: 503, details: { breakers: { payments: { state: 'forcedOpen' } } } });
    expect(forced.text).not.toContain('secret');
  });

  it('answers 503 while the app shuts down', async () => {
    const { app, check } = await startShop(adapter);
    app.get<Runtime>(RUNTIME).shutDown();

    expect(await check()).toMatchObject({ status: 503, details: { status: 'down', draining: true } });
  });

  it('answers 500 as long as `down` names what is not there, and says what is', async () => {
    const { app, check } = await startShop(adapter, { down: ['payment'] });

    expect((await check()).status).toBe(500);
    const error = await rejection(app.get(ResilienceHealthIndicator).check('resilience', named));
    expect(error.name).toBe('ResilienceConfigurationError');
    expect(error.message).toMatch(
      /check\('resilience'\): option 'down': no circuit breaker 'payment'; expected one of: payments, tenants, watched/,
    );
  });
});

describe('a health check in a real shutdown', () => {
  it('answers 503 as soon as the app begins to close', async () => {
    const [entered, left] = [deferred(), deferred()];
    @Injectable()
    class Drain implements BeforeApplicationShutdown {
      async beforeApplicationShutdown(): Promise<void> {
        entered.resolve();
        await left.promise;
      }
    }
    named = undefined;
    const { app, url } = await start({
      imports: [
        ResilienceModule.forRoot({ log: false }),
        ResilienceHealthModule,
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
      providers: [Drain],
    });
    const closed = app.close();
    await entered.promise;

    const response = await fetch(`${url}/health`);
    const body: unknown = await response.json();
    left.resolve();
    await closed;

    expect(response.status).toBe(503);
    expect(body).toMatchObject({ details: { resilience: { status: 'down', draining: true } } });
  });
});

describe('ResilienceHealthIndicator', () => {
  async function setUp(imports = [ResilienceModule.forRoot({ log: false }), ResilienceHealthModule.forRoot()]) {
    const { module } = await initialise({ imports, providers: [Shop] });
    return { shop: module.get(Shop), health: module.get(ResilienceHealthIndicator), module };
  }

  it('tells which bulkheads are full and which rate limits used up', async () => {
    const { shop, health } = await setUp();
    const { promise, resolve } = deferred();
    const running = shop.pooled(() => promise);
    await shop.limited();

    expect(await health.check('policies')).toEqual({
      policies: {
        status: 'up',
        bulkheads: { pool: { active: 1, waiting: 0, limit: 1 } },
        rateLimits: { rate: { waiting: 0, limit: 1, per: 60_000 } },
      },
    });
    resolve();
    await running;
  });

  it('tells which stores are away', async () => {
    const { health, module } = await setUp();
    const { readModel } = module.get<Runtime>(RUNTIME);
    readModel.addCluster(() => ({ store: { name: 'redis', up: false, errors: 3 } }));
    readModel.addCluster(() => ({ store: { name: 'etcd', up: true, errors: 0 } }));

    expect(await health.check('policies')).toEqual({ policies: { status: 'up', stores: { redis: 'away' } } });
  });

  it('takes a breaker with keys for open when all of its keys are', async () => {
    const { shop, health } = await setUp();
    const check = () => health.isHealthy('policies', { down: ['tenants'] });
    await shop.ofTenant('acme', () => 1);
    await rejection(shop.ofTenant('globex', fail));

    expect(await check()).toMatchObject({
      policies: { status: 'up', breakers: { tenants: { state: 'closed', keys: { open: 1, closed: 1 } } } },
    });
    await rejection(shop.ofTenant('acme', fail));
    expect(await check()).toMatchObject({ policies: { status: 'down', breakers: { tenants: { keys: { open: 2 } } } } });
  });

  it('is not down for what only watches', async () => {
    const { shop, health } = await setUp();
    await rejection(shop.watched(fail));
    await rejection(shop.watchedTenant(fail));

    expect(await health.check('policies', { down: ['watched', 'watchedTenants'] })).toMatchObject({
      policies: {
        status: 'up',
        breakers: {
          watched: { state: 'open', metricsOnly: true },
          watchedTenants: { keys: { open: 1 }, metricsOnly: true },
        },
      },
    });
  });

  it('shows so many instances and counts the others', async () => {
    const { health, module } = await setUp();
    const policy = { timeout: 100, circuitBreaker: { trip: consecutiveFailures(1) } };
    for (let one = 0; one < MAX_SHOWN + 3; one++)
      await rejection(module.get(ResilienceService).execute({ name: `set-${one}`, ...policy }, fail));

    const { policies } = await health.check('policies');

    expect(Object.keys(policies.breakers ?? {})).toHaveLength(MAX_SHOWN);
    expect(policies.notShown).toBe(3);
  });

  it('takes `down` of the module where a check says nothing itself', async () => {
    const { shop, health } = await setUp([
      ResilienceModule.forRoot({ log: false }),
      ResilienceHealthModule.forRootAsync({ useFactory: () => ({ down: ['payments'] }) }),
    ]);
    await rejection(shop.pay(fail));

    expect(await health.check('policies')).toMatchObject({ policies: { status: 'down' } });
    expect(await health.check('policies', { down: [] })).toMatchObject({ policies: { status: 'up' } });
  });

  it('knows the breaker of a set that nothing has used yet', async () => {
    const policies = { database: { circuitBreaker: { resetTimeout: 1_000 }, timeout: 100 } };
    const { health } = await setUp([
      ResilienceModule.forRoot({ log: false, policies }),
      ResilienceHealthModule.forRoot(),
    ]);

    expect(await health.check('policies', { down: ['database'] })).toEqual({ policies: { status: 'up' } });
  });

  it('refuses wrong options, those of the module at the start', async () => {
    const { health } = await setUp();
    const imports = [ResilienceModule.forRoot(), ResilienceHealthModule.forRoot({ down: 'payments' as never })];

    expect((await rejection(health.check('x', { up: [] } as never))).message).toMatch(/unknown option 'up'.*down/);
    expect((await startUpError({ imports })).message).toMatch(
      /^ResilienceHealthModule\.forRoot: option 'down': expected a list of names of circuit breakers, got 'payments'$/,
    );
  });
});
