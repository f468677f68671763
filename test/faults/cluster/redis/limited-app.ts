import { randomBytes } from 'node:crypto';
import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  RateLimit,
  ResilienceModule,
  ResilienceService,
  type RateLimitOptions,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { ResilienceRedisModule, type RedisModuleOptions } from 'nestjs-bulwark/redis';
import { expect, onTestFinished } from 'vitest';
import type { Runtime } from '../../../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../../../lib/module/tokens.js';
import { until } from '../../../support/until.js';

/** An app with a limit of the cluster for each key: 10 at once, and one more after 600 ms. */
export async function start(redis: RedisModuleOptions, options: RateLimitOptions = {}) {
  @Injectable()
  class Search {
    @RateLimit('search', { limit: 100, per: 60_000, scope: 'cluster', key: (key: string) => key, ...options })
    async find(_key: string): Promise<void> {}
  }
  @Module({})
  class App {}
  const module: DynamicModule = {
    module: App,
    // What counts exactly must not depend on how busy the machine is; Redis that hangs has tests with the limit as it is.
    imports: [
      ResilienceModule.forRoot({ log: false }),
      ResilienceRedisModule.forRoot({ commandTimeout: 2_000, ...redis }),
    ],
    providers: [Search],
  };
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  onTestFinished(() => app.close());
  const events: ResilienceEvent[] = [];
  app.get(ResilienceService).events$.subscribe((event) => events.push(event));
  const search = app.get(Search);
  return {
    app,
    search,
    events,
    /** How many of so many calls at once begin, and how long the slowest took, ms. */
    async begun(count: number, key = 'all'): Promise<{ begun: number; slowest: number }> {
      const since = performance.now();
      let slowest = 0;
      const results = await Promise.allSettled(
        Array.from({ length: count }, () =>
          search.find(key).finally(() => (slowest = Math.max(slowest, performance.now() - since))),
        ),
      );
      const faults = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as { code: string }] : [],
      );
      expect(faults.filter(({ code }) => code !== 'RATE_LIMITED')).toEqual([]);
      return { begun: count - faults.length, slowest };
    },
    /** How many processes share the limits, as it knows. */
    processes: () => app.get<Runtime>(RUNTIME, { strict: false }).environment.rateStore?.processes,
    ups: () => events.flatMap((event) => (event.type === 'store' ? [event.up] : [])),
  };
}

export type LimitedApp = Awaited<ReturnType<typeof start>>;

/** Calls now and then, until the app has seen what is going on. */
export async function calling(app: LimitedApp, what: string, isSo: () => boolean): Promise<void> {
  await until(what, async () => {
    await app.begun(1, 'probe');
    return isSo();
  });
}

/** For limits that no other test knows. */
export const prefix = (): string => `bulwark-test-${randomBytes(6).toString('hex')}`;
