import { HttpException, Injectable, type ModuleMetadata } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  Fallback,
  fixed,
  Hedge,
  RateLimit,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  slowCallRate,
  Timeout,
} from 'nestjs-bulwark';
import type { Runtime } from '../../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../../lib/module/tokens.js';
import { deferred, start, type Running } from './harness.js';

type Work = () => unknown;

const fine: Work = () => 'fine';
const fail: Work = () => {
  throw new Error('down');
};
const no: Work = () => {
  throw new HttpException('no', 404);
};
const hang: Work = () => new Promise(() => undefined);

/** One method for each policy. */
@Injectable()
class Shop {
  @CircuitBreaker('payments', { trip: consecutiveFailures(3) })
  async charge(work: Work): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('search', { trip: slowCallRate({ slowerThan: 1_000, percentage: 50 }) })
  @Retry({ maxAttempts: 2, backoff: fixed(0) })
  async find(work: Work): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('tenants', { key: (tenant: string) => tenant, trip: consecutiveFailures(1) })
  async ofTenant(_tenant: string, work: Work): Promise<unknown> {
    return work();
  }

  @Bulkhead('pool', { maxConcurrent: 1, maxQueue: 1 })
  async pooled(work: Work): Promise<unknown> {
    return work();
  }

  @RateLimit('rate', { limit: 1, per: 600_000 })
  async limited(work: Work): Promise<unknown> {
    return work();
  }

  @RateLimit('shadow', { limit: 1, per: 600_000, mode: 'metricsOnly' })
  async watched(work: Work): Promise<unknown> {
    return work();
  }

  @Timeout({ perAttempt: 5 })
  @Fallback({ value: 'substitute' })
  async covered(work: Work): Promise<unknown> {
    return work();
  }

  @Timeout({ total: 5 })
  async hurried(work: Work): Promise<unknown> {
    return work();
  }

  @Recover({ value: 'recovered', log: false })
  async caught(work: Work): Promise<unknown> {
    return work();
  }

  @Hedge({ after: 1, budget: false })
  async hedged(work: Work): Promise<unknown> {
    return work();
  }
}

/** An app in which everything has happened that metrics tell of, once at least. */
export async function startEventful(
  imports: NonNullable<ModuleMetadata['imports']>,
  options: { adapter?: () => AbstractHttpAdapter } = {},
): Promise<Running> {
  const running = await start(
    {
      imports: [ResilienceModule.forRoot({ log: false, systemProtection: { concurrency: 100 } }), ...imports],
      providers: [Shop],
    },
    options,
  );
  await happen(running);
  return running;
}

async function happen({ app }: Running): Promise<void> {
  const shop = app.get(Shop);
  await shop.charge(fine);
  for (const work of [no, fail, fail, fail, fine]) await settled(shop.charge(work));

  let runs = 0;
  await shop.find(() => (++runs === 1 ? fail() : 'fine'));
  await settled(shop.find(fail));

  await settled(shop.ofTenant('acme', fail));
  await shop.ofTenant('emca', fine);

  const gate = deferred();
  const pooled = [shop.pooled(() => gate.promise), shop.pooled(fine), settled(shop.pooled(fine))];
  gate.resolve();
  await Promise.all(pooled);

  for (const method of ['limited', 'watched'] as const)
    for (const work of [fine, fine]) await settled(shop[method](work));
  for (const work of [fail, hang]) await shop.covered(work);
  await settled(shop.hurried(hang));
  await shop.caught(fail);

  let attempts = 0;
  await shop.hedged(() => (++attempts === 1 ? hang() : 'fine'));
  await app.get(ResilienceService).execute({ name: 'inline', timeout: 1_000 }, fine);

  const { readModel } = app.get<Runtime>(RUNTIME);
  readModel.addCluster(() => ({
    store: { name: 'etcd', up: true, errors: 2 },
    rules: { revision: '17', rejected: 1 },
    leaders: new Map([['nightly', true]]),
  }));
  readModel.addCluster(() => ({ store: { name: 'redis', up: false, errors: 3 } }));
}

const settled = (call: Promise<unknown>): Promise<unknown> => call.catch(() => undefined);
